//! The neurons that a command serves, and those that files declare.

use std::io::Read;
use std::path::Path;

use neuron_codegen::suggest;
use neuron_interpreter::Declaration;
use neuron_runtime::Neuron;
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
            Some((path, declared)) => from_file(path, declared),
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

fn from_file(path: &Path, declared: Option<&str>) -> Result<Box<dyn Neuron>, Error> {
    let (file, source) = read(path)?;
    let found = Declaration::parse_all(&source)
        .map_err(|mistakes| Error::Mistakes { file: file.clone(), mistakes: Box::new(mistakes) })?;
    let is_meant =
        |declaration: &&Declaration| declared.is_none_or(|name| zoo::is_called(declaration.spec(), name));
    let meant: Vec<&Declaration> = found.iter().filter(is_meant).collect();
    match meant.as_slice() {
        [declaration] => Ok(Box::new(declaration.neuron())),
        _ => {
            let known: Vec<&str> = found.iter().map(|declaration| declaration.spec().name).collect();
            Err(Error::NoSuchDeclaration { file, name: declared.map(str::to_owned), known: known.join(", ") })
        }
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
