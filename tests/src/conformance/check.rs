//! Runs one case with one neuron in one format, in every way there is.

use neurons::evaluate::{Outputs, evaluate_on};
use neurons::{
    DeclaredNeuron, Device, Element, Error, Gradient, Neuron, ParamKind, Parameter, Real, Role, Source,
    Template, Value,
};

use super::case::Case;
use super::compare::{Quantity, Spikes, Tolerance, quantity};
use super::malformed::Malformed;
use super::names;
use super::report::Verdict;

/// Why a case could not be compared.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The file lacks something that the neuron needs.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The neuron did not run.
    #[error(transparent)]
    Run(#[from] Error),
    /// The file has a tensor that the neuron has nothing to do with, such as the gradient of what it does not learn.
    #[error("nothing computes `{0}`")]
    NotComputed(String),
    /// The format's rounding may change spikes.
    #[error("{0}")]
    Unresolved(String),
    /// The neuron's signature lacks an array that it should have.
    #[error("the neuron does not return {0:?}")]
    NotReturned(Role),
}

/// What a case came to.
pub(super) struct Measured {
    pub spikes: Spikes,
    pub quantities: Vec<Quantity>,
    /// The names of those that are sums over steps and neurons.
    sums: Vec<String>,
    /// Of those that are not, and of those that are.
    tolerance: [Tolerance; 2],
}

impl Measured {
    pub(super) fn verdict(&self) -> Verdict {
        if let Some(place) = &self.spikes.place {
            return Verdict::Fail(format!("`spike_seq` {place}"));
        }
        let is_off = |quantity: &&Quantity| {
            !self.tolerance[usize::from(self.sums.contains(&quantity.name))].allows(quantity)
        };
        match self.quantities.iter().find(is_off) {
            None => Verdict::Pass,
            Some(Quantity { name, place, .. }) => Verdict::Fail(format!("`{name}` {place}")),
        }
    }

    /// Keeps the larger difference of two ways to compute the same.
    fn add(&mut self, new: Quantity) {
        match self.quantities.iter_mut().find(|quantity| quantity.name == new.name) {
            None => self.quantities.push(new),
            Some(old) if new.absolute > old.absolute || new.absolute.is_nan() => *old = new,
            Some(_) => {}
        }
    }
}

/// Compares outputs and gradients over the whole sequence and by single steps.
pub(super) fn check<N: DeclaredNeuron, E: Element>(
    case: &Case,
    device: &Device,
) -> Result<Measured, Failure> {
    if let Some(reason) = case.unresolved.as_ref().filter(|_| E::NAME != <f64 as Element>::NAME) {
        return Err(Failure::Unresolved(reason.clone()));
    }
    let mut neuron = N::default();
    let gradient = case.settings.apply(&mut neuron)?;
    neuron.validate()?;
    // A case is not passed if a part of it is left out.
    if let Some(tensor) = case.tensors.keys().find(|tensor| !names::known(N::SPEC).contains(*tensor)) {
        return Err(Failure::NotComputed(tensor.clone()));
    }
    let tolerance = match case.amplification {
        None => [Tolerance::of::<E>(), Tolerance::of_sum::<E>()],
        Some(amplification) => [Tolerance::amplified::<E>(amplification); 2],
    };
    let measured =
        Measured { spikes: Spikes::default(), quantities: Vec::new(), sums: Vec::new(), tolerance };
    let (inputs, grad_output) = (Vec::new(), Vec::new());
    let parameters = parameters::<E>(case, &neuron)?;
    let mut check =
        Check::<N, E> { case, device, neuron, gradient, measured, inputs, grad_output, parameters };
    check.run()?;
    Ok(check.measured)
}

/// The values of each parameter that may differ between neurons: one for each neuron if the case has them, or one.
fn parameters<E: Element>(case: &Case, neuron: &impl Neuron) -> Result<Arrays<E>, Failure> {
    let mut parameters = Vec::new();
    for param in neuron.spec().arrays() {
        let name = names::parameter(param);
        parameters.push(if case.has(&name) {
            stored(case.row(&name)?)
        } else {
            match neuron.get(param.name) {
                Some(Value::Real(value)) => vec![E::Real::from_f64(value)],
                _ => Vec::new(),
            }
        });
    }
    Ok(parameters)
}

struct Check<'c, N, E: Element> {
    case: &'c Case,
    device: &'c Device,
    neuron: N,
    gradient: Gradient,
    measured: Measured,
    /// Input sequences.
    inputs: Vec<Vec<E>>,
    grad_output: Vec<E>,
    /// The parameters that may differ between neurons: one value for each, or one for all.
    parameters: Arrays<E>,
}

/// Values of each state, or of each factor.
type Arrays<E> = Vec<Vec<<E as Element>::Real>>;

/// What a forward pass over the sequence gave.
struct Forward<E: Element> {
    outputs: Vec<E>,
    /// After the last step.
    states: Arrays<E>,
    /// After each step, where steps were single.
    trace: Option<Arrays<E>>,
    factors: Arrays<E>,
    /// Of each state that has them.
    checkpoints: Arrays<E>,
}

/// What a backward pass over the sequence gave.
struct Backward<E: Element> {
    inputs: Vec<Vec<E>>,
    states: Arrays<E>,
    /// Of each learnable parameter, the sum over all steps.
    parameters: Vec<f64>,
}

impl<N: DeclaredNeuron, E: Element> Check<'_, N, E> {
    fn run(&mut self) -> Result<(), Failure> {
        let case = self.case;
        for name in N::SPEC.inputs {
            self.inputs.push(stored(case.sequence(&format!("{name}_seq"))?));
        }
        let grad_output = format!("grad_{}_seq", N::SPEC.output);
        let is_differentiated = !case.omits(&grad_output);
        let (mut initial, mut grad_next) = (Vec::new(), Vec::new());
        for state in N::SPEC.states {
            initial.push(stored(case.row(&format!("{}_init", state.name))?));
            if is_differentiated {
                grad_next.push(stored(case.row(&format!("grad_{}_next", state.name))?));
            }
        }
        if is_differentiated {
            self.grad_output = stored(case.sequence(&grad_output)?);
        }
        for template in [Template::Fptt, Template::FpttWithGrad, Template::LeanFptt] {
            let forward = self.sequence(template, &initial)?;
            self.compare_forward(template, &forward)?;
            let backward = match template {
                Template::FpttWithGrad => Template::Bptt,
                Template::LeanFptt => Template::LeanBptt,
                _ => continue,
            };
            if !is_differentiated {
                continue;
            }
            let gradients = self.bptt(backward, &initial, &forward, &grad_next)?;
            self.compare_backward(backward, &gradients)?;
        }
        for template in [Template::Forward, Template::ForwardWithGrad] {
            let forward = self.steps(template, &initial)?;
            self.compare_forward(template, &forward)?;
            if template == Template::ForwardWithGrad && is_differentiated {
                let backward = self.backward(&forward.factors, grad_next.clone())?;
                self.compare_backward(Template::Backward, &backward)?;
            }
        }
        Ok(())
    }

    fn evaluate(
        &self,
        template: Template,
        signals: &[&[E]],
        states: &[&[E::Real]],
    ) -> Result<Outputs<E>, Error> {
        let signals = signals.iter().map(|array| Source::Signal(array));
        let parameters =
            self.parameters.iter().map(|values| Source::Parameter(Parameter::per_neuron(values)));
        let states = states.iter().map(|array| Source::State(array));
        let sources: Vec<_> = signals.chain(states).chain(parameters).collect();
        evaluate_on(self.device, &self.neuron, template, self.gradient, self.case.neurons, &sources)
    }

    /// All steps in one call.
    fn sequence(&self, template: Template, initial: &Arrays<E>) -> Result<Forward<E>, Failure> {
        let mut outputs = self.evaluate(template, &slices(&self.inputs), &slices(initial))?;
        let states = (0..N::SPEC.states.len()).map(Role::NextState);
        let states = states.map(|role| take(&mut outputs, role)).collect::<Result<_, _>>()?;
        let factors = self.factors(template, &mut outputs)?;
        let checkpoints = N::SPEC.signature(template).outputs.iter().map(|buffer| buffer.role);
        let checkpoints = checkpoints.filter(|role| matches!(role, Role::Checkpoint(_)));
        let checkpoints = checkpoints.map(|role| take(&mut outputs, role)).collect::<Result<_, _>>()?;
        let outputs = take_signal(&mut outputs, Role::Output)?;
        Ok(Forward { outputs, states, trace: None, factors, checkpoints })
    }

    /// A call for each step.
    fn steps(&self, template: Template, initial: &Arrays<E>) -> Result<Forward<E>, Failure> {
        let mut states = initial.clone();
        let mut all_outputs = Vec::new();
        let mut trace = vec![Vec::new(); states.len()];
        let mut factors = vec![Vec::new(); factors_of::<N>(template)];
        for step in 0..self.case.steps {
            let inputs: Vec<&[E]> = self.inputs.iter().map(|input| self.row(input, step)).collect();
            let mut outputs = self.evaluate(template, &inputs, &slices(&states))?;
            for (index, (state, trace)) in states.iter_mut().zip(&mut trace).enumerate() {
                *state = take(&mut outputs, Role::NextState(index))?;
                trace.extend_from_slice(state);
            }
            for (all, factor) in factors.iter_mut().zip(self.factors(template, &mut outputs)?) {
                all.extend(factor);
            }
            all_outputs.extend(take_signal(&mut outputs, Role::Output)?);
        }
        Ok(Forward { outputs: all_outputs, states, trace: Some(trace), factors, checkpoints: Vec::new() })
    }

    /// All steps in one call.
    fn bptt(
        &self,
        template: Template,
        initial: &Arrays<E>,
        forward: &Forward<E>,
        grad_next: &Arrays<E>,
    ) -> Result<Backward<E>, Failure> {
        let is_lean = template == Template::LeanBptt;
        let inputs = self.inputs.iter().enumerate();
        let inputs = inputs.filter(|(index, _)| is_lean && N::SPEC.rereads(Role::Input(*index)));
        let inputs = inputs.map(|(_, input)| input.as_slice());
        let signals: Vec<&[E]> = inputs.chain([self.grad_output.as_slice()]).collect();
        let starts = initial.iter().enumerate();
        let starts = starts.filter(|(index, _)| is_lean && N::SPEC.rereads(Role::State(*index)));
        let starts = starts.map(|(_, state)| state.as_slice()).collect();
        let states =
            [starts, slices(&forward.checkpoints), slices(grad_next), slices(&forward.factors)].concat();
        let mut outputs = self.evaluate(template, &signals, &states)?;
        let inputs = (0..self.inputs.len()).map(Role::GradInput);
        let inputs = inputs.map(|role| take_signal(&mut outputs, role)).collect::<Result<_, _>>()?;
        let states = grad_states::<N, E>(&mut outputs)?;
        Ok(Backward { inputs, states, parameters: grad_parameters::<N, E>(&mut outputs)? })
    }

    /// A call for each step, from the last one on.
    fn backward(&self, factors: &Arrays<E>, mut grad_states_next: Arrays<E>) -> Result<Backward<E>, Failure> {
        let mut inputs: Vec<Vec<E>> =
            self.inputs.iter().map(|input| vec![E::default(); input.len()]).collect();
        let mut parameters = vec![0.0; N::SPEC.learnables().count()];
        for step in (0..self.case.steps).rev() {
            let factors: Vec<&[E::Real]> = factors.iter().map(|factor| self.row(factor, step)).collect();
            let states = [slices(&grad_states_next), factors].concat();
            let grad_output = self.row(&self.grad_output, step);
            let mut outputs = self.evaluate(Template::Backward, &[grad_output], &states)?;
            for (index, all) in inputs.iter_mut().enumerate() {
                let grad = take_signal(&mut outputs, Role::GradInput(index))?;
                all[step * self.case.neurons..][..grad.len()].copy_from_slice(&grad);
            }
            grad_states_next = grad_states::<N, E>(&mut outputs)?;
            for (sum, grad) in parameters.iter_mut().zip(grad_parameters::<N, E>(&mut outputs)?) {
                *sum += grad;
            }
        }
        Ok(Backward { inputs, states: grad_states_next, parameters })
    }

    fn factors(&self, template: Template, outputs: &mut Outputs<E>) -> Result<Arrays<E>, Failure> {
        (0..factors_of::<N>(template)).map(|index| take(outputs, Role::Factor(index))).collect()
    }

    fn compare_forward(&mut self, template: Template, forward: &Forward<E>) -> Result<(), Failure> {
        let case = self.case;
        let name = format!("{}_seq", N::SPEC.output);
        let expected = case.sequence(&name)?;
        if case.gives_spikes {
            self.measured.spikes.compare(template.name(), &forward.outputs, expected, case.neurons);
        } else {
            self.compare(&name, template, &forward.outputs, expected);
        }
        for (index, (state, spec)) in forward.states.iter().zip(N::SPEC.states).enumerate() {
            let (next, seq) = (format!("{}_next", spec.name), format!("{}_seq", spec.name));
            self.compare(&next, template, state, case.row(&next)?);
            if let Some(trace) = forward.trace.as_ref().filter(|_| case.has(&seq)) {
                self.compare(&seq, template, &trace[index], case.sequence(&seq)?);
            }
        }
        for (factor, name) in forward.factors.iter().zip(N::SPEC.factors).filter(|(_, name)| case.has(name)) {
            self.compare(name, template, factor, case.sequence(name)?);
        }
        Ok(())
    }

    fn compare_backward(&mut self, template: Template, backward: &Backward<E>) -> Result<(), Failure> {
        let case = self.case;
        for (grad, name) in backward.inputs.iter().zip(N::SPEC.inputs) {
            let name = format!("grad_{name}_seq");
            if case.has_shared(&name) {
                let steps = grad.chunks(case.neurons);
                let sums: Vec<f64> =
                    steps.map(|step| step.iter().map(|grad| grad.load().to_f64()).sum()).collect();
                self.compare_sums(name.clone(), template, &sums, case.shared_sequence(&name)?);
            } else {
                self.compare(&name, template, grad, case.sequence(&name)?);
            }
        }
        for (grad, state) in backward.states.iter().zip(N::SPEC.states) {
            let name = format!("grad_{}_init", state.name);
            if !case.omits(&name) {
                self.compare(&name, template, grad, case.row(&name)?);
            }
        }
        for (grad, param) in backward.parameters.iter().zip(N::SPEC.learnables()) {
            let name = names::gradient(param);
            if case.has(&name) {
                self.compare_sums(name.clone(), template, &[*grad], case.scalar(&name)?);
            }
        }
        Ok(())
    }

    fn compare_sums(&mut self, name: String, template: Template, actual: &[f64], expected: &[f64]) {
        self.measured.add(quantity(&name, template.name(), actual, expected, 1));
        self.measured.sums.push(name);
    }

    fn compare<F: Element>(&mut self, name: &str, template: Template, actual: &[F], expected: &[f64]) {
        self.measured.add(quantity(name, template.name(), actual, expected, self.case.neurons));
    }

    /// One step of a `[T, N]` array.
    fn row<'a, F>(&self, sequence: &'a [F], step: usize) -> &'a [F] {
        &sequence[step * self.case.neurons..][..self.case.neurons]
    }
}

/// How many factors a template returns.
fn factors_of<N: DeclaredNeuron>(template: Template) -> usize {
    if template.is_with_grad() { N::SPEC.factors.len() } else { 0 }
}

fn grad_states<N: DeclaredNeuron, E: Element>(outputs: &mut Outputs<E>) -> Result<Arrays<E>, Failure> {
    (0..N::SPEC.states.len()).map(|index| take(outputs, Role::GradState(index))).collect()
}

fn grad_parameters<N: DeclaredNeuron, E: Element>(outputs: &mut Outputs<E>) -> Result<Vec<f64>, Failure> {
    let params = N::SPEC.params.iter().enumerate();
    let learnables = params.filter(|(_, param)| param.kind == ParamKind::Learnable);
    learnables.map(|(index, _)| Ok(take(outputs, Role::GradParam(index))?[0].to_f64())).collect()
}

pub(super) fn take<E: Element>(outputs: &mut Outputs<E>, role: Role) -> Result<Vec<E::Real>, Failure> {
    outputs.take_state(role).ok_or(Failure::NotReturned(role))
}

fn take_signal<E: Element>(outputs: &mut Outputs<E>, role: Role) -> Result<Vec<E>, Failure> {
    outputs.take_signal(role).ok_or(Failure::NotReturned(role))
}

fn stored<E: Element>(numbers: &[f64]) -> Vec<E> {
    numbers.iter().map(|&number| E::store(E::Real::from_f64(number))).collect()
}

fn slices<A>(arrays: &[Vec<A>]) -> Vec<&[A]> {
    arrays.iter().map(Vec::as_slice).collect()
}
