//! What a declaration computes, straight from its expressions.
//!
//! Two models. In the *spiking* one a step function is 0 or 1, and its slope is the surrogate's; what a condition with
//! `spike` chooses changes with it by the difference of the two choices. In the *relaxed* one a step function is the
//! surrogate's primitive, what `spike` chooses the mixture of both choices, `round(a)`, `floor(a)` and `trunc(a)` are
//! `a`, and `straight_through(a, b)` is `b`: it is smooth, and its derivative is what the surrogate gradient is for the
//! spiking one. What parameters alone determine is the same in both. In both, comparisons of numbers have no slope, and
//! numbers in them are those of the model.

use std::cmp::Ordering;

use super::ast::{
    After, Compare, Cond, Declaration, Expr, Firing, ParamKind, Part, Reset, V_RESET, V_THRESHOLD, Value,
};
use super::number::{Number, Surrogate};

/// Nothing can be said: rounding may decide a comparison, or some number is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

/// What is computed, unless it cannot be told.
pub type Known<T> = Result<T, Unknown>;

/// How to evaluate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode {
    /// Which reset, of those declared; any if the declaration says what `v` becomes.
    pub reset: Reset,
    /// How spikes are differentiated.
    pub surrogate: Surrogate,
    /// Whether the spike is a constant in what `v` becomes.
    pub detach_reset: bool,
    /// The relaxed model.
    pub is_relaxed: bool,
}

/// A declaration with the values of its parameters and flags.
#[derive(Clone, Copy, Debug)]
pub struct Neuron<'a, N> {
    /// What was declared.
    pub declaration: &'a Declaration,
    /// Values of all parameters.
    pub params: &'a [N],
    /// Values of all flags.
    pub flags: &'a [bool],
    /// How to evaluate.
    pub mode: Mode,
}

/// What leaves the neuron, `h`, and all states after the step.
#[derive(Clone, Debug)]
pub struct Stepped<N> {
    /// Spike or output.
    pub output: N,
    /// `v` and the others.
    pub states: Vec<N>,
}

impl<N: Number> Neuron<'_, N> {
    /// The states before the first step.
    pub fn initial(&self) -> Known<Vec<N>> {
        let mut step = self.step_of(&[], &[]);
        let mut states = vec![match &self.declaration.initial_v {
            Some(initial) => finite(step.expr(initial)?)?,
            None => self.params[V_RESET],
        }];
        for state in &self.declaration.states {
            states.push(finite(step.expr(&state.initial)?)?);
        }
        Ok(states)
    }

    /// A number made of parameters.
    pub fn constant(&self, expr: &Expr) -> Known<N> {
        finite(self.step_of(&[], &[]).expr(expr)?)
    }

    /// A condition over parameters.
    pub fn holds(&self, cond: &Cond) -> Known<bool> {
        self.step_of(&[], &[]).cond(cond, None)
    }

    fn step_of<'s>(&'s self, inputs: &'s [N], states: &'s [N]) -> Step<'s, N> {
        let lets = vec![None; self.declaration.lets.len()];
        Step { neuron: self, inputs, states, charged: None, spike: None, lets }
    }

    /// One step.
    pub fn step(&self, inputs: &[N], states: &[N]) -> Known<Stepped<N>> {
        let declaration = self.declaration;
        let mut step = self.step_of(inputs, states);
        let h = finite(step.expr(&declaration.charge)?)?;
        // The threshold is known before `h` is.
        let spike = match &declaration.firing {
            Some(Firing::Threshold(threshold)) => {
                let threshold = match threshold {
                    Some(threshold) => step.expr(threshold)?,
                    None => self.params[V_THRESHOLD],
                };
                Some(step.heaviside(Compare::GreaterEqual, h, threshold, true)?)
            }
            Some(Firing::Spike(spike)) => {
                step.charged = Some(h);
                Some(finite(step.expr(spike)?)?)
            }
            None => None,
        };
        step.charged = Some(h);
        step.spike = spike.map(|spike| (spike, spike.value() != 0.0));
        let output = match (&declaration.output, spike) {
            (Some(output), _) => finite(step.expr(output)?)?,
            (None, spike) => spike.ok_or(Unknown)?,
        };
        let mut next = vec![h];
        for state in &declaration.states {
            next.push(finite(step.expr(&state.update)?)?);
        }
        if self.mode.detach_reset {
            // Values with the spike in them are computed anew, without its slope.
            step.lets.iter_mut().for_each(|value| *value = None);
            step.spike = step.spike.map(|(spike, fired)| (spike.detached(), fired));
        }
        next[0] = finite(self.potential(&mut step, h)?)?;
        Ok(Stepped { output, states: next })
    }

    /// What `v` becomes.
    fn potential(&self, step: &mut Step<'_, N>, h: N) -> Known<N> {
        match &self.declaration.after {
            After::Update(update) => step.expr(update),
            After::Charged => Ok(h),
            After::Resets(_) => match self.mode.reset {
                Reset::None => Ok(h),
                Reset::Soft => {
                    let (spike, _) = step.spike.ok_or(Unknown)?;
                    Ok(h.sub(spike.mul(self.params[V_THRESHOLD])))
                }
                Reset::Hard => step.choose(&Cond::Spike, |_| Ok(self.params[V_RESET]), |_| Ok(h)),
            },
        }
    }
}

fn finite<N: Number>(value: N) -> Known<N> {
    if value.is_finite() { Ok(value) } else { Err(Unknown) }
}

/// What is known in the middle of a step.
struct Step<'a, N> {
    neuron: &'a Neuron<'a, N>,
    inputs: &'a [N],
    states: &'a [N],
    charged: Option<N>,
    /// As a number and as a condition.
    spike: Option<(N, bool)>,
    /// Those that have been computed.
    lets: Vec<Option<N>>,
}

impl<N: Number> Step<'_, N> {
    fn expr(&mut self, expr: &Expr) -> Known<N> {
        Ok(match expr {
            Expr::Number(value) => N::constant(*value),
            Expr::Param(i) => self.neuron.params[*i],
            Expr::Input(i) => self.inputs[*i],
            Expr::State(i) => self.states[*i],
            Expr::Let(i) => {
                if let Some(value) = self.lets[*i] {
                    return Ok(value);
                }
                let declaration = self.neuron.declaration;
                let Value::Number(value) = &declaration.lets[*i].value else { return Err(Unknown) };
                let value = self.expr(value)?;
                self.lets[*i] = Some(value);
                value
            }
            Expr::Charged => self.charged.ok_or(Unknown)?,
            Expr::Spike => self.spike.ok_or(Unknown)?.0,
            Expr::Neg(a) => self.expr(a)?.neg(),
            Expr::Binary(op, a, b) => self.expr(a)?.binary(*op, self.expr(b)?),
            Expr::Power(a, n) => self.expr(a)?.power(*n),
            Expr::Call(function, a)
                if function.is_rounding() && self.neuron.mode.is_relaxed && self.varies(a) =>
            {
                self.expr(a)?
            }
            Expr::Call(function, a) => self.expr(a)?.call(*function),
            Expr::Min(a, b) => lesser(self.expr(a)?, self.expr(b)?)?,
            Expr::Max(a, b) => greater(self.expr(a)?, self.expr(b)?)?,
            Expr::Clamp(parts) => {
                let [a, low, high] = &**parts;
                let (a, low, high) = (self.expr(a)?, self.expr(low)?, self.expr(high)?);
                lesser(high, greater(low, a)?)?
            }
            Expr::If(cond, a, b) => self.choose(cond, |step| step.expr(a), |step| step.expr(b))?,
            Expr::Heaviside(op, a, b) => {
                let varies = self.varies(expr);
                let (a, b) = (self.expr(a)?, self.expr(b)?);
                self.heaviside(*op, a, b, varies)?
            }
            Expr::StraightThrough(a, b) => match (self.neuron.mode.is_relaxed, N::HAS_SLOPE) {
                (true, _) if self.varies(expr) => self.expr(b)?,
                (false, true) => self.expr(a)?.straight_through(self.expr(b)?),
                _ => self.expr(a)?,
            },
            Expr::Detach(a) => self.expr(a)?.detached(),
        })
    }

    /// The step function of a comparison; `varies` if a gradient may flow through it.
    fn heaviside(&self, op: Compare, a: N, b: N, varies: bool) -> Known<N> {
        let Mode { surrogate, is_relaxed, .. } = self.neuron.mode;
        let (a, b) = (finite(a)?, finite(b)?);
        let u = if matches!(op, Compare::Less | Compare::LessEqual) { b.sub(a) } else { a.sub(b) };
        if is_relaxed && varies {
            return finite(surrogate.primitive(u));
        }
        let holds = op.holds(a.order(b).ok_or(Unknown)?);
        finite(u.spike(f64::from(u8::from(holds)), surrogate))
    }

    /// What `cond` chooses.
    fn choose(
        &mut self,
        cond: &Cond,
        a: impl Fn(&mut Self) -> Known<N>,
        b: impl Fn(&mut Self) -> Known<N>,
    ) -> Known<N> {
        let is_relaxed = self.neuron.mode.is_relaxed;
        let alternative = |step: &mut Self, holds: bool| if holds { a(step) } else { b(step) };
        let depends = (is_relaxed || N::HAS_SLOPE) && self.depends(cond);
        let actual = if depends && is_relaxed { None } else { Some(self.cond(cond, None)?) };
        let cases = match depends {
            true => Some([self.cond(cond, Some(true))?, self.cond(cond, Some(false))?]),
            false => None,
        };
        match (cases, actual) {
            // In the relaxed model even equal choices are mixed, and rounded.
            (Some([with, without]), Some(_)) if with == without => alternative(self, with),
            (Some([with, without]), actual) => {
                let (spike, _) = self.spike.ok_or(Unknown)?;
                let (with, without) = (alternative(self, with)?, alternative(self, without)?);
                match actual {
                    // The relaxed model's mixture.
                    None => {
                        let rest = N::constant(1.0).sub(spike);
                        Ok(spike.mul(with).add(rest.mul(without)))
                    }
                    Some(actual) => {
                        let chosen = alternative(self, actual)?;
                        finite(with)?;
                        finite(without)?;
                        Ok(chosen.chosen(with, without, spike))
                    }
                }
            }
            (None, Some(actual)) => alternative(self, actual),
            (None, None) => Err(Unknown),
        }
    }

    /// Whether a gradient may flow through `expr`: it is over more than parameters that are one number, and flags.
    fn varies(&self, expr: &Expr) -> bool {
        let declaration = self.neuron.declaration;
        let mut seen = vec![false; declaration.lets.len()];
        let mut open = vec![Part::Expr(expr)];
        while let Some(part) = open.pop() {
            match part {
                Part::Expr(Expr::Input(_) | Expr::State(_) | Expr::Charged | Expr::Spike)
                | Part::Cond(Cond::Spike) => return true,
                Part::Expr(Expr::Param(i)) if declaration.params[*i].kind != ParamKind::Scalar => {
                    return true;
                }
                Part::Expr(Expr::Let(i)) | Part::Cond(Cond::Let(i)) => {
                    if !std::mem::replace(&mut seen[*i], true) {
                        open.push(match &declaration.lets[*i].value {
                            Value::Number(value) => Part::Expr(value),
                            Value::Condition(value) => Part::Cond(value),
                        });
                    }
                }
                part => open.extend(part.operands()),
            }
        }
        false
    }

    /// Whether the condition depends on `spike` other than through a comparison of numbers.
    fn depends(&self, cond: &Cond) -> bool {
        match cond {
            Cond::Spike => true,
            Cond::Let(i) => match &self.neuron.declaration.lets[*i].value {
                Value::Condition(value) => self.depends(value),
                Value::Number(_) => false,
            },
            Cond::Flag(_) | Cond::Compare(..) => false,
            Cond::Not(a) => self.depends(a),
            Cond::And(a, b) | Cond::Or(a, b) => self.depends(a) || self.depends(b),
        }
    }

    /// Whether `cond` holds, if `spike` is what is assumed.
    fn cond(&mut self, cond: &Cond, assumed: Option<bool>) -> Known<bool> {
        Ok(match cond {
            Cond::Flag(i) => self.neuron.flags[*i],
            Cond::Let(i) => {
                let declaration = self.neuron.declaration;
                let Value::Condition(value) = &declaration.lets[*i].value else { return Err(Unknown) };
                self.cond(value, assumed)?
            }
            Cond::Spike => match assumed {
                Some(fired) => fired,
                None => self.spike.ok_or(Unknown)?.1,
            },
            Cond::Not(a) => !self.cond(a, assumed)?,
            Cond::And(a, b) => self.cond(a, assumed)? && self.cond(b, assumed)?,
            Cond::Or(a, b) => self.cond(a, assumed)? || self.cond(b, assumed)?,
            Cond::Compare(op, a, b) => op.holds(self.expr(a)?.order(self.expr(b)?).ok_or(Unknown)?),
        })
    }
}

impl Compare {
    /// Whether two numbers of that order compare so.
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order == Ordering::Less,
            Self::LessEqual => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            Self::GreaterEqual => order != Ordering::Less,
            Self::Equal => order == Ordering::Equal,
            Self::NotEqual => order != Ordering::Equal,
        }
    }
}

/// `if a < b { a } else { b }`
fn lesser<N: Number>(a: N, b: N) -> Known<N> {
    Ok(if a.order(b).ok_or(Unknown)? == Ordering::Less { a } else { b })
}

/// `if a > b { a } else { b }`
fn greater<N: Number>(a: N, b: N) -> Known<N> {
    Ok(if a.order(b).ok_or(Unknown)? == Ordering::Greater { a } else { b })
}
