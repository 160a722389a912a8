//! Runs a neuron in every way its templates offer and compares what comes out.

use neurons::evaluate::{Mode, Outputs, evaluate};
use neurons::{Element, Error, Gradient, Neuron, Real, Source, Template};

use super::case::{Case, CaseError};
use super::report::{Compared, Verdict};

/// How close a format has to come.
pub trait Tolerance: Element<Real = Self> + Real {
    /// Whether a difference is small enough.
    fn accepts(compared: &Compared) -> bool;
}

impl Tolerance for f64 {
    fn accepts(compared: &Compared) -> bool {
        compared.absolute <= 1e-10
    }
}

impl Tolerance for f32 {
    fn accepts(compared: &Compared) -> bool {
        compared.relative <= 2e-5
    }
}

/// Runs `neuron` on the inputs of `case` and compares every output and gradient.
pub fn compare<N: Neuron, E: Tolerance>(case: &Case, neuron: &N, gradient: Gradient) -> Verdict {
    let run = Run::<N, E> { case, neuron, gradient, results: Vec::new(), format: std::marker::PhantomData };
    let results = match run.all() {
        Ok(results) => results,
        Err(reason) => return Verdict::Failed { reason, results: vec![] },
    };
    let accepted = |r: &&Compared| if r.name == "spike_seq" { r.absolute == 0.0 } else { E::accepts(r) };
    match results.iter().find(|result| !accepted(result)) {
        None => Verdict::Passed(results),
        Some(worst) => {
            let reason = format!("`{}` is off by {:.1e}", worst.name, worst.absolute);
            Verdict::Failed { reason, results }
        }
    }
}

struct Run<'a, N, E> {
    case: &'a Case,
    neuron: &'a N,
    gradient: Gradient,
    results: Vec<Compared>,
    format: std::marker::PhantomData<E>,
}

/// The arrays of one step or one sequence.
type Arrays<E> = Vec<Vec<E>>;

impl<N: Neuron, E: Tolerance> Run<'_, N, E> {
    fn all(mut self) -> Result<Vec<Compared>, String> {
        self.sequences().map_err(|error| error.to_string())?;
        self.steps().map_err(|error| error.to_string())?;
        Ok(self.results)
    }

    /// Names of the states.
    fn states() -> impl Iterator<Item = &'static str> {
        N::SPEC.states.iter().map(|state| state.name)
    }

    /// A tensor of the case in this format.
    fn tensor(&self, name: &str, per_step: bool) -> Result<Vec<E>, CaseError> {
        let length = if per_step { self.case.steps * self.case.neurons } else { self.case.neurons };
        Ok(self.case.required(name, length)?.iter().map(|&value| E::from_f64(value)).collect())
    }

    /// One tensor for each state.
    fn of_states(&self, name: impl Fn(&str) -> String) -> Result<Arrays<E>, CaseError> {
        Self::states().map(|state| self.tensor(&name(state), false)).collect()
    }

    fn evaluate(&self, template: Template, signals: &[&[E]], states: &[&[E]]) -> Result<Outputs<E>, Error> {
        let sources = signals.iter().map(|array| Source::Signal(*array));
        let sources: Vec<Source<'_, E>> =
            sources.chain(states.iter().map(|array| Source::State(*array))).collect();
        evaluate(self.neuron, Mode::Spiking, template, self.gradient, self.case.neurons, &sources)
    }

    /// Notes the difference of an output from the case, if the case has it.
    fn note(&mut self, name: &str, actual: &[E]) {
        let Some(expected) = self.case.tensor(name) else { return };
        let magnitude = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        let difference = |(a, e): (&E, &f64)| {
            let difference = (a.to_f64() - e).abs();
            // NaN would get lost in `max`.
            if difference.is_nan() { f64::INFINITY } else { difference }
        };
        let absolute = if actual.len() == expected.len() {
            actual.iter().zip(expected).map(difference).fold(0.0, f64::max)
        } else {
            f64::INFINITY
        };
        let relative = if absolute == 0.0 { 0.0 } else { absolute / magnitude };
        match self.results.iter_mut().find(|result| result.name == name) {
            Some(result) => {
                result.absolute = result.absolute.max(absolute);
                result.relative = result.relative.max(relative);
            }
            None => self.results.push(Compared { name: name.to_owned(), absolute, relative }),
        }
    }

    /// `fptt`, `fptt_with_grad`, `bptt`.
    fn sequences(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let x_seq = self.tensor("x_seq", true)?;
        let initial = self.of_states(|state| format!("{state}_init"))?;
        for template in [Template::Fptt, Template::FpttWithGrad] {
            let mut outputs = self.evaluate(template, &[&x_seq], &slices(&initial))?;
            self.note("spike_seq", &outputs.take_signal("spike_seq").unwrap_or_default());
            for state in Self::states() {
                let name = format!("{state}_next");
                self.note(&name, &outputs.take_state(&name).unwrap_or_default());
            }
            if template == Template::FpttWithGrad {
                let factors: Arrays<E> = take(&mut outputs, N::SPEC.factors);
                for (name, factor) in N::SPEC.factors.iter().zip(&factors) {
                    self.note(name, factor);
                }
                self.bptt(&factors)?;
            }
        }
        Ok(())
    }

    fn bptt(&mut self, factors: &Arrays<E>) -> Result<(), Box<dyn std::error::Error>> {
        let grad_spike_seq = self.tensor("grad_spike_seq", true)?;
        let mut states = self.of_states(|state| format!("grad_{state}_next"))?;
        states.extend(factors.iter().cloned());
        let mut grads = self.evaluate(Template::Bptt, &[&grad_spike_seq], &slices(&states))?;
        self.note("grad_x_seq", &grads.take_signal("grad_x_seq").unwrap_or_default());
        for state in Self::states() {
            let grad = grads.take_state(&format!("grad_{state}")).unwrap_or_default();
            self.note(&format!("grad_{state}_init"), &grad);
        }
        Ok(())
    }

    /// `forward`, `forward_with_grad`, `backward`, repeated.
    fn steps(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let (steps, neurons) = (self.case.steps, self.case.neurons);
        let x_seq = self.tensor("x_seq", true)?;
        let row = |array: &[E], step: usize| array[step * neurons..(step + 1) * neurons].to_vec();
        let next: Vec<String> = Self::states().map(|state| format!("{state}_next")).collect();
        let next: Vec<&str> = next.iter().map(String::as_str).collect();
        for template in [Template::Forward, Template::ForwardWithGrad] {
            let mut state = self.of_states(|state| format!("{state}_init"))?;
            let mut spike_seq = Vec::new();
            let mut state_seqs = vec![Vec::new(); state.len()];
            let mut factors = Vec::new();
            for step in 0..steps {
                let mut outputs = self.evaluate(template, &[&row(&x_seq, step)], &slices(&state))?;
                spike_seq.extend(outputs.take_signal("spike").unwrap_or_default());
                state = take(&mut outputs, &next);
                for (seq, state) in state_seqs.iter_mut().zip(&state) {
                    seq.extend_from_slice(state);
                }
                factors.push(take(&mut outputs, N::SPEC.factors));
            }
            self.note("spike_seq", &spike_seq);
            for (name, seq) in Self::states().zip(&state_seqs) {
                self.note(&format!("{name}_seq"), seq);
            }
            if template == Template::ForwardWithGrad {
                self.backward(&factors)?;
            }
        }
        Ok(())
    }

    fn backward(&mut self, factors: &[Arrays<E>]) -> Result<(), Box<dyn std::error::Error>> {
        let neurons = self.case.neurons;
        let grad_spike_seq = self.tensor("grad_spike_seq", true)?;
        let mut grads = self.of_states(|state| format!("grad_{state}_next"))?;
        let names: Vec<String> = Self::states().map(|state| format!("grad_{state}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut grad_x_seq = Vec::new();
        for (step, factors) in factors.iter().enumerate().rev() {
            let grad_spike = &grad_spike_seq[step * neurons..(step + 1) * neurons];
            let states: Vec<&[E]> = slices(&grads).into_iter().chain(slices(factors)).collect();
            let mut outputs = self.evaluate(Template::Backward, &[grad_spike], &states)?;
            grad_x_seq.splice(0..0, outputs.take_signal("grad_x").unwrap_or_default());
            grads = take(&mut outputs, &names);
        }
        self.note("grad_x_seq", &grad_x_seq);
        for (state, grad) in Self::states().zip(&grads) {
            self.note(&format!("grad_{state}_init"), grad);
        }
        Ok(())
    }
}

fn slices<E>(arrays: &Arrays<E>) -> Vec<&[E]> {
    arrays.iter().map(Vec::as_slice).collect()
}

/// The named arrays in the format of the arithmetic, as far as there are such.
fn take<E: Tolerance>(outputs: &mut Outputs<E>, names: &[&str]) -> Arrays<E> {
    names.iter().filter_map(|name| outputs.take_state(name)).collect()
}
