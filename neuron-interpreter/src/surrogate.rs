//! Surrogates that are declared at run time.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{LazyLock, Mutex, PoisonError};

use neuron_codegen::declarations::Macro;
use neuron_codegen::ir::Id;
use neuron_codegen::source;
use neuron_codegen::surrogate::{self, Description, analyse};
use neuron_runtime::surrogate::generated::{self, Definition, Texts};
use neuron_runtime::surrogate::{MAX_PARAMETERS, ParameterDef};
use neuron_runtime::{Gradient, Surrogate};
use proc_macro2::TokenStream;

use crate::compile::compile_function;
use crate::formula::Leaf;
use crate::function::Functions;
use crate::problem::{Level, Mistakes, Problem};
use crate::source::{one, read_all};
use crate::spec::text;
use crate::uniform::Ranges;

/// A surrogate that was declared at run time.
///
/// ```
/// use neuron_interpreter::SurrogateDeclaration;
///
/// let steep = SurrogateDeclaration::parse("surrogate Steep { param a = 8.0 where a > 0.0; primitive = sigmoid(a * u); }")?;
/// assert_eq!(steep.surrogate().gradient(0.0), 2.0);
/// let steeper = steep.surrogate().with_parameters(&[12.0])?;
/// assert_eq!(steeper.to_string(), "Steep(a=12)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SurrogateDeclaration {
    declared: Declared,
    warnings: Vec<Problem>,
}

/// The part of it that is the same for all declarations of the same text.
#[derive(Clone, Copy, Debug)]
struct Declared {
    surrogate: Surrogate,
    declaration: &'static str,
    doc: &'static str,
}

impl SurrogateDeclaration {
    /// Reads a declaration: `surrogate Own { .. }`, or that in `surrogate! { .. }`.
    ///
    /// # Errors
    /// All mistakes, as the macro reports them.
    pub fn parse(source: &str) -> Result<Self, Mistakes> {
        one(read_all(source, Macro::Surrogate, Self::read)?, "surrogate", source)
    }

    /// Of the tokens that were given to a macro which is named at `call`.
    pub(crate) fn read(call: &Range<usize>, tokens: TokenStream, source: &str) -> Result<Self, Vec<Problem>> {
        let declaration = source::text(&tokens);
        let analysis = analyse(tokens);
        match analysis.surrogate {
            Some(surrogate) if analysis.report.is_empty() => Ok(Self {
                declared: declared(surrogate, declaration),
                warnings: Problem::all(&analysis.warnings, Level::Warning, call, source).collect(),
            }),
            _ => Err(Problem::all(&analysis.report, Level::Error, call, source).collect()),
        }
    }

    /// The surrogate with the default values of its parameters.
    pub fn surrogate(&self) -> Surrogate {
        self.declared.surrogate
    }

    /// The text of the declaration.
    pub fn declaration(&self) -> &'static str {
        self.declared.declaration
    }

    /// Its doc comment.
    pub fn doc(&self) -> &'static str {
        self.declared.doc
    }

    /// Warnings: what is accepted, but probably not as meant.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }
}

impl From<&SurrogateDeclaration> for Gradient {
    /// Without `detach_reset`.
    fn from(declaration: &SurrogateDeclaration) -> Self {
        declaration.surrogate().into()
    }
}

/// What was made of a declaration. The runtime's definitions of surrogates live as long as the program, so these are never
/// freed; there is one for each text.
fn declared(surrogate: surrogate::Surrogate, declaration: String) -> Declared {
    static KNOWN: LazyLock<Mutex<HashMap<&'static str, Declared>>> = LazyLock::new(Mutex::default);
    // A panic while it was locked has left a map that is valid.
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(declared) = known.get(declaration.as_str()) {
        return *declared;
    }
    let declared = define(surrogate, text(declaration));
    known.insert(declared.declaration, declared);
    declared
}

fn define(surrogate: surrogate::Surrogate, declaration: &'static str) -> Declared {
    let Description { name, doc, params, primitive, gradient, cuda, cuda_math } =
        Description::new(&surrogate);
    let parameters = params.into_iter().map(|param| ParameterDef {
        name: text(param.name),
        default: param.default,
        range: text(param.range),
    });
    let texts = Texts {
        name: text(name),
        parameters: parameters.collect::<Vec<_>>().leak(),
        primitive: text(primitive),
        gradient: text(gradient),
        cuda: text(cuda),
        cuda_math: text(cuda_math),
    };
    // SAFETY: what the generator prints of a surrogate are functions of their arguments.
    let definition = unsafe { Definition::interpreted(texts, Box::leak(Box::new(functions(surrogate)))) };
    let mut defaults = [0.0; MAX_PARAMETERS];
    for (value, parameter) in defaults.iter_mut().zip(texts.parameters) {
        *value = parameter.default;
    }
    Declared { surrogate: generated::surrogate(definition, defaults), declaration, doc: text(doc) }
}

fn functions(mut surrogate: surrogate::Surrogate) -> Functions {
    let params = surrogate.params.iter().enumerate();
    let leaves: HashMap<Id, Leaf> = params.map(|(place, param)| (param.leaf, Leaf::Param(place))).collect();
    let code = |value| {
        let (graph, value) = surrogate.computed(value);
        compile_function(&graph, &leaves, surrogate.u, value)
    };
    Functions {
        gradient: code(surrogate.gradient),
        primitive: code(surrogate.primitive),
        ranges: Ranges::new(&mut surrogate.graph, &leaves, &surrogate.params),
    }
}
