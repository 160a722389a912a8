//! A declaration as data: well-typed by construction, since numbers and conditions are different types and
//! names are indices into what declares them.

mod expression;

use serde::{Deserialize, Serialize};

pub use expression::{Binary, Compare, Cond, Expr, Function, Part, Rewrite};

/// Index of `v_threshold` among the parameters.
pub const V_THRESHOLD: usize = 0;
/// Index of `v_reset` among the parameters.
pub const V_RESET: usize = 1;

/// What values a parameter has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParamKind {
    /// `param`
    Scalar,
    /// `array`
    Array,
    /// `learnable`
    Learnable,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Whether there is an item for it. Only `v_threshold` and `v_reset` exist without one.
    pub is_declared: bool,
    /// Which item that is.
    pub kind: ParamKind,
    /// Its name.
    pub name: String,
    /// Numbers and parameters of lower index, the built-in ones excepted.
    pub default: Expr,
    /// Over parameters and flags.
    pub conditions: Vec<Cond>,
}

/// A flag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flag {
    /// Its name.
    pub name: String,
    /// Its default.
    pub default: bool,
}

/// A state besides `v`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Its name.
    pub name: String,
    /// Over parameters and flags.
    pub initial: Expr,
    /// Over everything.
    pub update: Expr,
}

/// A named expression. It uses only those of lower index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Let {
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub value: Value,
}

/// What a `let` stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A number.
    Number(Expr),
    /// A condition.
    Condition(Cond),
}

/// A mode that `reset` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reset {
    /// `hard`
    Hard,
    /// `soft`
    Soft,
    /// `none`
    None,
}

/// When a neuron fires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Firing {
    /// Where `h` reaches `threshold`, or `v_threshold` if there is none.
    Threshold(Option<Expr>),
    /// `spike = ..`, where a step function is written as its comparison.
    Spike(Expr),
}

impl Firing {
    /// What is written of it.
    pub fn expr(&self) -> Option<&Expr> {
        match self {
            Self::Threshold(threshold) => threshold.as_ref(),
            Self::Spike(spike) => Some(spike),
        }
    }

    fn expr_mut(&mut self) -> Option<&mut Expr> {
        match self {
            Self::Threshold(threshold) => threshold.as_mut(),
            Self::Spike(spike) => Some(spike),
        }
    }
}

/// What becomes of `v`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum After {
    /// `reset ..`, at least one mode. Only of a neuron that fires.
    Resets(Vec<Reset>),
    /// `update v = ..`
    Update(Expr),
    /// It is `h`. Only of a neuron that does not fire.
    Charged,
}

/// A neuron.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declaration {
    /// Name of the struct.
    pub name: String,
    /// `v_threshold`, `v_reset`, and others.
    pub params: Vec<Param>,
    /// Flags.
    pub flags: Vec<Flag>,
    /// Names of the inputs, at least one.
    pub inputs: Vec<String>,
    /// `state v = ..`, over parameters and flags.
    pub initial_v: Option<Expr>,
    /// States besides `v`.
    pub states: Vec<State>,
    /// Named expressions.
    pub lets: Vec<Let>,
    /// The charged potential.
    pub charge: Expr,
    /// When it fires, if it does.
    pub firing: Option<Firing>,
    /// What leaves it in place of spikes. There is one if it does not fire, and none if it has a threshold.
    pub output: Option<Expr>,
    /// What becomes of `v`.
    pub after: After,
    /// If given, items are written in an order drawn with it.
    pub order: Option<u64>,
}

impl Declaration {
    /// Whether it fires.
    pub fn fires(&self) -> bool {
        self.firing.is_some()
    }

    /// How many ways it has to reset, among them none and its own.
    pub fn resets(&self) -> usize {
        match &self.after {
            After::Resets(resets) => resets.len(),
            After::Update(_) | After::Charged => 1,
        }
    }

    /// Every expression and condition, each with what it belongs to.
    pub fn parts(&self) -> Vec<(Owner, Part<'_>)> {
        let mut parts = Vec::new();
        for (i, param) in self.params.iter().enumerate().filter(|(_, param)| param.is_declared) {
            parts.push((Owner::Param(i), Part::Expr(&param.default)));
            parts.extend(param.conditions.iter().map(|cond| (Owner::Param(i), Part::Cond(cond))));
        }
        parts.extend(self.initial_v.iter().map(|initial| (Owner::Step, Part::Expr(initial))));
        for state in &self.states {
            parts.push((Owner::Step, Part::Expr(&state.initial)));
            parts.push((Owner::Step, Part::Expr(&state.update)));
        }
        for (i, named) in self.lets.iter().enumerate() {
            parts.push((
                Owner::Let(i),
                match &named.value {
                    Value::Number(value) => Part::Expr(value),
                    Value::Condition(value) => Part::Cond(value),
                },
            ));
        }
        parts.push((Owner::Step, Part::Expr(&self.charge)));
        let update = match &self.after {
            After::Update(update) => Some(update),
            After::Resets(_) | After::Charged => None,
        };
        let more = [self.firing.as_ref().and_then(Firing::expr), self.output.as_ref(), update];
        parts.extend(more.into_iter().flatten().map(|expr| (Owner::Step, Part::Expr(expr))));
        parts
    }

    /// With parts replaced everywhere, outermost first.
    pub fn rewrite(&self, by: &mut impl Rewrite) -> Self {
        let mut new = self.clone();
        for param in new.params.iter_mut().filter(|param| param.is_declared) {
            param.default = param.default.rewrite(by);
            param.conditions.iter_mut().for_each(|cond| *cond = cond.rewrite(by));
        }
        new.initial_v = new.initial_v.map(|initial| initial.rewrite(by));
        for state in &mut new.states {
            state.initial = state.initial.rewrite(by);
            state.update = state.update.rewrite(by);
        }
        for named in &mut new.lets {
            match &mut named.value {
                Value::Number(value) => *value = value.rewrite(by),
                Value::Condition(value) => *value = value.rewrite(by),
            }
        }
        new.charge = new.charge.rewrite(by);
        let update = match &mut new.after {
            After::Update(update) => Some(update),
            After::Resets(_) | After::Charged => None,
        };
        let more = [new.firing.as_mut().and_then(Firing::expr_mut), new.output.as_mut(), update];
        more.into_iter().flatten().for_each(|expr| *expr = expr.rewrite(by));
        new
    }

    /// Calls `visit` with every expression and condition, and everything in them.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(Part<'a>)) {
        self.parts().into_iter().for_each(|(_, part)| part.walk(visit));
    }

    /// Nodes of its expressions.
    pub fn nodes(&self) -> usize {
        let mut count = 0;
        self.walk(&mut |_| count += 1);
        count
    }

    /// Whether something in it is detached.
    pub fn detaches(&self) -> bool {
        let mut found = false;
        self.walk(&mut |part| found |= matches!(part, Part::Expr(Expr::Detach(_))));
        found
    }

    /// Every name that was given, in a fixed order, the struct's first.
    pub fn names_mut(&mut self) -> Vec<&mut String> {
        let mut names = vec![&mut self.name];
        names.extend(self.params.iter_mut().skip(2).map(|param| &mut param.name));
        names.extend(self.flags.iter_mut().map(|flag| &mut flag.name));
        names.extend(&mut self.inputs);
        names.extend(self.states.iter_mut().map(|state| &mut state.name));
        names.extend(self.lets.iter_mut().map(|named| &mut named.name));
        names
    }
}

/// What an expression belongs to, as far as uses of names are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The parameter of that index.
    Param(usize),
    /// The `let` of that index.
    Let(usize),
    /// A step's equations and initial values.
    Step,
}
