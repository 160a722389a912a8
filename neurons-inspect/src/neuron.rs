//! The neurons that a command serves, and those that files declare.

use std::io::Read;
use std::path::Path;

use neuron_codegen::suggest;
use neuron_interpreter::{Declaration, Declarations};
use neuron_runtime::{Neuron, Surrogate};
use neurons::zoo;

use crate::Error;

/// The neurons that a command serves, each with its default parameters.
#[derive(Default)]
pub struct Neurons(Vec<Box<dyn Neuron>>);

impl Neurons {
    /// These and one more.
    #[must_use]
    pub fn with<N: Neuron + Default>(mut self) -> Self {
        self.0.push(Box::new(N::default()));
        self
    }

    /// These and those of the `neurons` crate.
    #[must_use]
    pub fn zoo(mut self) -> Self {
        self.0.extend(zoo::all());
        self
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Neuron> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The one called `name`: case and underscores make no difference. Of several, the first.
    ///
    /// # Errors
    /// [`Error::UnknownNeuron`]
    pub fn find(&self, name: &str) -> Result<&dyn Neuron, Error> {
        self.iter().find(|neuron| zoo::is_called(neuron.spec(), name)).ok_or_else(|| {
            let known: Vec<&str> = self.iter().map(|neuron| neuron.spec().name).collect();
            let closest = suggest::closest(name, &known).map(str::to_owned);
            Error::UnknownNeuron { name: name.to_owned(), closest, known: known.join(", ") }
        })
    }

    /// The one called `name`, or the one that is declared in the file of that name: `src/neuron.rs`, `-` for standard input,
    /// `src/neuron.rs:Lif` if there are several. It need not have been compiled.
    ///
    /// # Errors
    /// As [`Neurons::find`]; [`Error::Mistakes`], [`Error::NoSuchDeclaration`], [`Error::File`].
    pub fn find_or_read(&self, name: &str) -> Result<Box<dyn Neuron>, Error> {
        match in_file(name) {
            Some((path, declared)) => File::read(path)?.neuron(declared),
            None => Ok(self.find(name)?.boxed()),
        }
    }
}

/// The file that `name` means, and the neuron in it, if it is not that of a neuron.
pub fn in_file(name: &str) -> Option<(&Path, Option<&str>)> {
    let is_file = |text: &str| text == "-" || text.contains(['/', '\\', '.']);
    let (path, declared) = match name.rsplit_once(':') {
        // Not the drive of a path.
        Some((path, declared)) if !declared.contains(['/', '\\', '.']) => (path, Some(declared)),
        _ => (name, None),
    };
    is_file(path).then(|| (Path::new(path), declared))
}

/// A file with declarations.
pub struct File {
    name: String,
    declarations: Declarations,
}

/// One of them.
pub enum Declared {
    Neuron(Box<dyn Neuron>),
    Surrogate(Surrogate),
}

impl File {
    /// # Errors
    /// [`Error::Mistakes`], [`Error::File`]
    pub fn read(path: &Path) -> Result<Self, Error> {
        let (name, source) = read(path)?;
        match Declarations::parse(&source) {
            Ok(declarations) => Ok(Self { name, declarations }),
            Err(mistakes) => Err(Error::Mistakes { file: name, mistakes: Box::new(mistakes) }),
        }
    }

    /// The surrogates, in order.
    pub fn surrogates(&self) -> impl Iterator<Item = Surrogate> {
        self.declarations.surrogates.iter().map(|declaration| declaration.surrogate())
    }

    /// The neuron called `name`; without a name, the only one.
    ///
    /// # Errors
    /// [`Error::NoSuchDeclaration`]
    pub fn neuron(&self, name: Option<&str>) -> Result<Box<dyn Neuron>, Error> {
        let neurons = &self.declarations.neurons;
        let is_meant =
            |declaration: &&Declaration| name.is_none_or(|name| zoo::is_called(declaration.spec(), name));
        let meant: Vec<&Declaration> = neurons.iter().filter(is_meant).collect();
        match meant.as_slice() {
            [declaration] => Ok(Box::new(declaration.neuron())),
            _ => Err(self.none("neuron", name, neurons.iter().map(|declaration| declaration.spec().name))),
        }
    }

    /// The surrogate called `name`; without a name, the only one.
    ///
    /// # Errors
    /// [`Error::NoSuchDeclaration`]
    pub fn surrogate(&self, name: Option<&str>) -> Result<Surrogate, Error> {
        let is_meant = |surrogate: &Surrogate| name.is_none_or(|name| is_surrogate(*surrogate, name));
        match self.surrogates().filter(is_meant).collect::<Vec<_>>().as_slice() {
            [surrogate] => Ok(*surrogate),
            _ => Err(self.none("surrogate", name, self.surrogates().map(|surrogate| surrogate.name()))),
        }
    }

    /// The neuron or the surrogate called `name`; without a name, the only neuron, or the only surrogate of a file without
    /// neurons.
    ///
    /// # Errors
    /// [`Error::NoSuchDeclaration`]
    pub fn find(&self, name: Option<&str>) -> Result<Declared, Error> {
        let surrogate = match name {
            Some(name) => self.surrogates().any(|surrogate| is_surrogate(surrogate, name)),
            None => self.declarations.neurons.is_empty(),
        };
        if surrogate {
            return Ok(Declared::Surrogate(self.surrogate(name)?));
        }
        Ok(Declared::Neuron(self.neuron(name)?))
    }

    fn none(
        &self,
        what: &'static str,
        name: Option<&str>,
        known: impl Iterator<Item = &'static str>,
    ) -> Error {
        let known: Vec<&str> = known.collect();
        let several = known.len() > 1;
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Error::NoSuchDeclaration {
            file: self.name.clone(),
            what,
            name: name.map(str::to_owned),
            several,
            known,
        }
    }
}

/// Whether `name` is that of a surrogate: case, `_` and `-` make no difference.
fn is_surrogate(surrogate: Surrogate, name: &str) -> bool {
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    plain(surrogate.name()) == plain(name)
}

/// The surrogate called `name`: one of `own`, one of the library, or one that is declared in the file of that name.
///
/// # Errors
/// As [`File::read`] and [`File::surrogate`]; there is none.
pub fn surrogate(name: &str, own: &[Surrogate]) -> Result<Surrogate, Error> {
    if let Some((path, declared)) = in_file(name) {
        return File::read(path)?.surrogate(declared);
    }
    match own.iter().find(|surrogate| is_surrogate(**surrogate, name)) {
        Some(surrogate) => Ok(*surrogate),
        None => Ok(Surrogate::from_name(name, &[])?),
    }
}

/// What to call a file, and its text; `-` is standard input.
pub fn read(path: &Path) -> Result<(String, String), Error> {
    let (file, source) = if path == Path::new("-") {
        let (file, mut source) = ("<stdin>".to_owned(), String::new());
        std::io::stdin().read_to_string(&mut source).map_err(Error::file("read", Path::new(&file)))?;
        (file, source)
    } else {
        (path.display().to_string(), std::fs::read_to_string(path).map_err(Error::file("read", path))?)
    };
    Ok((file, source.trim_start_matches('\u{feff}').to_owned()))
}
