//! Scans over time: which neurons have them, and that what they compute is right up to rounding. The CUDA source is compiled as C++,
//! as in `cuda_source.rs`.

use std::path::Path;

use neuron_codegen::gradient::Derived;
use neuron_codegen::kernel::programs;
use neurons::{Array, DeclaredNeuron, Element, Error, MultiStep, Surrogate, Template};
use neurons_tests::cases::{Case, Inputs, every_case};
use neurons_tests::close::compare_close;
use neurons_tests::compare::{Executor as _, same_bits};
use neurons_tests::declared::every_neuron;
use neurons_tests::host_cuda::{Compiler, is_transcendental, launches};
use neurons_tests::host_kernels::{Kernels, Which};

neurons::neuron! {
    /// It fires and keeps its potential.
    pub struct NoReset {
        /// Membrane time constant.
        param tau = 2.0 where tau > 1.0;

        charge = v + (x - v) / tau;
        reset none | soft;
    }
}

neurons::neuron! {
    /// Two states, parameters that differ between neurons, and a gradient of one.
    pub struct ReadOut {
        /// Synaptic time constant.
        array tau_syn = 5.0 where tau_syn >= 1.0;
        /// Membrane time constant.
        learnable tau_mem = 10.0 where tau_mem >= 1.0;
        state i = 0.0;

        let current = (1.0 - 1.0 / tau_syn) * i + x;
        charge = (1.0 - 1.0 / tau_mem) * v + current;
        update i = current;
        output = v * h;
    }
}

neurons::neuron! {
    /// What becomes of its state depends on an input, and on a parameter with a gradient.
    pub struct Gated {
        learnable w = 0.5;
        input x, gate;

        let keep = sigmoid(gate + w);
        charge = keep * v + (1.0 - keep) * x;
        reset none;
    }
}

neurons::neuron! {
    /// Three states in a ring, one of which starts from elsewhere.
    pub struct Ring {
        param a = 0.5;
        param b = 0.25;
        state p = a;
        state q = 0.0;

        charge = a * v + b * q + x;
        update p = a * p - b * h;
        update q = b * (p + q) + if x > 0.5 { x * q } else { 0.0 };
        output = h + p;
    }
}

neurons::neuron! {
    /// More states than a scan is worth it for.
    pub struct Chain {
        param a = 0.5;
        state p = 0.0;
        state q = 0.0;
        state r = 0.0;

        charge = a * v + x;
        update p = a * p + h;
        update q = a * q + p;
        update r = a * r + q;
        output = r;
    }
}

neurons::neuron! {
    /// A state that a condition of another depends on.
    pub struct Switched {
        param a = 0.5;
        state p = 0.0;

        charge = a * v + x;
        update p = if h > 0.0 { p } else { x };
        output = p;
    }
}

/// `neuron reset: equation`, for all that cannot be scanned.
fn refusals<N: DeclaredNeuron>() -> Vec<String> {
    let refusal = |&reset| match N::SPEC.check_affine(reset) {
        Ok(()) => None,
        Err(Error::NotAffine { neuron, name, expr }) => Some(format!("{neuron} {reset}: {name} = {expr}")),
        Err(error) => panic!("{error}"),
    };
    N::SPEC.resets.iter().filter_map(refusal).collect()
}

/// Whether the template has a kernel that scans, under any reset.
fn scans<N: DeclaredNeuron>(template: Template) -> usize {
    N::SPEC.cuda.source().matches(&format!("reset_{template}_scan)(")).count()
}

#[test]
fn linear_neurons_are_affine() {
    struct Affine(Vec<String>);
    impl neurons_tests::declared::Visit for Affine {
        fn visit<N: DeclaredNeuron>(&mut self) {
            let refused = refusals::<N>().len();
            if refused < N::SPEC.resets.len() {
                self.0.push(N::SPEC.name.to_owned());
            }
            assert_eq!(scans::<N>(Template::Fptt), N::SPEC.resets.len() - refused, "{}", N::SPEC.name);
        }
    }
    let mut zoo = Affine(Vec::new());
    every_neuron(&mut zoo);
    assert_eq!(zoo.0, ["LeakyIntegrator"]);

    let none: [String; 0] = [];
    assert_eq!(refusals::<NoReset>(), ["NoReset soft: v_next (soft reset) = h - spike * v_threshold"]);
    assert_eq!(refusals::<ReadOut>(), none);
    assert_eq!(refusals::<Gated>(), none);
    assert_eq!(refusals::<Ring>(), none);
    assert_eq!(refusals::<Chain>(), none);
    assert_eq!(refusals::<Switched>(), ["Switched no: p_next = if h > 0 { p } else { x }"]);
    assert_eq!(refusals::<neurons::Qif>()[0].split(": ").nth(1).map(|text| &text[..2]), Some("h "));
    for template in [Template::Fptt, Template::LeanFptt, Template::LeanBptt] {
        assert_eq!(scans::<NoReset>(template), 1);
        assert_eq!(scans::<ReadOut>(template), 1);
        assert_eq!(scans::<Gated>(template), 1);
        assert_eq!(scans::<Ring>(template), 1);
        assert_eq!(scans::<Chain>(template), 0);
    }
    assert_eq!(scans::<Gated>(Template::Bptt), 0);
}

/// Sizes `[T, N]`: a part of a chunk, one more than a turn of eight or sixteen warps has, several turns; blocks and parts of them.
const SIZES: [[usize; 2]; 5] = [[1, 1], [13, 40], [129, 3], [200, 33], [345, 70]];

fn check<N: DeclaredNeuron, E: Element>(compiler: &Compiler, directory: &Path, derived: &mut Derived) {
    let programs = programs(derived);
    let source = format!("{}\n{}", N::SPEC.cuda.source(), launches(derived, &programs));
    let library = compiler.load(directory, N::SPEC.module, E::NAME, &source);
    let is_transcendental = is_transcendental(N::SPEC.cuda.source());
    let kernels = Kernels { library, is_transcendental, which: Which::Scan };
    let cases = every_case::<N>(&SIZES).into_iter().filter(|case| {
        kernels.launch::<N, E>(case).is_some()
            && case.inputs == Inputs::Common
            && (case.gradient.surrogate.name() == Surrogate::default().name())
    });
    let mut count = 0;
    for case in cases {
        compare_close::<N, E, _>(&kernels, &case, |_| false);
        compare_close::<N, E, _>(&kernels, &case, |_| true);
        spikes::<N, E>(&kernels, &case);
        count += 1;
    }
    assert!(count >= 3 * SIZES.len(), "{} {}", N::SPEC.name, E::NAME);
}

/// Spikes are those of the kernel for few neurons, except where a potential is next to the threshold.
fn spikes<N: DeclaredNeuron, E: Element>(kernels: &Kernels, case: &Case<N>) {
    if !N::SPEC.fires() || case.template.is_backward() {
        return;
    }
    let traced = Case { template: Template::FpttWithV, ..case.clone() };
    let inputs = case.input_arrays::<E>();
    let mut scanned = case.poisoned::<E>(&inputs);
    kernels.run(case, &inputs, &mut scanned);
    let sources: Vec<_> = inputs.iter().map(|input| input.source()).collect();
    let mode = neurons::evaluate::Mode::Spiking;
    let expected = neurons::evaluate::evaluate(
        &case.neuron,
        mode,
        traced.template,
        case.gradient,
        case.neurons,
        &sources,
    );
    let mut expected = expected.unwrap();
    let spikes = expected.take_signal(neurons::Role::Output).unwrap();
    let potentials = expected.take_state(neurons::Role::Trace).unwrap();
    let Some(neurons::Value::Real(threshold)) = case.neuron.get("v_threshold") else { panic!("it fires") };
    for ((actual, spike), potential) in scanned[0].numbers().into_iter().zip(spikes).zip(potentials) {
        use neurons::Real;
        let is_near = (potential.to_f64() - threshold).abs() < 1e-5;
        assert!(is_near || same_bits(actual, spike.load().to_f64()), "{potential:?}: {} {case:?}", E::NAME);
    }
}

#[test]
fn scans_are_right_up_to_rounding() {
    let Some(compiler) = Compiler::find() else { return };
    let directory = tempfile::tempdir().unwrap();
    fn all<N: DeclaredNeuron>(compiler: &Compiler, directory: &Path, declared: &str) {
        let declarations = neuron_codegen::declarations::declarations(declared).unwrap();
        let models = declarations.into_iter().map(neuron_codegen::check::analyse);
        let models = models.filter_map(|analysis| analysis.model);
        let model = models.into_iter().find(|model| model.name == N::SPEC.name).unwrap();
        let mut derived = Derived::new(model);
        check::<N, f32>(compiler, directory, &mut derived);
        check::<N, f64>(compiler, directory, &mut derived);
        check::<N, half::f16>(compiler, directory, &mut derived);
        check::<N, half::bf16>(compiler, directory, &mut derived);
    }
    let here = include_str!("scan.rs");
    let directory = directory.path();
    all::<NoReset>(&compiler, directory, here);
    all::<ReadOut>(&compiler, directory, here);
    all::<Gated>(&compiler, directory, here);
    all::<Ring>(&compiler, directory, here);
    all::<neurons::LeakyIntegrator>(&compiler, directory, include_str!("../../neurons/src/integrator.rs"));
}

/// The CPU takes one step after the other, asked for a scan or not; a neuron that cannot be scanned is refused there, too.
#[test]
fn the_cpu_computes_as_it_does_otherwise() {
    let x = Array::full([40, 3], 0.75f32);
    let v = Array::zeros([3]);
    let plain = MultiStep::new(NoReset::default(), Surrogate::default());
    let mut scan = plain.clone();
    scan.scan = true;
    let [expected, actual] = [&plain, &scan].map(|operation| {
        let (spike, v, context) = operation.forward(&x, &v).unwrap();
        let (grad_x, grad_v) = context.backward(&x, &v).unwrap();
        [spike, v, grad_x, grad_v].map(|array| array.to_vec().unwrap())
    });
    assert_eq!(expected, actual);

    let mut refused = MultiStep::new(neurons::Lif::default(), Surrogate::default());
    refused.scan = true;
    let error = refused.forward(&x, &v).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Lif: a scan needs a step that is affine in the states, and \
         `v_next (hard reset) = if spike { v_reset } else { h }` is not"
    );
    assert_eq!(refused.inference(&x, &v), Err(error));
}
