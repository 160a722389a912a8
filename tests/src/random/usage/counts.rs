//! Spikes that may be other than 0 and 1, which no condition and no hard reset can use.

use crate::random::ast::{After, Binary, Cond, Declaration, Expr, Firing, Part, Reset, Value};

impl Declaration {
    /// Whether the language takes `spike` for a number of spikes.
    pub fn has_count(&self) -> bool {
        matches!(&self.firing, Some(Firing::Spike(spike)) if !self.is_binary(spike))
    }

    /// Why the language refuses what uses the spike, if it is a number of spikes.
    ///
    /// # Errors
    /// A reason.
    pub(super) fn check_count(&self) -> Result<(), String> {
        if !self.has_count() {
            return Ok(());
        }
        if matches!(&self.after, After::Resets(resets) if resets.contains(&Reset::Hard)) {
            return Err("a hard reset at a number of spikes".to_owned());
        }
        let mut is_condition = false;
        self.walk(&mut |part| is_condition |= matches!(part, Part::Cond(Cond::Spike)));
        if is_condition { Err("a number of spikes as a condition".to_owned()) } else { Ok(()) }
    }

    /// Whether `expr` is 0 or 1 whatever it is computed from.
    fn is_binary(&self, expr: &Expr) -> bool {
        let of = |expr: &Expr| self.is_binary(expr);
        match self.resolved(expr) {
            Expr::Heaviside(..) => true,
            Expr::Number(value) => [0.0, 1.0].contains(value),
            Expr::StraightThrough(a, _) | Expr::Detach(a) => of(a),
            Expr::Binary(Binary::Mul, a, b) | Expr::Min(a, b) | Expr::Max(a, b) | Expr::If(_, a, b) => {
                of(a) && of(b)
            }
            Expr::Clamp(parts) => parts.iter().all(of),
            Expr::Binary(Binary::Sub, one, b) => *self.resolved(one) == Expr::Number(1.0) && of(b),
            Expr::Power(a, n) => *n > 0 && of(a),
            _ => false,
        }
    }

    /// What stands behind the names of `expr`, if it is one.
    fn resolved<'a>(&'a self, mut expr: &'a Expr) -> &'a Expr {
        while let Expr::Let(i) = expr
            && let Value::Number(value) = &self.lets[*i].value
        {
            expr = value;
        }
        expr
    }
}
