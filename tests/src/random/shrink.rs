//! From a declaration that fails to the smallest one that still does.

use super::ast::{After, Cond, Declaration, Expr, Firing, ParamKind, Part, Reset, Rewrite, V_RESET, Value};
use super::usage::Name;

/// How large a declaration is: what shrinking makes smaller.
pub fn size(declaration: &Declaration) -> usize {
    let mut size = 0;
    for (_, part) in declaration.parts() {
        part.walk(&mut |part| {
            size += match part {
                Part::Expr(Expr::Number(value)) if [0.0, 1.0].contains(value) => 1,
                Part::Expr(Expr::Number(value)) if [0.5, 2.0].contains(value) => 2,
                Part::Expr(Expr::Let(_)) | Part::Cond(Cond::Let(_)) => 4,
                Part::Expr(Expr::Power(_, n)) => 5 + n.unsigned_abs() as usize + usize::from(*n < 0),
                part if part.operands().is_empty() => 3,
                _ => 5,
            };
        });
    }
    for param in declaration.params.iter().filter(|param| param.is_declared) {
        size += 8 + param.kind as usize + 2 * param.conditions.len();
    }
    let flags: usize = declaration.flags.iter().map(|flag| 8 + usize::from(flag.default)).sum();
    let items = declaration.inputs.len() + declaration.states.len() + declaration.lets.len();
    let firing = match &declaration.firing {
        Some(Firing::Threshold(threshold)) => 8 * usize::from(threshold.is_some()),
        Some(Firing::Spike(_)) => 16,
        None => 8,
    };
    let after = match &declaration.after {
        After::Resets(resets) => resets.iter().map(|&reset| 3 + usize::from(reset == Reset::Soft)).sum(),
        After::Update(_) => 8,
        After::Charged => 0,
    };
    let more = usize::from(declaration.output.is_some()) + usize::from(declaration.initial_v.is_some());
    let implicit = usize::from(declaration.inputs != ["x"]);
    size + flags + 8 * (items + more) + firing + after + implicit + usize::from(declaration.order.is_some())
}

/// The smallest declaration that is reached from `declaration` by steps after each of which `fail` says of it that it
/// still fails. `fail` is asked of at most `batch` at once.
pub fn shrink(
    declaration: &Declaration,
    batch: usize,
    mut fail: impl FnMut(&[Declaration]) -> Vec<bool>,
) -> Declaration {
    let mut smallest = declaration.clone();
    'smaller: loop {
        for candidates in candidates(&smallest).chunks(batch) {
            let place = fail(candidates).into_iter().position(|fails| fails);
            if let Some(place) = place {
                smallest = candidates[place].clone();
                continue 'smaller;
            }
        }
        return smallest;
    }
}

/// Smaller declarations that the language allows, the smallest first.
pub fn candidates(declaration: &Declaration) -> Vec<Declaration> {
    let mut all = structural(declaration);
    all.extend(without_names(declaration));
    all.extend(simpler_expressions(declaration));
    let limit = size(declaration);
    let mut sized: Vec<(usize, Declaration)> = Vec::new();
    for mut candidate in all {
        candidate.tidy();
        let size = size(&candidate);
        if size < limit && candidate.check().is_ok() && sized.iter().all(|(_, other)| *other != candidate) {
            sized.push((size, candidate));
        }
    }
    sized.sort_by_key(|(size, _)| *size);
    sized.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Fewer resets, ranges, thresholds and the like.
fn structural(declaration: &Declaration) -> Vec<Declaration> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut Declaration)| {
        let mut new = declaration.clone();
        change(&mut new);
        all.push(new);
    };
    with(&|new| new.order = None);
    if let [_] = declaration.inputs.as_slice() {
        with(&|new| new.inputs = vec!["x".to_owned()]);
    }
    with(&|new| new.initial_v = None);
    with(&|new| new.after = After::Resets(vec![Reset::Hard]));
    with(&|new| {
        (new.firing, new.output) = (Some(Firing::Threshold(None)), None);
        if new.after == After::Charged {
            new.after = After::Resets(vec![Reset::Hard]);
        }
    });
    if declaration.output.is_some() {
        with(&|new| new.output = None);
        with(&|new| {
            new.firing = None;
            if let After::Resets(_) = new.after {
                new.after = After::Charged;
            }
        });
        with(&|new| (new.firing, new.after) = (None, After::Charged));
    }
    if let After::Resets(resets) = &declaration.after {
        for &reset in resets {
            with(&|new| new.after = After::Resets(vec![reset]));
        }
    }
    for (i, param) in declaration.params.iter().enumerate().filter(|(_, param)| param.is_declared) {
        if i <= V_RESET {
            with(&|new| {
                let default = Expr::Number(if i == V_RESET { 0.0 } else { 1.0 });
                let param = &mut new.params[i];
                (param.is_declared, param.kind, param.default) = (false, ParamKind::Scalar, default);
                param.conditions.clear();
            });
        }
        for kind in [ParamKind::Scalar, ParamKind::Array] {
            with(&|new| new.params[i].kind = kind);
        }
        for gone in 0..param.conditions.len() {
            with(&|new| drop(new.params[i].conditions.remove(gone)));
        }
    }
    for i in 0..declaration.flags.len() {
        with(&|new| new.flags[i].default = false);
    }
    all
}

/// With something declared replaced by what it stands for, or by a number.
fn without_names(declaration: &Declaration) -> Vec<Declaration> {
    let mut all = Vec::new();
    let mut with = |name: Name, by: Option<Expr>, cond: Option<Cond>| {
        all.push(declaration.rewrite(&mut Everywhere { name, by, cond }));
    };
    for i in V_RESET + 1..declaration.params.len() {
        with(Name::Param(i), Some(Expr::Number(1.0)), None);
    }
    for i in 0..declaration.inputs.len() {
        with(Name::Input(i), Some(Expr::Number(1.0)), None);
        if i > 0 {
            with(Name::Input(i), Some(Expr::Input(0)), None);
        }
    }
    for i in 0..declaration.states.len() {
        for by in [Expr::Number(0.0), Expr::Number(1.0), Expr::State(0), Expr::Input(0)] {
            with(Name::State(i + 1), Some(by), None);
        }
    }
    for (i, named) in declaration.lets.iter().enumerate() {
        match &named.value {
            Value::Number(value) => {
                with(Name::Let(i), Some(value.clone()), None);
                with(Name::Let(i), Some(Expr::Number(1.0)), None);
            }
            Value::Condition(value) => with(Name::Let(i), None, Some(value.clone())),
        }
    }
    all
}

/// With one part of an expression replaced by something simpler.
fn simpler_expressions(declaration: &Declaration) -> Vec<Declaration> {
    let mut all = Vec::new();
    let mut index = 0;
    for (_, part) in declaration.parts() {
        part.walk(&mut |part| {
            let at = |by: Option<Expr>, cond: Option<Cond>| {
                declaration.rewrite(&mut Once { index, passed: 0, by, cond })
            };
            match part {
                Part::Expr(expr) => {
                    for operand in part.operands() {
                        match operand {
                            Part::Expr(operand) => all.push(at(Some(operand.clone()), None)),
                            // Those of a comparison in a condition.
                            Part::Cond(cond) => {
                                for operand in Part::Cond(cond).operands() {
                                    if let Part::Expr(operand) = operand {
                                        all.push(at(Some(operand.clone()), None));
                                    }
                                }
                            }
                        }
                    }
                    for value in [0.0, 1.0, 0.5, 2.0] {
                        all.push(at(Some(Expr::Number(value)), None));
                    }
                    if !part.operands().is_empty() {
                        all.push(at(Some(Expr::State(0)), None));
                        all.push(at(Some(Expr::Input(0)), None));
                    }
                    if let Expr::Power(base, n) = expr
                        && *n != 2
                    {
                        all.push(at(Some(Expr::Power(base.clone(), n.signum() * 2)), None));
                        all.push(at(Some(Expr::Power(base.clone(), n.signum())), None));
                    }
                    if let Expr::Clamp(parts) = expr {
                        let [a, low, high] = &**parts;
                        all.push(at(Some(Expr::Max(Box::new(low.clone()), Box::new(a.clone()))), None));
                        all.push(at(Some(Expr::Min(Box::new(high.clone()), Box::new(a.clone()))), None));
                    }
                }
                Part::Cond(cond) => {
                    for operand in part.operands() {
                        if let Part::Cond(operand) = operand {
                            all.push(at(None, Some(operand.clone())));
                        }
                    }
                    if *cond != Cond::Spike {
                        all.push(at(None, Some(Cond::Spike)));
                    }
                }
            }
            index += 1;
        });
    }
    all
}

/// Replaces every use of a name.
struct Everywhere {
    name: Name,
    by: Option<Expr>,
    cond: Option<Cond>,
}

impl Rewrite for Everywhere {
    fn expr(&mut self, expr: &Expr) -> Option<Expr> {
        if Name::of(Part::Expr(expr)) == Some(self.name) { self.by.clone() } else { None }
    }

    fn cond(&mut self, cond: &Cond) -> Option<Cond> {
        if Name::of(Part::Cond(cond)) == Some(self.name) { self.cond.clone() } else { None }
    }
}

/// Replaces the part of that index, in the order of [`Part::walk`].
struct Once {
    index: usize,
    passed: usize,
    by: Option<Expr>,
    cond: Option<Cond>,
}

impl Once {
    fn is_there(&mut self) -> bool {
        self.passed += 1;
        self.passed == self.index + 1
    }
}

impl Rewrite for Once {
    fn expr(&mut self, _: &Expr) -> Option<Expr> {
        if self.is_there() { self.by.take() } else { None }
    }

    fn cond(&mut self, _: &Cond) -> Option<Cond> {
        if self.is_there() { self.cond.take() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::generate::declaration;

    #[test]
    fn candidates_are_smaller_and_allowed() {
        for seed in 0..20 {
            let declaration = declaration(seed);
            for candidate in candidates(&declaration) {
                assert!(size(&candidate) < size(&declaration), "{candidate}");
                assert_eq!(candidate.check(), Ok(()), "{candidate}");
                // What is checked here is what the language checks.
                let tokens = candidate.to_string().parse().unwrap();
                let analysis = neuron_codegen::check::analyse(tokens);
                assert!(analysis.report.is_empty(), "{candidate}\n{:?}", analysis.report);
            }
        }
    }

    #[test]
    fn what_fails_is_found() {
        let has_tanh = |declaration: &Declaration| declaration.to_string().contains("tanh(");
        // Without states, of which the last cannot go as long as it holds the only use of an input.
        let is_large = |it: &Declaration| it.nodes() > 60 && it.states.is_empty() && has_tanh(it);
        let large = (0..).map(declaration).find(is_large).unwrap();
        let small = shrink(&large, 7, |all| all.iter().map(has_tanh).collect());
        assert!(has_tanh(&small) && small.nodes() <= 4, "{small}");
        assert!(!candidates(&small).iter().any(has_tanh), "{small}");
    }
}
