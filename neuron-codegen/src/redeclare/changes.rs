//! The items of `redeclare!`, and what each changes in the declaration.

use std::collections::HashMap;

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::quote;

use super::tokens::{after_attributes, is_punct, is_word};
use crate::check::given_params;
use crate::report::Diagnostic;

/// The kinds of parameters.
const KINDS: [&str; 3] = ["param", "array", "learnable"];

const EXPECTED: &str = "expected `learnable`, `array` or `input`";

/// One item.
pub(super) enum Change {
    /// `learnable tau, v_threshold;`: parameters of another kind.
    Kind(Ident, Vec<Ident>),
    /// `learnable scale = 1.0;`: a new parameter. All tokens of the item, and its name.
    Parameter(Vec<TokenTree>, Ident),
    /// `input x = scale * x + shift;`: an expression in place of the input.
    Input(Ident, TokenStream),
}

impl Change {
    /// What an item says, which may end with a semicolon.
    pub fn of(item: &[TokenTree]) -> Result<Self, Diagnostic> {
        let rest = &item[after_attributes(item)..];
        let Some((TokenTree::Ident(word), rest)) = rest.split_first() else {
            let span = rest.first().map_or_else(Span::call_site, TokenTree::span);
            return Err(Diagnostic::new(span, EXPECTED));
        };
        let end = rest.len() - usize::from(rest.last().is_some_and(|last| is_punct(last, ';')));
        match &rest[..end] {
            [TokenTree::Ident(name), equals, expr @ ..] if word == "input" && is_punct(equals, '=') => {
                if expr.is_empty() {
                    return Err(Diagnostic::new(equals.span(), "expected an expression after `=`"));
                }
                Ok(Self::Input(name.clone(), expr.iter().cloned().collect()))
            }
            rest if word == "input" => {
                let span = rest.first().map_or_else(|| word.span(), TokenTree::span);
                let error = Diagnostic::new(span, "expected the name of an input, `=` and an expression");
                Err(error.help("write for example `input x = scale * x + shift;`"))
            }
            [TokenTree::Ident(name), equals, ..]
                if KINDS.iter().any(|kind| word == kind) && is_punct(equals, '=') =>
            {
                Ok(Self::Parameter(item.to_vec(), name.clone()))
            }
            names if word == "learnable" || word == "array" => {
                Ok(Self::Kind(word.clone(), list(word, names)?))
            }
            _ => {
                let error = Diagnostic::new(word, format!("{EXPECTED}, found `{word}`"));
                Err(error.help("write for example `learnable tau, v_threshold;`"))
            }
        }
    }
}

/// The names of parameters, separated by commas; there may be one at the end.
fn list(kind: &Ident, tokens: &[TokenTree]) -> Result<Vec<Ident>, Diagnostic> {
    let mut names = Vec::new();
    for part in tokens.split(|token| is_punct(token, ',')) {
        match part {
            [TokenTree::Ident(name)] => names.push(name.clone()),
            [] if tokens.len() > 1 => {}
            _ => {
                let span = part.first().map_or_else(|| kind.span(), TokenTree::span);
                return Err(Diagnostic::new(span, "expected the names of parameters, separated by commas"));
            }
        }
    }
    Ok(names)
}

/// The declaration that is changed.
pub(super) struct Base {
    neuron: Ident,
    /// Its items, each with its semicolon.
    pub items: Vec<Vec<TokenTree>>,
    /// New parameters, the first items.
    added: usize,
    /// The names that were changed.
    done: Vec<String>,
    /// What stands for each input that is transformed.
    inputs: HashMap<String, TokenTree>,
}

impl Base {
    pub fn new(neuron: Ident, items: Vec<Vec<TokenTree>>) -> Self {
        Self { neuron, items, added: 0, done: Vec::new(), inputs: HashMap::new() }
    }

    pub fn apply(&mut self, change: Change) -> Result<(), Diagnostic> {
        match change {
            Change::Kind(kind, names) => names.iter().try_for_each(|name| self.set_kind(&kind, name)),
            Change::Parameter(item, name) => self.add(item, &name),
            Change::Input(name, expr) => self.replace_input(&name, expr),
        }
    }

    /// Makes the parameter `name` one of the given kind.
    fn set_kind(&mut self, kind: &Ident, name: &Ident) -> Result<(), Diagnostic> {
        self.once(name)?;
        for item in &mut self.items {
            let at = after_attributes(item);
            if let [TokenTree::Ident(declared), TokenTree::Ident(its_name), ..] = &item[at..]
                && KINDS.iter().any(|kind| declared == kind)
                && its_name == name
            {
                item[at] = kind.clone().into();
                item[at + 1] = name.clone().into();
                return Ok(());
            }
        }
        if let Some(given) = given_params().iter().find(|given| name == given.name) {
            let (default, doc) = (Literal::f64_unsuffixed(given.default), given.doc);
            self.items.push(quote!(#[doc = #doc] #kind #name = #default;).into_iter().collect());
            return Ok(());
        }
        let error = Diagnostic::new(name, format!("`{}` has no parameter `{name}`", self.neuron));
        if self.named(&["flag"]).iter().any(|flag| name == flag) {
            return Err(error.help(format!("`{name}` is a flag, which is the same for all neurons")));
        }
        Err(error.help(format!("its parameters are {}", quoted(&self.parameters()))))
    }

    fn add(&mut self, item: Vec<TokenTree>, name: &Ident) -> Result<(), Diagnostic> {
        self.once(name)?;
        if self.parameters().iter().any(|known| name == known) {
            let error = Diagnostic::new(name, format!("`{}` has a parameter `{name}` already", self.neuron));
            return Err(error.help(format!(
                "write `learnable {name};` or `array {name};` to change its kind; its default and range stay"
            )));
        }
        self.items.insert(self.added, item);
        self.added += 1;
        Ok(())
    }

    /// Its items with all changes. Inputs are transformed at once: an expression that reads another input reads it as it is.
    pub fn finish(self) -> Vec<Vec<TokenTree>> {
        let transform = |mut item: Vec<TokenTree>| {
            let at = after_attributes(&item);
            if item.get(at).is_some_and(|word| !is_word(word, "input")) {
                let body = replaced(item.split_off(at), &self.inputs);
                item.extend(body);
            }
            item
        };
        self.items.into_iter().map(transform).collect()
    }

    /// Lets `expr` stand wherever the input `name` is read.
    fn replace_input(&mut self, name: &Ident, expr: TokenStream) -> Result<(), Diagnostic> {
        self.once(name)?;
        let mut inputs = Vec::new();
        for item in &self.items {
            if let [word, names @ ..] = &item[after_attributes(item)..]
                && is_word(word, "input")
            {
                inputs.extend(names.iter().filter_map(|token| match token {
                    TokenTree::Ident(name) => Some(name.to_string()),
                    _ => None,
                }));
            }
        }
        if inputs.is_empty() {
            inputs.push("x".to_owned());
        }
        if !inputs.iter().any(|input| name == input) {
            let error = Diagnostic::new(name, format!("`{}` has no input `{name}`", self.neuron));
            return Err(error.help(format!("its inputs are {}", quoted(&inputs))));
        }
        let expr = Group::new(Delimiter::Parenthesis, expr);
        self.inputs.insert(name.to_string(), expr.into());
        Ok(())
    }

    fn once(&mut self, name: &Ident) -> Result<(), Diagnostic> {
        let text = name.to_string();
        if self.done.contains(&text) {
            return Err(Diagnostic::new(name, format!("`{name}` is listed twice")));
        }
        self.done.push(text);
        Ok(())
    }

    /// All parameters, those that every neuron has included.
    fn parameters(&self) -> Vec<String> {
        let mut known = self.named(&KINDS);
        for given in given_params() {
            if !known.iter().any(|name| name == given.name) {
                known.push(given.name.to_owned());
            }
        }
        known
    }

    /// The names that items with one of these words declare.
    fn named(&self, words: &[&str]) -> Vec<String> {
        let name = |item: &Vec<TokenTree>| match &item[after_attributes(item)..] {
            [TokenTree::Ident(word), TokenTree::Ident(name), ..] if words.iter().any(|kind| word == kind) => {
                Some(name.to_string())
            }
            _ => None,
        };
        self.items.iter().filter_map(name).collect()
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The tokens with an expression in place of each name that has one.
fn replaced(tokens: Vec<TokenTree>, by_name: &HashMap<String, TokenTree>) -> Vec<TokenTree> {
    let replace = |token| match token {
        TokenTree::Ident(ident) => by_name.get(&ident.to_string()).cloned().unwrap_or(ident.into()),
        TokenTree::Group(group) => {
            let inner = replaced(group.stream().into_iter().collect(), by_name);
            let mut whole = Group::new(group.delimiter(), inner.into_iter().collect());
            whole.set_span(group.span());
            whole.into()
        }
        token => token,
    };
    tokens.into_iter().map(replace).collect()
}
