//! The mistakes of names and kinds: what was meant, and what to write instead.

use proc_macro2::Ident;

use super::{Lowering, Place, Symbol};
use crate::ir::Sort;
use crate::report::Diagnostic;
use crate::syntax::{Binary, Expr, ExprKind};
use crate::{identifiers, suggest};

impl Lowering<'_> {
    /// Reports an undeclared name, the first time it is used.
    pub fn unknown(&mut self, ident: &Ident, expected: Option<Sort>, place: Place) {
        let name = identifiers::text(ident);
        if self.declaration.lost.contains(&name) || !self.reported.insert(name.clone()) {
            return;
        }
        let error = Diagnostic::new(ident, format!("unknown name `{name}`"));
        let input = self.scope.input().map(str::to_owned);
        if self.language.functions().contains(&name.as_str()) {
            self.meant.extend(input);
            let message = format!("`{name}` is a function and needs an argument");
            let help = format!("write for example `{name}({})`", self.language.variable);
            self.report.push(Diagnostic::new(ident, message).help(help));
            return;
        }
        if self.declaration.nameless {
            return;
        }
        let allowed = self.scope.symbols.iter().filter(|(_, symbol)| place.allows(**symbol));
        let mut known: Vec<&str> = allowed.map(|(name, _)| name.as_str()).collect();
        known.sort_unstable();
        let (variable, aliases) = (self.language.variable, self.language.aliases);
        if known.contains(&variable) && aliases.contains(&name.as_str()) {
            self.meant.insert(variable.to_owned());
            // `h - v_threshold` is one mistake.
            if self.reported.insert(format!("{variable} by other names")) {
                self.report.push(error.help(self.language.instead_of_alias));
            }
            return;
        }
        let usable = input.as_deref().filter(|input| known.contains(input));
        match suggest::name(&name, &known, usable) {
            Some(meant) => {
                self.meant.insert(meant.to_owned());
                self.report.push(error.help(format!("did you mean `{meant}`?")));
            }
            None => {
                let item = match expected {
                    Some(Sort::Bool) if self.language.has("flag") => format!("flag {name} = true"),
                    Some(Sort::Bool) => format!("let {name} = {variable} > 0.0"),
                    _ => format!("param {name} = 1.0"),
                };
                self.report.push(error.help(format!("declare it, for example `{item};`")));
                // It may be the input by another name.
                self.meant.extend(input);
            }
        }
    }

    /// Reports a keyword of Rust that is a name with `r#` before it, the first time it is used without.
    pub fn bare_keyword(&mut self, ident: &Ident) {
        if self.reported.insert(format!("{ident} without r#")) {
            let error = Diagnostic::new(ident, format!("`{ident}` is a keyword of Rust"));
            self.report.push(error.help(format!("write `r#{ident}`, as where it is declared")));
        }
    }

    /// Reports a name that cannot be used at `place`.
    pub fn unavailable(&mut self, ident: &Ident, symbol: Symbol, place: Place) {
        if let Symbol::Charged | Symbol::Spike = symbol
            && let Place::Charge | Place::Spike | Place::Threshold = place
        {
            if symbol == Symbol::Spike && self.is_silent() {
                self.no_spike(ident);
            } else {
                self.too_early(ident, &ident.to_string(), place);
            }
            return;
        }
        if !self.reported.insert(format!("{ident} in {place:?}")) {
            return;
        }
        let what = match symbol {
            Symbol::Flag(_) => "a flag".to_owned(),
            Symbol::Let(_) => "a `let`".to_owned(),
            _ => "changes over time".to_owned(),
        };
        let message = match symbol {
            Symbol::Flag(_) | Symbol::Let(_) => {
                format!("{} cannot use {what}, found `{ident}`", place.word())
            }
            _ => format!("{} cannot use `{ident}`, which {what}", place.word()),
        };
        let hint = match place {
            Place::Default => "it is a constant: numbers and the defaults of other parameters",
            _ if self.language.has("flag") => "it can use parameters, flags and numbers",
            _ => "it can use parameters and numbers",
        };
        let error = Diagnostic::new(ident, message).help(hint);
        self.report.push(match (ident.to_string().as_str(), place) {
            ("v", Place::Init) => error.help("before the first step, `v` is `v_reset`"),
            _ => error,
        });
    }

    /// Reports the use of `h` or `spike`, perhaps through the `let` named `ident`, before they exist.
    pub fn too_early(&mut self, ident: &Ident, what: &str, place: Place) {
        if !self.reported.insert(format!("{ident} in {place:?}")) {
            return;
        }
        let word = place.word();
        let until = match what {
            "h" => "before the charge: it is what `charge` computes",
            _ if place == Place::Spike => "before `spike = ...` has computed it",
            _ => "before the neuron is charged and compared with its threshold",
        };
        let message = match (what, place) {
            ("h", Place::Threshold) if *ident == what => {
                "`threshold` cannot use `h`: it may only depend on what the step starts from".to_owned()
            }
            ("h", Place::Threshold) => {
                format!(
                    "`threshold` cannot use `{ident}`, which depends on `h`, only what the step starts from"
                )
            }
            _ if *ident == what => format!("`{what}` does not exist {until}"),
            _ => format!("{word} uses `{ident}`, but `{what}` in it does not exist {until}"),
        };
        let error = Diagnostic::new(ident, message);
        self.report.push(if what == "h" {
            error.help("the potential that the step starts from is `v`")
        } else {
            error.help("to depend on the last spike, keep it: `state s = 0.0; update s = spike;`")
        });
    }

    /// Reports the use of the spike in a neuron that does not fire.
    pub fn no_spike(&mut self, ident: &Ident) {
        if !self.reported.insert("spike without firing".to_owned()) {
            return;
        }
        let message = if *ident == "spike" {
            "there is no `spike`: a neuron with `output` does not fire".to_owned()
        } else {
            format!("`{ident}` uses `spike`, but a neuron with `output` does not fire")
        };
        let error = Diagnostic::new(ident, message);
        self.report.push(error.help(
            "leave `output` out for a neuron that fires where `h >= v_threshold`; if it has both, write \
             `spike = h >= v_threshold;`, too",
        ));
    }

    /// Reports that `expr` is of `sort` where the other one is needed.
    pub fn mismatch(&mut self, expr: &Expr, sort: Sort) {
        let text = expr.to_string();
        let short = text.len() <= 40;
        self.report.push(match sort {
            Sort::Bool => {
                let found = match &expr.kind {
                    ExprKind::Name(name)
                        if matches!(self.scope.symbol(&identifiers::text(name)), Some(Symbol::Flag(_))) =>
                    {
                        format!("the flag `{name}`")
                    }
                    _ if short => format!("the condition `{text}`"),
                    _ => "a condition".to_owned(),
                };
                let shown = if short { &text } else { "..." };
                Diagnostic::new(expr.extent, format!("expected a number, found {found}"))
                    .help(format!("to get a number, write `if {shown} {{ 1.0 }} else {{ 0.0 }}`"))
            }
            Sort::Real => {
                let found = if short { format!("the number `{text}`") } else { "a number".to_owned() };
                let shown = if short { &text } else { "..." };
                Diagnostic::new(expr.extent, format!("expected a condition, found {found}"))
                    .help(format!("compare it with something: `{shown} > 0.0`"))
            }
        });
    }

    /// Reports `true` or `false` in an expression.
    pub fn literal_condition(&mut self, expr: &Expr, value: bool, expected: Option<Sort>) {
        let message = if self.language.has("flag") {
            format!("`{value}` cannot be used in an expression, only as the default of a flag")
        } else {
            format!("`{value}` cannot be used in {}", self.language.grammar.article)
        };
        let error = Diagnostic::new(expr.extent, message);
        self.report.push(match expected {
            Some(Sort::Bool) if self.language.has("flag") => {
                error.help("a flag is a condition by itself: `if decay_input { a } else { b }`")
            }
            Some(Sort::Bool) => {
                error.help(format!("a condition compares numbers: `{} > 0.0`", self.language.variable))
            }
            _ => error.help(format!("as a number, it is `{}.0`", u8::from(value))),
        });
    }

    /// Reports that `a` is compared with `b`, where one of them is `true` or `false`.
    pub fn compared_with_literal(&mut self, op: Binary, a: &Expr, b: &Expr, value: bool) {
        let (tested, literal) = if matches!(b.bare().kind, ExprKind::Bool(_)) { (a, b) } else { (b, a) };
        let not = if value == (op == Binary::Eq) { "" } else { "!" };
        let message = format!("a condition is not compared with `{value}`");
        let error = Diagnostic::new(literal.extent, message);
        self.report.push(error.help(format!("write `{not}{tested}`")));
    }

    /// Reports an `if` where a condition is needed.
    pub fn choice_as_condition(&mut self, expr: &Expr) {
        let message = "an `if` chooses between numbers, expected a condition";
        let error = Diagnostic::new(expr.extent, message);
        self.report.push(error.help("combine conditions with `&&`, `||` and `!`"));
    }

    /// Reports a call of `function` with too few or too many arguments. `form` is how it is called.
    pub fn wrong_number_of_arguments(&mut self, function: &Ident, arity: usize, found: usize, form: &str) {
        let s = if arity == 1 { "" } else { "s" };
        let message = format!("`{function}` takes {arity} argument{s}, found {found}");
        self.report.push(Diagnostic::new(function, message).help(format!("write `{form}`")));
    }

    /// Reports an argument of `heaviside`, or a `spike`, that does not compare which of two numbers is larger.
    pub fn no_comparison(&mut self, what: &str, argument: &Expr, sort: Sort) {
        let text = argument.bare().to_string();
        let shown = if text.len() <= 40 { text.as_str() } else { "..." };
        let error = Diagnostic::new(
            argument.extent,
            format!("`{what}` takes one comparison, by `<`, `<=`, `>` or `>=`"),
        );
        self.report.push(match sort {
            Sort::Real => {
                error.help(format!("write `heaviside({shown} >= 0.0)`, or `> 0.0` if it is 0 at 0"))
            }
            Sort::Bool => {
                error.help("where several have to hold, multiply: `heaviside(a > 0.0) * heaviside(b > 0.0)`; where one of several, take `max(..)` of them")
            }
        });
    }

    /// Reports a step function where there is no surrogate.
    pub fn no_surrogate(&mut self, function: &Ident, place: Place) {
        let message = format!("`{function}` cannot be used in {}: there is no surrogate", place.word());
        let error = Diagnostic::new(function, message);
        self.report.push(error.help("write `if a >= b { 1.0 } else { 0.0 }`, which has no gradient"));
    }

    /// Reports an undeclared function, the first time it is called.
    pub fn unknown_function(&mut self, function: &Ident, args: &[Expr]) {
        let name = identifiers::text(function);
        if self.declaration.lost.contains(&name) || !self.reported.insert(format!("{name}()")) {
            return;
        }
        let texts: Vec<_> = args.iter().map(Expr::to_string).collect();
        self.report.push(match self.scope.symbol(&name) {
            Some(Symbol::Wrong) => return,
            Some(symbol) => {
                let message = format!("`{name}` is {}, not a function", symbol.word());
                let error = Diagnostic::new(function, message);
                match texts.first() {
                    Some(first) if !matches!(symbol, Symbol::Flag(_)) => {
                        error.help(format!("a product is written with `*`: `{name} * ({first})`"))
                    }
                    _ => error.help(format!("write `{name}`")),
                }
            }
            None => {
                let error = Diagnostic::new(function, format!("unknown function `{name}`"));
                let known = self.language.functions();
                match suggest::function(&name, &known, &texts) {
                    Some(hint) => error.help(hint),
                    None => error.help(format!("the functions are `{}`", known.join("`, `"))),
                }
            }
        });
    }
}
