//! Declarations as text, to neurons.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use neuron_codegen::check::analyse;
use neuron_codegen::declarations::Macro;
use neuron_codegen::description::Description;
use neuron_codegen::gradient::Derived;
use neuron_codegen::ir::{Graph, Id};
use neuron_codegen::kernel::{Program, programs};
use neuron_codegen::source;
use neuron_codegen::variant::Variant;
use neuron_runtime::{Reset, Spec, Template};
use proc_macro2::TokenStream;

use crate::code::Code;
use crate::compile::compile;
use crate::formula::{Choices, Leaf};
use crate::neuron::Interpreted;
use crate::problem::{Level, Mistakes, Problem};
use crate::source::{one, read_all};
use crate::spec::spec;
use crate::uniform::{List, Ranges};

/// A neuron that was declared at run time: what does not depend on the values of its parameters. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Declaration {
    declared: Arc<Declared>,
}

/// What was made of a declaration.
#[derive(Debug)]
pub(crate) struct Declared {
    pub spec: &'static Spec,
    pub ranges: Ranges,
    /// The states before the first step.
    pub initial: List,
    /// How each of them changes with each learnable parameter.
    pub slopes: List,
    graph: Graph,
    /// The leaves of uniform expressions.
    leaves: HashMap<Id, Leaf>,
    programs: HashMap<Variant, Program>,
    /// Instructions by kernel and choices, compiled where they are first needed.
    kernels: Mutex<HashMap<(Variant, Choices), Arc<Code>>>,
    warnings: Vec<Problem>,
}

impl Declaration {
    /// Reads a declaration: `struct Lif { .. }`, or that in `neuron! { .. }`.
    ///
    /// # Errors
    /// All mistakes, as the macro reports them.
    pub fn parse(source: &str) -> Result<Self, Mistakes> {
        one(read_all(source, Macro::Neuron, Self::read)?, "neuron", source)
    }

    /// Of the tokens that were given to a macro which is named at `call`.
    pub(crate) fn read(call: &Range<usize>, tokens: TokenStream, source: &str) -> Result<Self, Vec<Problem>> {
        Ok(Self { declared: Arc::new(declared(call, tokens, source)?) })
    }

    /// The neuron with the default values of its parameters.
    pub fn neuron(&self) -> Interpreted {
        Interpreted::new(self.declared.clone())
    }

    /// The neuron as data.
    pub fn spec(&self) -> &'static Spec {
        self.declared.spec
    }

    /// Warnings: what is accepted, but probably not as meant.
    pub fn warnings(&self) -> &[Problem] {
        &self.declared.warnings
    }
}

impl Declared {
    /// The instructions of a template, if the neuron has it.
    pub fn kernel(&self, template: Template, reset: Reset, choices: Choices) -> Option<Arc<Code>> {
        let reset = template.resets().then_some(reset);
        self.code(Variant { template, reset, relaxed: false }, choices)
    }

    /// Those of the relaxed model. One kernel serves both templates that have one: a step is a sequence of length 1.
    pub fn relaxed(&self, reset: Reset, choices: Choices) -> Option<Arc<Code>> {
        let template = Template::FpttWithGrad;
        self.code(Variant { template, reset: Some(reset), relaxed: true }, choices)
    }

    fn code(&self, variant: Variant, choices: Choices) -> Option<Arc<Code>> {
        let program = self.programs.get(&variant)?;
        // A panic while it was locked has left a map that is valid.
        let mut kernels = self.kernels.lock().unwrap_or_else(PoisonError::into_inner);
        let code = kernels.entry((variant, choices)).or_insert_with_key(|(_, choices)| {
            Arc::new(compile(&self.graph, &self.leaves, program, choices))
        });
        Some(code.clone())
    }
}

fn declared(call: &Range<usize>, tokens: TokenStream, source: &str) -> Result<Declared, Vec<Problem>> {
    let written = source::text(&tokens);
    let analysis = analyse(tokens);
    let warnings = Problem::all(&analysis.warnings, Level::Warning, call, source).collect();
    let model = match analysis.model {
        Some(model) if analysis.report.is_empty() => model,
        _ => return Err(Problem::all(&analysis.report, Level::Error, call, source).collect()),
    };
    let mut derived = Derived::new(model);
    let programs = programs(&mut derived);
    let spec = spec(Description::new(&derived), &written);

    let model = &mut derived.model;
    let params = model.params.iter().enumerate().map(|(place, param)| (param.leaf, Leaf::Param(place)));
    let flags = model.flags.iter().enumerate().map(|(place, flag)| (flag.leaf, Leaf::Flag(place)));
    let mut leaves: HashMap<Id, Leaf> = params.chain(flags).collect();
    let ranges = Ranges::new(&mut model.graph, &leaves, &model.params);
    let initial: Vec<Id> = model.states.iter().map(|state| state.init).collect();
    let initial = List::new(&mut model.graph, &leaves, &initial);
    let slopes: Vec<Id> = derived.initial.iter().flatten().copied().collect();
    let slopes = List::new(&mut model.graph, &leaves, &slopes);

    leaves.insert(derived.leaves.detach_reset, Leaf::DetachReset);
    Ok(Declared {
        spec,
        ranges,
        initial,
        slopes,
        graph: derived.model.graph,
        leaves,
        programs: programs.into_iter().map(|program| (program.variant, program)).collect(),
        kernels: Mutex::default(),
        warnings,
    })
}
