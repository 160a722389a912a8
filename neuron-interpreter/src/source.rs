//! The declarations in a text.

use std::ops::Range;

use neuron_codegen::declarations::{self, Macro};
use neuron_codegen::source;
use proc_macro2::{TokenStream, TokenTree};

use crate::declaration::Declaration;
use crate::problem::{Level, Mistakes, Problem};
use crate::surrogate::SurrogateDeclaration;
use crate::thread::with_stack;

/// What a source file declares.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    /// Its neurons, in order.
    pub neurons: Vec<Declaration>,
    /// Its surrogates, in order.
    pub surrogates: Vec<SurrogateDeclaration>,
}

impl Declarations {
    /// Reads every `neuron! { .. }` and `surrogate! { .. }` of a source file; without one, the text as a declaration.
    ///
    /// # Errors
    /// All mistakes in all of them.
    pub fn parse(source: &str) -> Result<Self, Mistakes> {
        let found = read(source, |found, source| {
            let mut found = found;
            if found.is_empty() {
                let tokens = parsed(source)?;
                let kind = if begins_surrogate(&tokens) { Macro::Surrogate } else { Macro::Neuron };
                found.push(Found { kind, call: 0..source.len(), tokens });
            }
            each(found, source, |Found { kind, call, tokens }| match kind {
                Macro::Neuron => Declaration::read(&call, tokens, source).map(Read::Neuron),
                Macro::Surrogate => SurrogateDeclaration::read(&call, tokens, source).map(Read::Surrogate),
            })
        })?;
        let mut declarations = Self::default();
        for read in found {
            match read {
                Read::Neuron(neuron) => declarations.neurons.push(neuron),
                Read::Surrogate(surrogate) => declarations.surrogates.push(surrogate),
            }
        }
        Ok(declarations)
    }

    /// What is accepted, but probably not as meant.
    pub fn warnings(&self) -> impl Iterator<Item = &Problem> + Clone {
        let surrogates = self.surrogates.iter().flat_map(SurrogateDeclaration::warnings);
        self.neurons.iter().flat_map(Declaration::warnings).chain(surrogates)
    }
}

enum Read {
    Neuron(Declaration),
    Surrogate(SurrogateDeclaration),
}

/// What was given to a macro, and where that is named.
struct Found {
    kind: Macro,
    call: Range<usize>,
    tokens: TokenStream,
}

/// What `declaration` makes of each declaration of that kind in a source file; without one, of the text.
pub fn read_all<T: Send>(
    source: &str,
    kind: Macro,
    declaration: impl Fn(&Range<usize>, TokenStream, &str) -> Result<T, Vec<Problem>> + Sync,
) -> Result<Vec<T>, Mistakes> {
    read(source, |mut found, source| {
        found.retain(|found| found.kind == kind);
        if found.is_empty() {
            found.push(Found { kind, call: 0..source.len(), tokens: parsed(source)? });
        }
        each(found, source, |Found { call, tokens, .. }| declaration(&call, tokens, source))
    })
}

/// The only one of `declarations`, which are called `what`.
pub fn one<T>(mut declarations: Vec<T>, what: &str, source: &str) -> Result<T, Mistakes> {
    match declarations.pop() {
        Some(declaration) if declarations.is_empty() => Ok(declaration),
        _ => {
            let message = format!("one {what} was expected, {} are declared", declarations.len() + 1);
            let problem = Problem::at(Level::Error, message, Vec::new(), 0..source.len(), source);
            Err(Mistakes::new(vec![problem], source))
        }
    }
}

/// What `work` makes of all declarations in a source file, on a thread that has room for them.
fn read<T: Send>(
    source: &str,
    work: impl Fn(Vec<Found>, &str) -> Result<Vec<T>, Mistakes> + Sync,
) -> Result<Vec<T>, Mistakes> {
    if let Some(at) = source::too_deep(source) {
        let hints = vec!["name parts of the expression by `let`".to_owned()];
        let problem = Problem::at(Level::Error, source::TOO_DEEP.to_owned(), hints, at..at + 1, source);
        return Err(Mistakes::new(vec![problem], source));
    }
    with_stack(|| {
        let found = declarations::all(source)
            .map_err(|error| Mistakes::new(vec![Problem::not_rust(&error, source)], source))?;
        let found = found.into_iter().map(|declarations::Declaration { kind, span, contents }| Found {
            kind,
            call: span.byte_range(),
            tokens: contents,
        });
        work(found.collect(), source)
    })
}

fn each<T>(
    found: Vec<Found>,
    source: &str,
    declaration: impl Fn(Found) -> Result<T, Vec<Problem>>,
) -> Result<Vec<T>, Mistakes> {
    let (mut declarations, mut mistakes) = (Vec::new(), Vec::new());
    for found in found {
        match declaration(found) {
            Ok(declared) => declarations.push(declared),
            Err(problems) => mistakes.extend(problems),
        }
    }
    if mistakes.is_empty() { Ok(declarations) } else { Err(Mistakes::new(mistakes, source)) }
}

fn parsed(source: &str) -> Result<TokenStream, Mistakes> {
    source.parse().map_err(|error| Mistakes::new(vec![Problem::not_rust(&error, source)], source))
}

/// Whether the word `surrogate` comes before the body.
fn begins_surrogate(tokens: &TokenStream) -> bool {
    let head = tokens.clone().into_iter().take_while(
        |token| !matches!(token, TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace),
    );
    head.into_iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "surrogate"))
}
