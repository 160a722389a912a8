//! Specifications of neurons that are declared at run time.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use neuron_codegen::description::Description;
use neuron_codegen::variant::Buffer;
use neuron_runtime::{BufferSpec, Cuda, Equation, FlagSpec, ParamSpec, Signature, Spec, StateSpec};

use crate::cuda;

/// The specification of the neuron with that description and declaration.
///
/// The runtime's specifications live as long as the program, as those of compiled neurons do, so these are never freed. There
/// is one for each text: to declare a neuron again takes no memory.
pub fn spec(description: Description, declaration: &str) -> &'static Spec {
    static KNOWN: LazyLock<Mutex<HashMap<&'static str, &'static Spec>>> = LazyLock::new(Mutex::default);
    // A panic while it was locked has left a map that is valid.
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(spec) = known.get(declaration) {
        return spec;
    }
    let spec: &'static Spec = Box::leak(Box::new(new(description, declaration)));
    known.insert(spec.declaration, spec);
    spec
}

fn new(description: Description, declaration: &str) -> Spec {
    let Description { name, module, doc, inputs, states, params, flags, output, resets, factors, .. } =
        description;
    let declaration = text(declaration.to_owned());
    let equation = |(name, expr)| Equation { name: text(name), expr: text(expr) };
    let signature = |(signature, lanes): (neuron_codegen::variant::Signature, _)| Signature {
        template: signature.template,
        inputs: buffers(signature.inputs),
        outputs: buffers(signature.outputs),
        lanes,
    };
    Spec {
        name: text(name),
        module: text(module),
        doc: text(doc),
        declaration,
        inputs: list(inputs, text),
        states: list(states, |state| StateSpec {
            name: text(state.name),
            doc: text(state.doc),
            init: text(state.init),
            varies: state.varies,
        }),
        params: list(params, |param| ParamSpec {
            kind: param.kind,
            name: text(param.name),
            doc: text(param.doc),
            default: param.default,
            range: text(param.range),
        }),
        flags: list(flags, |flag| FlagSpec {
            name: text(flag.name),
            doc: text(flag.doc),
            default: flag.default,
        }),
        output,
        resets: resets.leak(),
        nonlinear: description.nonlinear.leak(),
        factors: list(factors, text),
        equations: list(description.equations, equation),
        derivatives: list(description.derivatives, equation),
        signatures: list(description.signatures, signature),
        // SAFETY: what is printed is derived from the declaration, as this specification is.
        cuda: unsafe { Cuda::printed(cuda::printed(declaration)) },
    }
}

/// Text that is never freed.
pub fn text(text: String) -> &'static str {
    text.leak()
}

fn list<T, U>(items: Vec<T>, item: impl FnMut(T) -> U) -> &'static [U] {
    items.into_iter().map(item).collect::<Vec<_>>().leak()
}

fn buffers(buffers: Vec<Buffer>) -> &'static [BufferSpec] {
    list(buffers, |Buffer { name, role, class, extent }| BufferSpec { name: text(name), role, class, extent })
}
