//! MathML of the LaTeX that the generator writes: a small part of LaTeX, without macros.

/// One side of an equation as `<math>`, after an equality sign or not; nothing if there is something in it that the
/// generator does not write.
pub fn side(latex: &str, is_right: bool) -> Option<String> {
    let tokens = tokens(latex)?;
    let mut reader = Reader { tokens: &tokens };
    let row = reader.row(|_| false)?;
    let equals = if is_right { "<mo>=</mo>" } else { "" };
    Some(format!(r#"<math displaystyle="true">{equals}<mrow>{row}</mrow></math>"#))
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Char(char),
    /// `\frac`, without the backslash.
    Command(String),
    /// `\text{..}`: the command and what is in the braces.
    Words(String, String),
}

fn tokens(latex: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = latex.chars().peekable();
    while let Some(first) = chars.next() {
        if first.is_whitespace() {
            continue;
        }
        if first != '\\' {
            tokens.push(Token::Char(first));
            continue;
        }
        let mut name = chars.next()?.to_string();
        while name.starts_with(char::is_alphabetic) {
            let Some(letter) = chars.next_if(char::is_ascii_alphabetic) else { break };
            name.push(letter);
        }
        if !["text", "mathrm", "mathtt", "operatorname", "begin", "end"].contains(&name.as_str()) {
            tokens.push(Token::Command(name));
            continue;
        }
        chars.next_if_eq(&'{')?;
        let mut words = String::new();
        loop {
            match chars.next()? {
                '}' => break,
                '\\' => words.push(chars.next()?),
                other => words.push(other),
            }
        }
        tokens.push(Token::Words(name, words));
    }
    Some(tokens)
}

/// A name of a parameter is text, whatever is in it.
fn element(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}

/// As tall as what it encloses, or as a letter.
fn bracket(text: &str, stretches: bool) -> String {
    format!(r#"<mo stretchy="{stretches}">{text}</mo>"#)
}

struct Reader<'t> {
    tokens: &'t [Token],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn next_if(&mut self, expected: &Token) -> bool {
        let is_next = self.tokens.first() == Some(expected);
        if is_next {
            self.next();
        }
        is_next
    }

    /// Everything up to a token that ends it, which stays.
    fn row(&mut self, ends: impl Fn(&Token) -> bool) -> Option<String> {
        let mut row = String::new();
        while self.tokens.first().is_some_and(|token| !ends(token)) {
            row.push_str(&self.scripted()?);
        }
        Some(row)
    }

    /// What is in braces.
    fn group(&mut self) -> Option<String> {
        let close = Token::Char('}');
        self.next_if(&Token::Char('{')).then_some(())?;
        let row = self.row(|token| *token == close)?;
        self.next_if(&close).then(|| format!("<mrow>{row}</mrow>"))
    }

    /// Something with its index and its exponent.
    fn scripted(&mut self) -> Option<String> {
        let base = self.atom()?;
        let below = if self.next_if(&Token::Char('_')) { Some(self.group()?) } else { None };
        let above = if self.next_if(&Token::Char('^')) { Some(self.group()?) } else { None };
        Some(match (below, above) {
            (None, None) => base,
            (Some(below), None) => format!("<msub>{base}{below}</msub>"),
            (None, Some(above)) => format!("<msup>{base}{above}</msup>"),
            (Some(below), Some(above)) => format!("<msubsup>{base}{below}{above}</msubsup>"),
        })
    }

    fn atom(&mut self) -> Option<String> {
        match self.next()? {
            Token::Words(kind, words) => match kind.as_str() {
                "text" => Some(element("mtext", &words.replace(' ', "\u{a0}"))),
                "begin" if words == "cases" => self.cases(),
                "mathrm" | "mathtt" | "operatorname" => {
                    let tag = if kind == "mathtt" { "mtext" } else { "mi" };
                    // A single letter would be italic.
                    let is_letter = tag == "mi" && words.chars().count() == 1;
                    let element = element(tag, &words);
                    Some(if is_letter {
                        element.replacen("<mi>", r#"<mi mathvariant="normal">"#, 1)
                    } else {
                        element
                    })
                }
                _ => None,
            },
            Token::Command(name) => match name.as_str() {
                "frac" => Some(format!("<mfrac>{}{}</mfrac>", self.group()?, self.group()?)),
                "sqrt" => Some(format!("<msqrt>{}</msqrt>", self.group()?)),
                "left" => self.enclosed(),
                name => command(name),
            },
            Token::Char(first) if first.is_ascii_digit() => {
                let mut number = first.to_string();
                while let Some(&Token::Char(next)) = self.tokens.first() {
                    if !next.is_ascii_digit() && next != '.' {
                        break;
                    }
                    number.push(next);
                    self.next();
                }
                Some(element("mn", &number))
            }
            Token::Char(letter) if letter.is_alphabetic() => Some(element("mi", &letter.to_string())),
            Token::Char(side @ ('(' | ')' | '[' | ']')) => Some(bracket(&side.to_string(), false)),
            Token::Char('-') => Some(element("mo", "\u{2212}")),
            // Its glyph is raised already.
            Token::Char('\'') => Some("<mo lspace=\"0\" rspace=\"0\">\u{2032}</mo>".to_owned()),
            Token::Char(operator @ ('+' | '=' | '<' | '>' | ',')) => {
                Some(element("mo", &operator.to_string()))
            }
            Token::Char(_) => None,
        }
    }

    /// From `\left` to its `\right`.
    fn enclosed(&mut self) -> Option<String> {
        let left = self.side()?;
        let right = Token::Command("right".to_owned());
        let row = self.row(|token| *token == right)?;
        self.next_if(&right).then_some(())?;
        Some(format!("<mrow>{}{row}{}</mrow>", bracket(left, true), bracket(self.side()?, true)))
    }

    fn side(&mut self) -> Option<&'static str> {
        Some(match self.next()? {
            Token::Char('(') => "(",
            Token::Char(')') => ")",
            Token::Char('|') => "|",
            Token::Command(name) => match name.as_str() {
                "lfloor" => "\u{230a}",
                "rfloor" => "\u{230b}",
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Values and their conditions, after `\begin{cases}`.
    fn cases(&mut self) -> Option<String> {
        let (and, line) = (Token::Char('&'), Token::Command("\\".to_owned()));
        let end = Token::Words("end".to_owned(), "cases".to_owned());
        let mut rows = String::new();
        loop {
            let value = self.row(|token| *token == and)?;
            self.next_if(&and).then_some(())?;
            let condition = self.row(|token| *token == line || *token == end)?;
            rows.push_str(&format!("<mtr><mtd>{value}</mtd><mtd>{condition}</mtd></mtr>"));
            if self.next_if(&end) {
                let table = format!(r#"<mtable class="cases" displaystyle="true">{rows}</mtable>"#);
                return Some(format!("<mrow>{}{table}</mrow>", bracket("{", true)));
            }
            self.next_if(&line).then_some(())?;
        }
    }
}

/// A symbol, an operator, a space or the name of a function.
fn command(name: &str) -> Option<String> {
    const LETTERS: [(&str, &str); 27] = [
        ("alpha", "α"),
        ("beta", "β"),
        ("gamma", "γ"),
        ("delta", "δ"),
        ("epsilon", "ϵ"),
        ("zeta", "ζ"),
        ("eta", "η"),
        ("theta", "θ"),
        ("iota", "ι"),
        ("kappa", "κ"),
        ("lambda", "λ"),
        ("mu", "μ"),
        ("nu", "ν"),
        ("xi", "ξ"),
        ("pi", "π"),
        ("rho", "ρ"),
        ("sigma", "σ"),
        ("tau", "τ"),
        ("upsilon", "υ"),
        ("phi", "ϕ"),
        ("chi", "χ"),
        ("psi", "ψ"),
        ("omega", "ω"),
        ("varphi", "φ"),
        ("Delta", "Δ"),
        ("Theta", "Θ"),
        ("partial", "∂"),
    ];
    const OPERATORS: [(&str, &str); 7] =
        [("cdot", "⋅"), ("ge", "≥"), ("le", "≤"), ("ne", "≠"), ("land", "∧"), ("lor", "∨"), ("lnot", "¬")];
    const FUNCTIONS: [&str; 8] = ["exp", "ln", "tanh", "arctan", "sin", "cos", "min", "max"];
    let of = |table: &[(&str, &'static str)]| {
        table.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    };
    if let Some(letter) = of(&LETTERS) {
        // As in print, capitals are upright.
        let upright = name.starts_with(char::is_uppercase);
        let variant = if upright { r#" mathvariant="normal""# } else { "" };
        return Some(format!("<mi{variant}>{letter}</mi>"));
    }
    if let Some(operator) = of(&OPERATORS) {
        return Some(element("mo", operator));
    }
    match name {
        "," => Some(r#"<mspace width="0.17em"></mspace>"#.to_owned()),
        _ => FUNCTIONS.contains(&name).then(|| element("mi", name)),
    }
}

#[cfg(test)]
mod tests {
    use neuron_codegen::latex;

    use super::*;
    use crate::Neurons;
    use crate::derivation::Derivation;

    #[test]
    fn formulas_of_the_generator() {
        let of = |latex: &str| side(latex, false).unwrap();
        let inside = |row: &str| format!(r#"<math displaystyle="true"><mrow>{row}</mrow></math>"#);
        assert_eq!(
            of(r"V_{\mathrm{th}} - 1.5"),
            inside("<msub><mi>V</mi><mrow><mi>th</mi></mrow></msub><mo>\u{2212}</mo><mn>1.5</mn>")
        );
        assert_eq!(
            of(r"\frac{1}{\tau^{2}}"),
            inside(
                "<mfrac><mrow><mn>1</mn></mrow><mrow><msup><mi>τ</mi><mrow><mn>2</mn></mrow></msup></mrow></mfrac>"
            )
        );
        let choice = of(r"\begin{cases} x & \text{if } \mathtt{a\_b} \\ 0 & \text{otherwise} \end{cases}");
        assert!(choice.contains("<mtd><mtext>if\u{a0}</mtext><mtext>a_b</mtext></mtd>"), "{choice}");
        assert!(side("x", true).unwrap().contains("<mo>=</mo><mrow><mi>x</mi></mrow>"));
    }

    #[test]
    fn names_are_no_markup() {
        let math = side(r"\mathrm{<b>&}", false).unwrap();
        assert!(math.contains("<mi>&lt;b&gt;&amp;</mi>"), "{math}");
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        for latex in [r"\href{x}", "{x", r"\left(x", r"\begin{cases} x", r"\begin{matrix}", "#"] {
            assert_eq!(side(latex, false), None, "{latex}");
        }
    }

    #[test]
    fn every_equation_of_every_neuron() {
        for neuron in Neurons::default().zoo().iter() {
            let derived = Derivation::of(neuron.spec()).unwrap().derived;
            for row in latex::equations(&derived).into_iter().chain(latex::derivatives(&derived)) {
                for text in [row.left, row.right] {
                    assert!(side(&text, true).is_some(), "{}: {text}", neuron.spec().name);
                }
            }
        }
    }
}
