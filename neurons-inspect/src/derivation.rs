//! A neuron's declaration, read again by the generator.

use neuron_codegen::check::analyse;
use neuron_codegen::gradient::Derived;
use neuron_codegen::kernel::{Program, programs};
use neuron_codegen::suggest;
use neuron_runtime::{Reset, Spec, Template};

use crate::Error;

/// What the macro made of a declaration before it was printed.
pub struct Derivation {
    pub derived: Derived,
    /// Of the neuron's kernels; not of the relaxed model.
    pub programs: Vec<Program>,
}

impl Derivation {
    /// Of a neuron that has been compiled.
    pub fn of(spec: &'static Spec) -> Result<Self, Error> {
        let failed = |reason: String| Error::Declaration { neuron: spec.name, reason };
        let tokens =
            spec.declaration.parse().map_err(|error: proc_macro2::LexError| failed(error.to_string()))?;
        let analysis = analyse(tokens);
        if let Some(mistake) = analysis.report.iter().next() {
            return Err(failed(mistake.message.clone()));
        }
        let model = analysis.model.ok_or_else(|| failed("there is no neuron in it".to_owned()))?;
        let mut derived = Derived::new(model);
        let programs =
            programs(&mut derived).into_iter().filter(|program| !program.variant.relaxed).collect();
        Ok(Self { derived, programs })
    }

    /// The kernels of a template and a reset; all of them for `None`. Backward kernels serve every reset.
    pub fn select(
        &self,
        spec: &'static Spec,
        template: Option<&str>,
        reset: Option<Reset>,
    ) -> Result<Vec<&Program>, Error> {
        // A kernel may be asked for by its own name, too: `hard_reset_fptt`.
        let is_asked = |program: &&Program| {
            let variant = program.variant;
            template.is_none_or(|name| variant.template.name() == name || variant.name() == name)
                && reset.is_none_or(|reset| variant.reset.is_none_or(|its| its == reset))
        };
        let found: Vec<&Program> = self.programs.iter().filter(is_asked).collect();
        if found.is_empty() || reset.is_some_and(|reset| !spec.resets.contains(&reset)) {
            let known: Vec<&str> = spec.templates().map(Template::name).collect();
            let closest = template.filter(|template| !known.contains(template));
            let closest = closest.and_then(|name| suggest::closest(name, &known)).map(str::to_owned);
            let template = template.map(str::to_owned);
            return Err(Error::NoKernel { neuron: spec.name, template, reset, closest });
        }
        Ok(found)
    }
}
