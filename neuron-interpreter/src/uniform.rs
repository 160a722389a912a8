//! Expressions over parameters: ranges and initial values.

use std::collections::HashMap;

use neuron_codegen::ir::{Graph, Id};
use neuron_codegen::kernel::lower::Lowering;
use neuron_codegen::model::Param;

use crate::formula::{Collector, Formulas, Leaf, Value, Values};
use crate::spec::text;

/// The conditions that parameters must satisfy.
#[derive(Debug)]
pub struct Ranges {
    formulas: Formulas,
    /// Each with the parameter that it is about, by its place; in order of these.
    conditions: Vec<(usize, Value, &'static str)>,
}

impl Ranges {
    /// Those of `params`.
    pub fn new(graph: &mut Graph, leaves: &HashMap<Id, Leaf>, params: &[Param]) -> Self {
        let written = params.iter().enumerate();
        let written: Vec<_> =
            written.flat_map(|(place, param)| param.conditions.iter().map(move |it| (place, it))).collect();
        let exprs: Vec<Id> = written.iter().map(|(_, condition)| condition.expr).collect();
        let List { formulas, values } = List::new(graph, leaves, &exprs);
        let conditions = written.into_iter().zip(values);
        let conditions =
            conditions.map(|((place, condition), holds)| (place, holds, text(condition.text.clone())));
        Self { formulas, conditions: conditions.collect() }
    }

    /// Each condition with the parameter that it is about, by its place, and whether it holds; in order of parameters.
    pub fn check(&self, values: Values<'_>) -> impl Iterator<Item = (usize, bool, &'static str)> {
        let computed: Vec<f64> = self.formulas.evaluate(values);
        self.conditions
            .iter()
            .map(move |&(place, holds, expected)| (place, computed[holds.0 as usize] != 0.0, expected))
    }
}

/// Several expressions over parameters.
#[derive(Debug)]
pub struct List {
    formulas: Formulas,
    values: Vec<Value>,
}

impl List {
    /// As they are written, with divisions, but for powers.
    pub fn new(graph: &mut Graph, leaves: &HashMap<Id, Leaf>, exprs: &[Id]) -> Self {
        let mut lowering = Lowering::default();
        let exprs: Vec<Id> = exprs.iter().map(|&expr| lowering.by(graph, expr, |_, _| false)).collect();
        let mut collector = Collector::new(graph, leaves);
        let values = exprs.into_iter().map(|expr| collector.value(expr)).collect();
        Self { formulas: collector.finish(), values }
    }

    /// Their values.
    pub fn evaluate(&self, values: Values<'_>) -> Vec<f64> {
        let computed: Vec<f64> = self.formulas.evaluate(values);
        self.values.iter().map(|value| computed[value.0 as usize]).collect()
    }
}
