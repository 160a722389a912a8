//! Declarations as text, to neurons.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use neuron_codegen::check::analyse;
use neuron_codegen::declarations::{self, Macro};
use neuron_codegen::description::Description;
use neuron_codegen::gradient::Derived;
use neuron_codegen::ir::{Graph, Id};
use neuron_codegen::kernel::lower::Lowering;
use neuron_codegen::kernel::{Program, programs};
use neuron_codegen::source;
use neuron_codegen::variant::Variant;
use neuron_runtime::{Reset, Spec, Template};
use proc_macro2::TokenStream;

use crate::code::Code;
use crate::compile::compile;
use crate::formula::{Choices, Collector, Formulas, Leaf, Value};
use crate::neuron::Interpreted;
use crate::problem::{Level, Mistakes, Problem};
use crate::spec::{spec, text};
use crate::thread::with_stack;

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

/// The conditions that parameters must satisfy.
#[derive(Debug)]
pub(crate) struct Ranges {
    pub formulas: Formulas,
    /// Each with the parameter that it is about, by its place; in order of these.
    pub conditions: Vec<(usize, Value, &'static str)>,
}

/// Several expressions over parameters.
#[derive(Debug)]
pub(crate) struct List {
    pub formulas: Formulas,
    pub values: Vec<Value>,
}

impl Declaration {
    /// Reads a declaration: `struct Lif { .. }`, or that in `neuron! { .. }`.
    ///
    /// # Errors
    /// All mistakes, as the macro reports them.
    pub fn parse(source: &str) -> Result<Self, Mistakes> {
        match <[Self; 1]>::try_from(Self::parse_all(source)?) {
            Ok([declaration]) => Ok(declaration),
            Err(several) => {
                let message = format!("one neuron was expected, {} are declared", several.len());
                let problem = Problem::at(Level::Error, message, Vec::new(), 0..source.len(), source);
                Err(Mistakes::new(vec![problem], source))
            }
        }
    }

    /// Reads every `neuron! { .. }` of a source file, in order; without one, the text as a declaration.
    ///
    /// # Errors
    /// All mistakes in all of them.
    pub fn parse_all(source: &str) -> Result<Vec<Self>, Mistakes> {
        if let Some(at) = source::too_deep(source) {
            let hints = vec!["name parts of the expression by `let`".to_owned()];
            let problem = Problem::at(Level::Error, source::TOO_DEEP.to_owned(), hints, at..at + 1, source);
            return Err(Mistakes::new(vec![problem], source));
        }
        with_stack(|| read(source))
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

fn read(source: &str) -> Result<Vec<Declaration>, Mistakes> {
    let failed = |problem| Mistakes::new(vec![problem], source);
    let found = declarations::all(source).map_err(|error| failed(Problem::not_rust(&error, source)))?;
    let neurons = found.into_iter().filter(|found| found.kind == Macro::Neuron);
    let mut texts: Vec<(Range<usize>, TokenStream)> =
        neurons.map(|found| (found.span.byte_range(), found.contents)).collect();
    if texts.is_empty() {
        let tokens = source.parse().map_err(|error| failed(Problem::not_rust(&error, source)))?;
        texts.push((0..source.len(), tokens));
    }
    let (mut declarations, mut mistakes) = (Vec::new(), Vec::new());
    for (call, tokens) in texts {
        match declared(&call, tokens, source) {
            Ok(declared) => declarations.push(Declaration { declared: Arc::new(declared) }),
            Err(problems) => mistakes.extend(problems),
        }
    }
    if mistakes.is_empty() { Ok(declarations) } else { Err(Mistakes::new(mistakes, source)) }
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
    let written = model.params.iter().enumerate().flat_map(|(place, param)| {
        param.conditions.iter().map(move |condition| (place, condition.expr, condition.text.clone()))
    });
    let written: Vec<(usize, Id, String)> = written.collect();
    let conditions: Vec<Id> = written.iter().map(|(_, expr, _)| *expr).collect();
    let conditions = list(&mut model.graph, &leaves, &conditions);
    let ranges = Ranges {
        formulas: conditions.formulas,
        conditions: (written.into_iter().zip(conditions.values))
            .map(|((place, _, expected), holds)| (place, holds, text(expected)))
            .collect(),
    };
    let initial: Vec<Id> = model.states.iter().map(|state| state.init).collect();
    let initial = list(&mut model.graph, &leaves, &initial);
    let slopes: Vec<Id> = derived.initial.iter().flatten().copied().collect();
    let slopes = list(&mut model.graph, &leaves, &slopes);

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

/// Expressions over parameters as they are written, with divisions, but for powers.
fn list(graph: &mut Graph, leaves: &HashMap<Id, Leaf>, exprs: &[Id]) -> List {
    let mut lowering = Lowering::default();
    let exprs: Vec<Id> = exprs.iter().map(|&expr| lowering.by(graph, expr, |_, _| false)).collect();
    let mut collector = Collector::new(graph, leaves);
    let values = exprs.into_iter().map(|expr| collector.value(expr)).collect();
    List { formulas: collector.finish(), values }
}
