//! The files of the page, and what its menus offer.

use neuron_runtime::Surrogate;
use serde::Serialize;

use crate::{Error, Neurons, units};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const ICON: &str = "image/svg+xml";

/// Embedded files by their paths: path, media type, contents.
macro_rules! files {
    ($($path:literal: $kind:expr, $file:literal;)*) => {
        const FILES: &[(&str, &str, &str)] = &[$(($path, $kind, include_str!(concat!("page/", $file)))),*];
    };
}

files! {
    "/": HTML, "index.html";
    "/icon.svg": ICON, "icon.svg";
    "/style.css": CSS, "style.css";
    "/figures.css": CSS, "figures.css";
    "/main.js": SCRIPT, "main.js";
    "/client.js": SCRIPT, "client.js";
    "/code.js": SCRIPT, "code.js";
    "/controls.js": SCRIPT, "controls.js";
    "/draw.js": SCRIPT, "draw.js";
    "/editor.js": SCRIPT, "editor.js";
    "/equations.js": SCRIPT, "equations.js";
    "/figures.js": SCRIPT, "figures.js";
    "/highlight.js": SCRIPT, "highlight.js";
    "/link.js": SCRIPT, "link.js";
    "/surrogates.js": SCRIPT, "surrogates.js";
}

/// The neuron of `docs/guide.md`.
const GUIDE: &str = include_str!("page/guide.txt");

/// What is served.
pub struct Page {
    /// What the menus offer, as JSON.
    pub menu: String,
}

#[derive(Serialize)]
struct Menu {
    neurons: Vec<Start>,
    surrogates: Vec<Choice>,
}

/// A declaration to start from.
#[derive(Serialize)]
struct Start {
    name: String,
    summary: String,
    text: String,
}

/// A surrogate and its parameters.
#[derive(Serialize)]
pub struct Choice {
    name: &'static str,
    params: Vec<(&'static str, f64, &'static str)>,
}

impl Choice {
    pub fn new(surrogate: Surrogate) -> Self {
        let params = surrogate.parameter_defs().iter();
        Self {
            name: surrogate.name(),
            params: params.map(|param| (param.name, param.default, param.range)).collect(),
        }
    }
}

impl Page {
    /// Of a command's neurons.
    ///
    /// # Errors
    /// [`Error::Json`]
    pub fn new(neurons: &Neurons) -> Result<Self, Error> {
        let own = neurons.iter().map(|neuron| {
            let spec = neuron.spec();
            Start {
                name: spec.name.to_owned(),
                summary: units::summary(spec.doc),
                text: written(spec.declaration),
            }
        });
        let summary = "The adaptive neuron that the guide derives from its paper".to_owned();
        let guide = Start { name: "Adaptive".to_owned(), summary, text: GUIDE.to_owned() };
        let menu = Menu {
            neurons: own.chain([guide]).collect(),
            surrogates: Surrogate::all().map(Choice::new).collect(),
        };
        Ok(Self { menu: serde_json::to_string(&menu)? })
    }

    /// The media type and the contents of a file.
    pub fn file(path: &str) -> Option<(&'static str, &'static str)> {
        FILES.iter().find(|(known, ..)| *known == path).map(|(_, kind, text)| (*kind, *text))
    }
}

/// A declaration as in a source file.
fn written(declaration: &str) -> String {
    let lines = declaration.lines().map(|line| format!("    {line}").trim_end().to_owned());
    format!("neuron! {{\n{}\n}}\n", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the style sheet replaces for dark pages is what plots are drawn with.
    #[test]
    fn figures_have_the_colours_of_plots() {
        use neurons_plot::{COLORS, FAINT, INK, PAPER, QUIET};
        let style = Page::file("/figures.css").unwrap().1;
        for color in COLORS.into_iter().chain([FAINT, INK, PAPER, QUIET]) {
            let text = format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2);
            assert!(style.contains(&text), "{text}");
        }
    }
}
