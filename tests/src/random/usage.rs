//! What the language demands of a declaration besides types: names are used, each only where it has a value, and
//! defaults are in range.

mod counts;

use super::ast::{
    After, Cond, Declaration, Expr, Firing, Owner, Param, ParamKind, Part, Reset, Rewrite, V_RESET,
    V_THRESHOLD, Value,
};
use super::evaluate::{Mode, Neuron};
use super::number::Surrogate;

/// From when on in a step an expression has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Parameters and flags.
    Constant,
    /// Inputs and old states too.
    Early,
    /// `h` too.
    Charged,
    /// `spike` too.
    Spiked,
}

impl Declaration {
    /// From when on `part` has a value.
    pub fn level(&self, part: Part<'_>) -> Level {
        let lets = self.let_levels();
        level_with(&lets, part)
    }

    /// From when on each `let` has a value.
    pub fn let_levels(&self) -> Vec<Level> {
        let mut levels = Vec::new();
        for named in &self.lets {
            levels.push(level_with(&levels, part_of(&named.value)));
        }
        levels
    }

    /// Removes what is not used, again and again, and makes learnable parameters that could not learn arrays.
    pub fn tidy(&mut self) {
        while self.remove_unused() {}
        let sloped = self.sloped();
        for (i, param) in self.params.iter_mut().enumerate() {
            if param.kind == ParamKind::Learnable && !sloped.contains(&i) {
                param.kind = ParamKind::Array;
            }
        }
    }

    /// Whether something was removed.
    fn remove_unused(&mut self) -> bool {
        let is_used = |name: Name| {
            self.parts().into_iter().any(|(owner, part)| {
                let own = match owner {
                    Owner::Param(i) => Some(Name::Param(i)),
                    Owner::Let(i) => Some(Name::Let(i)),
                    Owner::Step => None,
                };
                let mut found = false;
                part.walk(&mut |part| found |= own != Some(name) && Name::of(part) == Some(name));
                found
            })
        };
        let unused = |count: usize, name: fn(usize) -> Name| (0..count).rev().find(|&i| !is_used(name(i)));
        let param = unused(self.params.len(), Name::Param).filter(|&i| i > V_RESET);
        let unused = param
            .map(Name::Param)
            .or_else(|| unused(self.lets.len(), Name::Let).map(Name::Let))
            .or_else(|| unused(self.flags.len(), Name::Flag).map(Name::Flag))
            .or_else(|| unused(self.states.len(), |i| Name::State(i + 1)).map(|i| Name::State(i + 1)))
            .or_else(|| {
                let input = unused(self.inputs.len(), Name::Input);
                input.filter(|_| self.inputs.len() > 1).map(Name::Input)
            });
        unused.inspect(|&name| self.remove(name)).is_some()
    }

    /// Removes a declared name that nothing uses.
    pub fn remove(&mut self, name: Name) {
        match name {
            Name::Param(i) => drop(self.params.remove(i)),
            Name::Flag(i) => drop(self.flags.remove(i)),
            Name::Input(i) => drop(self.inputs.remove(i)),
            Name::State(i) => drop(self.states.remove(i - 1)),
            Name::Let(i) => drop(self.lets.remove(i)),
        }
        *self = self.rewrite(&mut Shift(name));
    }

    /// The parameters that the equations change with, other than through comparisons.
    fn sloped(&self) -> Vec<usize> {
        let mut open: Vec<&Expr> = vec![&self.charge];
        for state in &self.states {
            open.extend([&state.initial, &state.update]);
        }
        open.extend(&self.initial_v);
        open.extend(self.firing.as_ref().and_then(Firing::expr));
        open.extend(&self.output);
        let mut found = Vec::new();
        match &self.after {
            After::Resets(resets) => {
                found.extend(resets.contains(&Reset::Hard).then_some(V_RESET));
                found.extend(resets.contains(&Reset::Soft).then_some(V_THRESHOLD));
            }
            After::Update(update) => open.push(update),
            After::Charged => {}
        }
        if self.initial_v.is_none() {
            found.push(V_RESET);
        }
        if self.firing == Some(Firing::Threshold(None)) {
            found.push(V_THRESHOLD);
        }
        while let Some(expr) = open.pop() {
            match expr {
                Expr::Param(i) => found.push(*i),
                Expr::Let(i) => {
                    if let Value::Number(value) = &self.lets[*i].value {
                        open.push(value);
                    }
                }
                Expr::StraightThrough(_, smooth) => open.push(smooth),
                Expr::Detach(_) => {}
                _ => open.extend(Part::Expr(expr).operands().into_iter().filter_map(|part| match part {
                    Part::Expr(expr) => Some(expr),
                    Part::Cond(_) => None,
                })),
            }
        }
        found
    }

    /// The values of the parameters' defaults.
    ///
    /// # Errors
    /// One is not finite, or uses what it may not.
    pub fn defaults(&self) -> Result<Vec<f64>, String> {
        let mut values: Vec<f64> = Vec::new();
        for (i, param) in self.params.iter().enumerate() {
            let mut is_constant = true;
            Part::Expr(&param.default).walk(&mut |part| {
                is_constant &= match Name::of(part) {
                    Some(Name::Param(used)) => used > V_RESET && used < i,
                    Some(_) => false,
                    None => !matches!(part, Part::Expr(Expr::Charged | Expr::Spike | Expr::Heaviside(..))),
                };
            });
            if !is_constant {
                return Err(format!("the default of `{}` is not constant", param.name));
            }
            let neuron = Neuron { declaration: self, params: &values, flags: &[], mode: PLAIN };
            let value = neuron.constant(&param.default);
            values.push(value.map_err(|_| format!("the default of `{}` is not finite", param.name))?);
        }
        Ok(values)
    }

    /// Why the language refuses this, as far as types allow it.
    ///
    /// # Errors
    /// A reason.
    pub fn check(&self) -> Result<(), String> {
        let lets = self.let_levels();
        let at_most = |part: Part<'_>, most: Level, place: &str| {
            if level_with(&lets, part) > most {
                return Err(format!("{place} has no value yet"));
            }
            Ok(())
        };
        let late = if self.fires() { Level::Spiked } else { Level::Charged };
        at_most(Part::Expr(&self.charge), Level::Early, "charge")?;
        for initial in self.initial_v.iter().chain(self.states.iter().map(|state| &state.initial)) {
            only_params(Part::Expr(initial))?;
        }
        self.states.iter().try_for_each(|state| at_most(Part::Expr(&state.update), late, "update"))?;
        let (most, place) = match &self.firing {
            Some(Firing::Spike(_)) => (Level::Charged, "spike"),
            Some(Firing::Threshold(_)) | None => (Level::Early, "threshold"),
        };
        let firing = self.firing.as_ref().and_then(Firing::expr);
        firing.map_or(Ok(()), |expr| at_most(Part::Expr(expr), most, place))?;
        self.output.as_ref().map_or(Ok(()), |expr| at_most(Part::Expr(expr), late, "output"))?;
        match (&self.firing, &self.output) {
            (None, None) => return Err("nothing leaves the neuron".to_owned()),
            (Some(Firing::Threshold(_)), Some(_)) => return Err("an output and a threshold".to_owned()),
            _ => {}
        }
        match &self.after {
            After::Resets(resets) if resets.is_empty() || !self.fires() => {
                return Err("no reset".to_owned());
            }
            After::Charged if self.fires() => return Err("no reset".to_owned()),
            After::Update(update) => at_most(Part::Expr(update), late, "update")?,
            After::Resets(_) | After::Charged => {}
        }
        self.check_count()?;
        lets.iter().try_for_each(|&level| if level > late { Err("no spike".to_owned()) } else { Ok(()) })?;
        if self.lets.iter().any(|named| named.value == Value::Condition(Cond::Spike)) {
            return Err("a mere `spike` is a number".to_owned());
        }
        let mut clone = self.clone();
        clone.tidy();
        if clone != *self {
            return Err("something is not used".to_owned());
        }
        let mut uses_input = false;
        self.walk(&mut |part| uses_input |= matches!(part, Part::Expr(Expr::Input(_))));
        if !uses_input {
            return Err("no input is used".to_owned());
        }
        let values = self.defaults()?;
        let flags: Vec<bool> = self.flags.iter().map(|flag| flag.default).collect();
        let neuron = Neuron { declaration: self, params: &values, flags: &flags, mode: PLAIN };
        for Param { conditions, name, .. } in &self.params {
            for condition in conditions {
                only_params(Part::Cond(condition))?;
                if neuron.holds(condition) != Ok(true) {
                    return Err(format!("the default of `{name}` is out of range"));
                }
            }
        }
        Ok(())
    }
}

/// To evaluate what does not depend on it.
pub const PLAIN: Mode =
    Mode { reset: Reset::Hard, surrogate: Surrogate::Atan(2.0), detach_reset: false, is_relaxed: false };

fn only_params(part: Part<'_>) -> Result<(), String> {
    let mut only = true;
    part.walk(&mut |part| {
        let has_more = match part {
            Part::Expr(expr) => {
                let late = matches!(expr, Expr::Let(_) | Expr::Charged | Expr::Spike | Expr::Heaviside(..));
                late || matches!(expr, Expr::Input(_) | Expr::State(_))
            }
            Part::Cond(cond) => matches!(cond, Cond::Spike | Cond::Let(_)),
        };
        only &= !has_more;
    });
    if only { Ok(()) } else { Err("more than parameters where only these have values".to_owned()) }
}

fn part_of(value: &Value) -> Part<'_> {
    match value {
        Value::Number(value) => Part::Expr(value),
        Value::Condition(value) => Part::Cond(value),
    }
}

fn level_with(lets: &[Level], part: Part<'_>) -> Level {
    let mut level = Level::Constant;
    part.walk(&mut |part| {
        level = level.max(match part {
            Part::Expr(Expr::Input(_) | Expr::State(_)) => Level::Early,
            Part::Expr(Expr::Charged) => Level::Charged,
            Part::Expr(Expr::Spike) | Part::Cond(Cond::Spike) => Level::Spiked,
            Part::Expr(Expr::Let(i)) | Part::Cond(Cond::Let(i)) => lets[*i],
            _ => Level::Constant,
        });
    });
    level
}

/// Something declared, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// Index among the parameters.
    Param(usize),
    /// Index among the flags.
    Flag(usize),
    /// Index among the inputs.
    Input(usize),
    /// Index among the states, of which 0 is `v`.
    State(usize),
    /// Index among the `let`s.
    Let(usize),
}

impl Name {
    /// What `part` mentions.
    pub fn of(part: Part<'_>) -> Option<Self> {
        Some(match part {
            Part::Expr(Expr::Param(i)) => Self::Param(*i),
            Part::Expr(Expr::Input(i)) => Self::Input(*i),
            Part::Expr(Expr::State(i)) => Self::State(*i),
            Part::Expr(Expr::Let(i)) | Part::Cond(Cond::Let(i)) => Self::Let(*i),
            Part::Cond(Cond::Flag(i)) => Self::Flag(*i),
            _ => return None,
        })
    }
}

/// Closes the gap that a removed name leaves.
struct Shift(Name);

impl Rewrite for Shift {
    fn expr(&mut self, expr: &Expr) -> Option<Expr> {
        Some(match (self.0, expr) {
            (Name::Param(gone), Expr::Param(i)) if *i > gone => Expr::Param(i - 1),
            (Name::Input(gone), Expr::Input(i)) if *i > gone => Expr::Input(i - 1),
            (Name::State(gone), Expr::State(i)) if *i > gone => Expr::State(i - 1),
            (Name::Let(gone), Expr::Let(i)) if *i > gone => Expr::Let(i - 1),
            _ => return None,
        })
    }

    fn cond(&mut self, cond: &Cond) -> Option<Cond> {
        Some(match (self.0, cond) {
            (Name::Flag(gone), Cond::Flag(i)) if *i > gone => Cond::Flag(i - 1),
            (Name::Let(gone), Cond::Let(i)) if *i > gone => Cond::Let(i - 1),
            _ => return None,
        })
    }
}
