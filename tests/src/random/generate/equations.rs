//! What the equations of a neuron look like, most of them.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::expression::{DEPTH, Source, binary, call, choice, max, min, number, straight_through};
use super::rounded;
use crate::random::ast::{Binary, Compare, Expr, Function, V_RESET, V_THRESHOLD};
use crate::random::usage::Level;

impl Source<'_> {
    /// A rate of decay.
    fn divisor(&mut self) -> Expr {
        if self.params > V_RESET + 1 && self.rng.random_bool(0.3) {
            let param = Expr::Param(self.rng.random_range(V_RESET + 1..self.params));
            return max(param, Expr::Number(1.1));
        }
        Expr::Number(rounded(self.rng.random_range(1.2..5.0)))
    }

    /// What is charged.
    pub fn charge(&mut self) -> Expr {
        let v = Expr::State(0);
        let current = match self.rng.random_range(0..4) {
            0 => Expr::Input(0),
            1 => binary(Binary::Add, Expr::Input(0), self.bounded(DEPTH - 1)),
            2 => binary(Binary::Mul, Expr::Input(0), self.bounded(DEPTH - 1)),
            _ => self.any(DEPTH),
        };
        match self.rng.random_range(0..10) {
            0..3 => {
                let leak = binary(Binary::Sub, v.clone(), Expr::Param(V_RESET));
                let change = binary(Binary::Sub, current, leak);
                binary(Binary::Add, v, binary(Binary::Div, change, self.divisor()))
            }
            3..6 => {
                let decay = Expr::Number(rounded(self.rng.random_range(0.3..0.98)));
                binary(Binary::Add, binary(Binary::Mul, decay, v), current)
            }
            6..8 => binary(Binary::Add, call(Function::Tanh, v), current),
            8 => binary(Binary::Add, v, current),
            _ => self.any(DEPTH + 1),
        }
    }

    /// What `h` is compared with.
    pub fn threshold(&mut self) -> Expr {
        match self.rng.random_range(0..4) {
            0..3 => {
                let rise = binary(Binary::Mul, Expr::Number(0.2), self.bounded(2));
                binary(Binary::Add, Expr::Param(V_THRESHOLD), rise)
            }
            _ => self.any(2),
        }
    }

    /// When a neuron fires, written out.
    pub fn spike(&mut self) -> Expr {
        let above = self.above();
        match self.rng.random_range(0..10) {
            0..4 => above,
            4 => {
                let rest = binary(Binary::Sub, Expr::Number(1.0), self.heaviside(DEPTH - 1));
                binary(Binary::Mul, rest, above)
            }
            5 => min(above, self.heaviside(DEPTH - 1)),
            6 => choice(self.compound(2), above, self.heaviside(1)),
            7 => straight_through(choice(self.compound(1), Expr::Number(1.0), Expr::Number(0.0)), above),
            _ => self.count(),
        }
    }

    /// Whether `h` exceeds a threshold, most of them.
    fn above(&mut self) -> Expr {
        let orders = [Compare::Greater, Compare::Greater, Compare::GreaterEqual];
        let op = *orders.choose(self.rng).expect("some");
        let threshold = self.threshold();
        match self.rng.random_range(0..8) {
            0 => self.heaviside(DEPTH - 1),
            1 => Expr::Heaviside(op, Box::new(Expr::State(0)), Box::new(threshold)),
            2 => Expr::Heaviside(Compare::Less, Box::new(threshold), Box::new(Expr::Charged)),
            3 => Expr::Heaviside(Compare::LessEqual, Box::new(Expr::Charged), Box::new(threshold)),
            _ => Expr::Heaviside(op, Box::new(Expr::Charged), Box::new(threshold)),
        }
    }

    /// A number of spikes.
    fn count(&mut self) -> Expr {
        let unit = Expr::Number(rounded(self.rng.random_range(0.3..1.0)));
        let ratio = binary(Binary::Div, Expr::Charged, unit);
        let most = Expr::Number(f64::from(self.rng.random_range(2..5)));
        let smooth = Expr::Clamp(Box::new([ratio, Expr::Number(0.0), most]));
        match self.rng.random_range(0..4) {
            0 => binary(Binary::Add, self.above(), self.heaviside(1)),
            1 => call(Function::Floor, smooth),
            _ => straight_through(call(Function::Floor, smooth.clone()), smooth),
        }
    }

    /// What leaves a neuron in place of spikes.
    pub fn output(&mut self) -> Expr {
        match self.rng.random_range(0..4) {
            0 => Expr::Charged,
            1 => self.integer(2),
            _ => self.any(DEPTH),
        }
    }

    /// What a state becomes.
    pub fn update(&mut self, state: usize) -> Expr {
        let own = Expr::State(state);
        let change = self.any(DEPTH);
        let is_late = self.level == Level::Spiked;
        match self.rng.random_range(0..10) {
            0..4 => {
                let decay = Expr::Number(rounded(self.rng.random_range(0.1..0.95)));
                binary(Binary::Add, binary(Binary::Mul, decay, own), change)
            }
            4 if is_late => choice(self.fired(), Expr::Number(0.0), binary(Binary::Add, own, change)),
            5 if is_late => choice(self.fired(), change, binary(Binary::Mul, Expr::Number(0.5), own)),
            4..7 => {
                let loss = binary(Binary::Div, own.clone(), self.divisor());
                binary(Binary::Add, binary(Binary::Sub, own, loss), self.bounded(DEPTH))
            }
            7 => call(Function::Tanh, binary(Binary::Add, own, change)),
            _ => change,
        }
    }

    /// What `v` becomes, written out.
    pub fn reset(&mut self) -> Expr {
        let hard = choice(self.fired(), Expr::Param(V_RESET), Expr::Charged);
        match self.rng.random_range(0..8) {
            0 => max(hard, number(-1.0)),
            1 => hard,
            2 => {
                let drop = binary(Binary::Mul, Expr::Spike, self.bounded(2));
                binary(Binary::Sub, Expr::Charged, drop)
            }
            3 => choice(self.compound(2), self.bounded(2), Expr::Charged),
            4 => {
                let rest = binary(Binary::Sub, Expr::Number(1.0), Expr::Spike);
                binary(Binary::Mul, Expr::Charged, rest)
            }
            5 => self.update(0),
            _ => self.any(DEPTH),
        }
    }
}
