//! The mistakes of single tokens in an expression: what was meant, and what to write instead.

use proc_macro2::Delimiter;

use super::expr::{Expr, ExprKind};
use super::pratt::{Result, operand_alone};
use super::tokens::Tokens;
use crate::report::{Diagnostic, Extent, Report};

/// The mistake of what follows a complete expression but does not end it. `end` is what would have.
pub fn stray(tokens: &Tokens<'_>, before: &Expr, end: &str) -> Diagnostic {
    let found = tokens.describe();
    let error = Diagnostic::new(tokens.extent(), format!("expected an operator or {end}, found {found}"));
    match tokens.peek_operator().as_deref() {
        Some("=") => error.help("to compare two numbers, write `==`"),
        Some("&") => error.help("the logical and of two conditions is `&&`"),
        Some("|") => error.help("the logical or of two conditions is `||`"),
        Some("?") => error.help("to choose between two numbers, write `if cond { a } else { b }`"),
        Some(_) => error,
        None if tokens.at_group(Delimiter::Bracket) => {
            error.help("there are no indices: each input and each state has a name of its own")
        }
        None if tokens.at("as") => error.help("all numbers are real; there is nothing to convert"),
        None if tokens.at("and") => error.help("the logical and of two conditions is `&&`"),
        None if tokens.at("or") => error.help("the logical or of two conditions is `||`"),
        None => {
            let mut scratch = Report::default();
            let after = operand_alone(&mut { *tokens }, &mut scratch);
            match after {
                Ok(after) if scratch.is_empty() => {
                    let (a, b) = (operand(last(before)), operand(&after));
                    error.help(format!("a product is written with `*`: `{a} * {b}`"))
                }
                _ => error,
            }
        }
    }
}

/// An operand as it has to be written under a power or in a product.
pub fn operand(expr: &Expr) -> String {
    if expr.is_atom() { expr.to_string() } else { format!("({expr})") }
}

/// The last operand of an expression.
fn last(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Binary(_, _, last_) | ExprKind::Neg(last_) | ExprKind::Not(last_) => last(last_),
        _ => expr,
    }
}

/// The largest exponent, and the smallest but for its sign: `2.0^1024` is beyond float64 already, and a power is as many
/// multiplications as its exponent has binary digits, or up to twice as many.
const MAX_EXPONENT: u32 = 1024;

/// What follows `base ^`: an integer, perhaps negative.
pub fn integer(sign: &str, magnitude: &Expr, extent: Extent, base: &Expr) -> Result<i32> {
    let written = format!("{sign}{}", operand(magnitude));
    let (base, inner) = (operand(base), base.bare());
    let message = format!("the exponent of a power is an integer, found `{sign}{magnitude}`");
    let error = Diagnostic::new(extent, message);
    let other = format!("for any other exponent, write `exp({written} * ln({inner}))`");
    // A fragment of `macro_rules!` comes with its sign, as if in parentheses.
    let (is_negative, value, text) = match &magnitude.bare().kind {
        ExprKind::Number(value, text) => (!sign.is_empty(), value, text),
        ExprKind::Neg(positive) => match &positive.bare().kind {
            ExprKind::Number(value, text) => (sign.is_empty(), value, text),
            _ => return Err(error.help(other)),
        },
        _ => return Err(error.help(other)),
    };
    let minus = if is_negative { "-" } else { "" };
    let exponent: Option<i32> = format!("{minus}{text}").replace('_', "").parse().ok();
    if let Some(exponent) = exponent.filter(|exponent| exponent.unsigned_abs() <= MAX_EXPONENT) {
        return Ok(exponent);
    }
    Err(if *value == 0.5 && !is_negative {
        error.help(format!("write `sqrt({inner})`"))
    } else if value.fract() != 0.0 {
        error.help(other)
    } else if *value <= f64::from(MAX_EXPONENT) {
        error.help(format!("write `{base}^{minus}{value}`"))
    } else {
        let message = format!(
            "the exponent of a power is an integer from -{MAX_EXPONENT} to {MAX_EXPONENT}, found `{sign}{magnitude}`"
        );
        Diagnostic::new(extent, message).help(format!(
            "`2.0^{MAX_EXPONENT}` is beyond float64 already; for a base near 1, write `exp({written} * ln({inner}))`"
        ))
    })
}

/// The mistake of what cannot begin an expression.
pub fn expected_expression(tokens: &Tokens<'_>) -> Diagnostic {
    let error =
        Diagnostic::new(tokens.extent(), format!("expected an expression, found {}", tokens.describe()));
    match tokens.peek_operator().as_deref() {
        Some(".") => {
            let mut ahead = *tokens;
            ahead.eat(".");
            match ahead.literal() {
                Some(digits) => error.help(format!("a number begins with a digit: `0.{digits}`")),
                None => error,
            }
        }
        Some("+") => error.help("there is no unary plus"),
        Some("*") => error.help("a power is written with `^`"),
        _ if tokens.at_group(Delimiter::Bracket) => error.help(
            "it is one number here; where the neuron is used, an `array` gets as many as it has channels",
        ),
        _ if tokens.at("self") => error.help("parameters and states are known by their names alone"),
        _ if tokens.at("match") => error.help("to choose between numbers, write `if cond { a } else { b }`"),
        _ => error,
    }
}
