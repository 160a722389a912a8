//! Tokens to expressions, by operator precedence.
//!
//! Most mistakes are reported and become an [`ExprKind::Wrong`], so that the rest of the expression is
//! looked at, too. One after which it is unclear what belongs to what ends the expression; the parser of
//! items then goes on behind it.

use proc_macro2::Delimiter;

use super::expr::{Binary, Expr, ExprKind};
use super::mistakes::{expected_expression, integer, operand, stray};
use super::tokens::Tokens;
use crate::report::{Diagnostic, Extent, Report};

/// What is parsed, or the mistake that ended it.
pub type Result<T> = std::result::Result<T, Diagnostic>;

/// How deep parentheses may be nested and how many operands an expression may have. What is generated is
/// walked recursively, here and in the compiler; nobody writes an equation of this size.
const MAX_NESTING: usize = 64;
const MAX_OPERANDS: usize = 500;

/// Parses an expression, up to the first token that cannot continue it.
pub fn expression(tokens: &mut Tokens<'_>, report: &mut Report) -> Result<Expr> {
    Pratt { report, nesting: 0, operands: 0 }.binary(tokens, 0)
}

/// Parses a single operand.
pub fn operand_alone(tokens: &mut Tokens<'_>, report: &mut Report) -> Result<Expr> {
    Pratt { report, nesting: 0, operands: 0 }.primary(tokens)
}

struct Pratt<'r> {
    report: &'r mut Report,
    nesting: usize,
    operands: usize,
}

impl Pratt<'_> {
    /// Operands and operators that bind at least as strongly as `min`.
    fn binary(&mut self, tokens: &mut Tokens<'_>, min: u8) -> Result<Expr> {
        let mut left = self.unary(tokens)?;
        loop {
            let Some(op) = tokens.peek_operator().and_then(|text| Binary::from_text(&text)) else {
                return Ok(left);
            };
            if op.precedence() < min {
                return Ok(left);
            }
            let at = tokens.eat(op.text()).expect("just seen");
            let right = self.binary(tokens, op.precedence() + 1)?;
            let extent = left.extent.to(right.extent);
            let chained = match &left.kind {
                ExprKind::Binary(first, a, b) if op.is_comparison() && first.is_comparison() => {
                    Some(format!("write `{a} {} {b} && {b} {} {right}`", first.text(), op.text()))
                }
                _ => None,
            };
            left = match chained {
                Some(help) => {
                    let error = Diagnostic::new(at, "comparisons cannot be chained").help(help);
                    self.wrong(error, extent, vec![left, right])
                }
                None => Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), extent },
            };
        }
    }

    /// Reports a mistake; what it was made with is still looked at.
    fn wrong(&mut self, error: Diagnostic, extent: Extent, parts: Vec<Expr>) -> Expr {
        self.report.push(error);
        Expr { kind: ExprKind::Wrong(parts), extent }
    }

    /// Signs and negations, then a power.
    fn unary(&mut self, tokens: &mut Tokens<'_>) -> Result<Expr> {
        let (kind, sign): (fn(Box<Expr>) -> ExprKind, _) = if let Some(sign) = tokens.eat("-") {
            (ExprKind::Neg, sign)
        } else if let Some(sign) = tokens.eat("!") {
            (ExprKind::Not, sign)
        } else {
            return self.power(tokens);
        };
        let inner = self.nested(tokens.extent(), |this| this.unary(tokens))?;
        let extent = sign.to(inner.extent);
        Ok(Expr { kind: kind(Box::new(inner)), extent })
    }

    fn power(&mut self, tokens: &mut Tokens<'_>) -> Result<Expr> {
        let mut base = self.primary(tokens)?;
        while tokens.at_operator(".") {
            base = self.method(tokens, base)?;
        }
        let stars = tokens.eat("**");
        if stars.is_none() && tokens.eat("^").is_none() {
            return Ok(base);
        }
        let minus = tokens.eat("-");
        let magnitude = self.primary(tokens)?;
        let exponent = minus.map_or(magnitude.extent, |minus| minus.to(magnitude.extent));
        let sign = if minus.is_some() { "-" } else { "" };
        let extent = base.extent.to(exponent);
        if let Some(stars) = stars {
            let help = format!("a power is written with `^`: `{}^{sign}{magnitude}`", operand(&base));
            let error = Diagnostic::new(stars, "`**` is not an operator").help(help);
            return Ok(self.wrong(error, extent, vec![base, magnitude]));
        }
        if let ExprKind::Wrong(_) = magnitude.kind {
            return Ok(Expr { kind: ExprKind::Wrong(vec![base]), extent });
        }
        let kind = match integer(sign, &magnitude, exponent, &base) {
            Ok(exponent) => ExprKind::Power(Box::new(base), exponent),
            Err(error) => return Ok(self.wrong(error, extent, vec![base, magnitude])),
        };
        let power = Expr { kind, extent };
        if tokens.at_operator("^") {
            return Err(Diagnostic::new(tokens.extent(), "powers cannot be chained")
                .help(format!("use parentheses: `({power})^2`")));
        }
        Ok(power)
    }

    /// The mistake `v.exp()`.
    fn method(&mut self, tokens: &mut Tokens<'_>, receiver: Expr) -> Result<Expr> {
        let (dot, mut ahead) = (tokens.extent(), *tokens);
        ahead.eat(".");
        let (Some(name), Some((mut inside, end))) = (ahead.ident(), ahead.group(Delimiter::Parenthesis))
        else {
            return Err(stray(tokens, &receiver, "`;`"));
        };
        *tokens = ahead;
        let mut parts = vec![receiver];
        parts.extend(self.arguments(&mut inside)?);
        let args: Vec<String> = parts.iter().map(|part| part.bare().to_string()).collect();
        let help = match (name.to_string().as_str(), args.as_slice()) {
            ("powi" | "powf" | "pow", [_, exponent]) => format!("write `{}^{exponent}`", operand(&parts[0])),
            (function, args) => format!("write `{function}({})`", args.join(", ")),
        };
        let error = Diagnostic::new(dot.to(end), format!("`{name}` is called like a method")).help(help);
        let extent = parts[0].extent.to(end);
        Ok(self.wrong(error, extent, parts))
    }

    /// Numbers, names, calls, parentheses, `if`.
    fn primary(&mut self, tokens: &mut Tokens<'_>) -> Result<Expr> {
        self.operands += 1;
        if self.operands > MAX_OPERANDS {
            return Err(Diagnostic::new(
                tokens.extent(),
                format!("an expression has more than {MAX_OPERANDS} operands"),
            )
            .help("name parts of it with `let`"));
        }
        // A fragment that came through `macro_rules!` holds together as if it had parentheses.
        for delimiter in [Delimiter::None, Delimiter::Parenthesis] {
            if let Some((mut inside, extent)) = tokens.group(delimiter) {
                let inner = self.nested(extent, |this| this.whole(&mut inside, "`)`"))?;
                return Ok(Expr { kind: ExprKind::Paren(Box::new(inner)), extent });
            }
        }
        if tokens.at("if") {
            return self.choice(tokens);
        }
        if let Some(word) = tokens.peek_ident() {
            let kind = match word.to_string().as_str() {
                "true" => ExprKind::Bool(true),
                "false" => ExprKind::Bool(false),
                "as" | "else" | "let" | "match" | "self" | "where" | "_" => {
                    return Err(expected_expression(tokens));
                }
                // Other keywords of Rust are for `check` to refuse where they are declared.
                _ => ExprKind::Name(word.clone()),
            };
            tokens.ident();
            if !tokens.at_group(Delimiter::Parenthesis) {
                return Ok(Expr { kind, extent: (&word).into() });
            }
            let (mut inside, parentheses) = tokens.group(Delimiter::Parenthesis).expect("just seen");
            let args = self.arguments(&mut inside)?;
            return Ok(Expr {
                extent: Extent::from(&word).to(parentheses),
                kind: ExprKind::Call(word, args),
            });
        }
        let mut ahead = *tokens;
        if let Some(literal) = ahead.literal() {
            *tokens = ahead;
            let extent = literal.span().into();
            return Ok(match number(&literal) {
                Ok(kind) => Expr { kind, extent },
                Err(error) => self.wrong(error, extent, Vec::new()),
            });
        }
        Err(expected_expression(tokens))
    }

    fn arguments(&mut self, inside: &mut Tokens<'_>) -> Result<Vec<Expr>> {
        let mut args = Vec::new();
        while !inside.is_empty() {
            let arg = self.nested(inside.extent(), |this| this.binary(inside, 0))?;
            if inside.eat(",").is_none() && !inside.is_empty() {
                return Err(stray(inside, &arg, "`,` or `)`"));
            }
            args.push(arg);
        }
        Ok(args)
    }

    /// `if cond { a } else { b }`
    fn choice(&mut self, tokens: &mut Tokens<'_>) -> Result<Expr> {
        let start = Extent::from(&tokens.ident().expect("called at `if`"));
        let cond = self.nested(start, |this| this.binary(tokens, 0))?;
        if !tokens.at_group(Delimiter::Brace) {
            return Err(stray(tokens, &cond, "`{`"));
        }
        let (yes, end) = self.block(tokens, start)?;
        if !tokens.at("else") {
            let extent = start.to(end);
            let error = Diagnostic::new(extent, "`if` without `else`: there is no value for the other case")
                .help(format!("write `if {cond} {{ {yes} }} else {{ 0.0 }}`"));
            return Ok(self.wrong(error, extent, vec![cond, yes]));
        }
        let word = Extent::from(&tokens.ident().expect("just seen"));
        let no = if tokens.at("if") {
            self.nested(word, |this| this.choice(tokens))?
        } else if tokens.at_group(Delimiter::Brace) {
            let (no, end) = self.block(tokens, word)?;
            Expr { extent: no.extent.to(end), ..no }
        } else {
            let found = tokens.describe();
            return Err(Diagnostic::new(
                tokens.extent(),
                format!("expected `{{` after `else`, found {found}"),
            ));
        };
        let extent = Extent { start: start.start, end: tokens.previous() };
        Ok(Expr { kind: ExprKind::If(Box::new(cond), Box::new(yes), Box::new(no)), extent })
    }

    fn block(&mut self, tokens: &mut Tokens<'_>, at: Extent) -> Result<(Expr, Extent)> {
        let (mut inside, extent) = tokens.group(Delimiter::Brace).expect("called at a block");
        let inner = self.nested(at, |this| this.whole(&mut inside, "`}`"))?;
        Ok((inner, extent))
    }

    /// An expression that fills its group.
    fn whole(&mut self, inside: &mut Tokens<'_>, end: &str) -> Result<Expr> {
        let inner = self.binary(inside, 0)?;
        if inside.is_empty() {
            return Ok(inner);
        }
        Err(if inside.at_operator(";") {
            Diagnostic::new(inside.extent(), format!("expected {end}, found `;`"))
                .help("a block is one expression; name parts of it with `let` outside")
        } else {
            stray(inside, &inner, end)
        })
    }

    fn nested<T>(&mut self, at: Extent, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting == MAX_NESTING {
            return Err(Diagnostic::new(at, format!("an expression is nested more than {MAX_NESTING} deep"))
                .help("name parts of it with `let`"));
        }
        self.nesting += 1;
        let result = parse(self);
        self.nesting -= 1;
        result
    }
}

/// A number; without suffix, and not too large.
fn number(literal: &proc_macro2::Literal) -> Result<ExprKind> {
    let (digits, suffix) = match syn::Lit::new(literal.clone()) {
        syn::Lit::Int(int) => (int.base10_digits().to_owned(), int.suffix().to_owned()),
        syn::Lit::Float(float) => (float.base10_digits().to_owned(), float.suffix().to_owned()),
        _ => {
            return Err(Diagnostic::new(literal.span(), format!("expected a number, found `{literal}`")));
        }
    };
    let text = literal.to_string();
    if !suffix.is_empty() {
        let plain = text.strip_suffix(&suffix).unwrap_or(&digits).trim_end_matches('_');
        return Err(Diagnostic::new(literal.span(), format!("a number has no type here, found `{text}`"))
            .help(format!("write `{plain}`; the format of the data decides the precision")));
    }
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(ExprKind::Number(value, text)),
        _ => Err(Diagnostic::new(literal.span(), format!("`{text}` is too large for a number"))),
    }
}
