//! What the page shows of a declaration.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use neuron_codegen::emit::{cuda, rust};
use neuron_codegen::latex::{self, Row};
use neuron_interpreter::{Declaration, Declarations, Mistakes, Problem};
use neuron_runtime::{Neuron, Surrogate};
use serde::Serialize;

use super::about::About;
use super::mathml;
use super::page::Choice;
use super::question::{Part, Question};
use crate::Error;
use crate::derivation::Derivation;
use crate::plot::{self, Kind, Setup};
use crate::simulate::{Drive, Field, Reason, Subject, duration};

/// Texts whose declarations are remembered, so that a slider does not read them again.
const REMEMBERED: usize = 8;
/// Problems that are shown: nobody reads more, and each is shown with its lines.
const SHOWN: usize = 100;

/// An answer; what was not asked for is empty.
#[derive(Serialize, Default)]
pub struct Answer {
    /// Why there is none.
    refused: Option<String>,
    problems: Vec<Place>,
    /// The number of problems beyond these.
    omitted: usize,
    /// The neurons that the text declares.
    names: Vec<&'static str>,
    /// The surrogates that it declares.
    surrogates: Vec<Choice>,
    neuron: Option<About>,
    amplitude: Option<f64>,
    steps: Option<usize>,
    equations: Vec<Line>,
    derivatives: Vec<Line>,
    /// By kind.
    pictures: BTreeMap<&'static str, Picture>,
    /// By language.
    code: BTreeMap<&'static str, String>,
}

/// A problem and its place in the text.
#[derive(Serialize, Clone)]
struct Place {
    level: &'static str,
    message: String,
    hints: Vec<String>,
    line: usize,
    column: usize,
    /// Offsets in UTF-16, as in the browser.
    start: usize,
    end: usize,
    /// As the compiler shows it.
    rendered: String,
}

/// An equation as MathML, and when it holds.
#[derive(Serialize)]
struct Line {
    left: String,
    right: String,
    note: Option<String>,
}

/// A picture, or why there is none.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Picture {
    Svg(String),
    Missing(String),
}

impl Answer {
    /// To a question that is not answered.
    pub fn refused(reason: String) -> Self {
        Self { refused: Some(reason), ..Self::default() }
    }
}

/// Answers questions, and remembers declarations.
#[derive(Default)]
pub struct Answerer {
    known: VecDeque<(String, Rc<Text>)>,
}

/// What a text was read as.
struct Text {
    declared: Vec<(Declaration, Rc<Derivation>)>,
    surrogates: Vec<Surrogate>,
    problems: Vec<Place>,
    omitted: usize,
}

impl Answerer {
    /// The answer, which says so itself if there is none.
    pub fn answer(&mut self, question: &Question) -> Answer {
        if let Err(reason) = question.check() {
            return Answer::refused(reason);
        }
        let text = match self.read(&question.text) {
            Ok(text) => text,
            Err(error) => return Answer::refused(error.to_string()),
        };
        let names = text.declared.iter().map(|(declaration, _)| declaration.spec().name).collect();
        let mut answer = Answer {
            problems: text.problems.clone(),
            omitted: text.omitted,
            names,
            surrogates: text.surrogates.iter().map(|surrogate| Choice::new(*surrogate)).collect(),
            ..Answer::default()
        };
        if text.declared.is_empty() && !text.surrogates.is_empty() {
            answer.refused = Some("a surrogate is shown with a neuron, and none is declared".to_owned());
        }
        let is_meant = |name: &str| question.neuron.as_deref().is_none_or(|meant| meant == name);
        let found = text.declared.iter().find(|(declaration, _)| is_meant(declaration.spec().name));
        if let Some((declaration, derivation)) = found.or(text.declared.first())
            && let Err(error) = answer.fill(question, &text.surrogates, declaration, derivation)
        {
            answer.refused = Some(error.to_string());
        }
        answer
    }

    fn read(&mut self, source: &str) -> Result<Rc<Text>, Error> {
        if let Some((_, text)) = self.known.iter().find(|(known, _)| known == source) {
            return Ok(text.clone());
        }
        let text = Rc::new(Text::read(source)?);
        self.known.truncate(REMEMBERED - 1);
        self.known.push_front((source.to_owned(), text.clone()));
        Ok(text)
    }
}

impl Text {
    fn read(source: &str) -> Result<Self, Error> {
        let (declarations, mistakes) = match Declarations::parse(source) {
            Ok(declarations) => (declarations, None),
            Err(mistakes) => (Declarations::default(), Some(mistakes)),
        };
        let all = mistakes.iter().flat_map(Mistakes::problems).chain(declarations.warnings());
        let omitted = all.clone().count().saturating_sub(SHOWN);
        let problems = all.take(SHOWN).map(|problem| Place::new(problem, source)).collect();
        let derived = |declaration: Declaration| {
            let derivation = Derivation::of(declaration.spec())?;
            Ok((declaration, Rc::new(derivation)))
        };
        Ok(Self {
            surrogates: declarations.surrogates.iter().map(|declaration| declaration.surrogate()).collect(),
            declared: declarations.neurons.into_iter().map(derived).collect::<Result<_, Error>>()?,
            problems,
            omitted,
        })
    }
}

impl Place {
    fn new(problem: &Problem, source: &str) -> Self {
        let units = |end: usize| source.get(..end).unwrap_or(source).encode_utf16().count();
        let Problem { level, message, hints, line, column, bytes } = problem;
        Self {
            level: level.name(),
            message: message.clone(),
            hints: hints.clone(),
            line: *line,
            column: *column,
            start: units(bytes.start),
            end: units(bytes.end),
            rendered: problem.render(None, source, false),
        }
    }
}

impl Answer {
    fn fill(
        &mut self,
        question: &Question,
        surrogates: &[Surrogate],
        declaration: &Declaration,
        derivation: &Rc<Derivation>,
    ) -> Result<(), Error> {
        let spec = declaration.spec();
        let mut subject = Subject::derived(&declaration.neuron(), derivation.clone());
        for (name, value) in &question.set {
            match subject.set(name, &value.text()) {
                // Of an earlier state of the text.
                Err(Error::UnknownParameter { .. } | Error::Value { .. }) => {}
                other => other?,
            }
        }
        if let Some(reset) =
            spec.resets.iter().find(|reset| Some(reset.keyword()) == question.reset.as_deref())
        {
            subject.neuron.set_reset(*reset);
        }
        self.neuron = Some(About::new(&subject, &declaration.neuron(), derivation));
        for part in &question.show {
            match part {
                Part::Equations => {
                    self.equations = lines(&latex::equations(&derivation.derived));
                    self.derivatives = lines(&latex::derivatives(&derivation.derived));
                }
                Part::Rust => self.code(question, "rust", derivation),
                Part::Cuda => self.code(question, "cuda", derivation),
                _ => {}
            }
        }
        subject.neuron.validate()?;
        self.draw(question, surrogates, subject)
    }

    fn draw(&mut self, question: &Question, surrogates: &[Surrogate], subject: Subject) -> Result<(), Error> {
        let pictured = |part: &Part| match part {
            Part::Trace => Some((Kind::Trace, 720)),
            Part::Fi => Some((Kind::Fi, 420)),
            Part::Phase => Some((Kind::Phase, 420)),
            Part::Gradient => Some((Kind::Gradient, 420)),
            Part::Surrogate => Some((Kind::Surrogate, 420)),
            Part::Equations | Part::Rust | Part::Cuda => None,
        };
        let pictures: Vec<(Kind, u32)> = question.show.iter().filter_map(pictured).collect();
        if pictures.is_empty() {
            return Ok(());
        }
        let drive = match question.amplitude {
            Some(amplitude) => Drive { amplitude, reason: Reason::Given },
            None => Drive::of(&subject)?,
        };
        let steps = match question.steps {
            Some(steps) => steps,
            None => duration(&subject, drive)?,
        };
        (self.amplitude, self.steps) = (Some(drive.amplitude), Some(steps));
        let (field, stimulus) = (Field::new(&subject), question.stimulus());
        let gradient = question.gradient(surrogates)?;
        let mut setup = Setup { subject, field, drive, steps, stimulus, gradient, width: None };
        for (kind, width) in pictures {
            let width = question.width(kind.name(), width);
            setup.width = Some(width);
            let picture = match plot::draw(&setup, kind, question.axes(setup.subject.neuron.spec())) {
                Ok(svg) => Picture::Svg(svg),
                Err(Error::OneState { neuron }) => {
                    Picture::Missing(format!("A phase plane needs two states, but {neuron} has only v."))
                }
                Err(error) => Picture::Missing(error.to_string()),
            };
            self.pictures.insert(kind.name(), picture);
        }
        Ok(())
    }

    fn code(&mut self, question: &Question, language: &'static str, derivation: &Derivation) {
        let programs = &derivation.programs;
        let named = programs.iter().find(|program| Some(program.variant.name()) == question.kernel);
        let print = if language == "cuda" { cuda::kernel } else { rust::kernel };
        if let Some(program) = named.or(programs.first()) {
            self.code.insert(language, print(&derivation.derived, program));
        }
    }
}

/// As MathML; as LaTeX where there is none.
fn lines(rows: &[Row]) -> Vec<Line> {
    let side = |text: &str, is_right: bool| {
        let verbatim = || {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            format!("<code>{}{text}</code>", if is_right { "= " } else { "" })
        };
        mathml::side(text, is_right).unwrap_or_else(verbatim)
    };
    let line = |Row { left, right, note }: &Row| Line {
        left: side(left, false),
        right: side(right, true),
        note: note.clone(),
    };
    rows.iter().map(line).collect()
}
