//! Neurons declared at run time against those of the macro, bit for bit.

use half::{bf16, f16};
use neuron_abi::kernel;
use neuron_codegen::build::settings::{Format, Mode, Settings, Target};
use neuron_interpreter::{Declaration, Interpreted};
use neurons::cuda::source_with;
use neurons::evaluate::{self, evaluate};
use neurons::{Call, DeclaredNeuron, Element, Neuron, Sink, Source, Spec, Template, Value};
use neurons_tests::cases::{Case, Host, every_case};
use neurons_tests::compare::{Executor, compare, same_bits};
use neurons_tests::declared::{Visit, every_neuron};

neurons::surrogate! { surrogate Own { primitive = sigmoid(3.0 * u) + 0.5 * tanh(sin(u)); } }

/// Sizes `[T, N]` around those of blocks of steps and of tiles, and one where threads are started.
const SIZES: [[usize; 2]; 5] = [[1, 3], [8, 64], [9, 70], [17, 33], [20, 2000]];

/// The interpreter, with the declaration of one neuron.
struct Interpreter {
    declaration: Declaration,
}

impl Interpreter {
    fn of<N: DeclaredNeuron>() -> Self {
        let declaration = Declaration::parse(N::SPEC.declaration);
        Self { declaration: declaration.unwrap_or_else(|mistakes| panic!("{}:\n{mistakes}", N::SPEC.name)) }
    }

    /// With the parameters, flags and reset of `neuron`.
    fn like<N: DeclaredNeuron>(&self, neuron: &N) -> Interpreted {
        let mut interpreted = self.declaration.neuron();
        let params = N::SPEC.params.iter().map(|param| param.name);
        for name in params.chain(N::SPEC.flags.iter().map(|flag| flag.name)) {
            interpreted.set(name, neuron.get(name).unwrap()).unwrap();
        }
        interpreted.set_reset(neuron.reset());
        interpreted
    }
}

impl Executor for Interpreter {
    fn run<N: DeclaredNeuron, E: Element>(
        &self,
        case: &Case<N>,
        inputs: &[Host<E>],
        outputs: &mut [Host<E>],
    ) {
        let inputs: Vec<Source<'_, E>> = inputs.iter().map(Host::source).collect();
        let mut outputs: Vec<Sink<'_, E>> = outputs.iter_mut().map(sink).collect();
        let Case { neuron, template, gradient, neurons, .. } = case;
        let call = Call {
            template: *template,
            neurons: *neurons,
            gradient: *gradient,
            inputs: &inputs,
            outputs: &mut outputs,
        };
        self.like(neuron).run(call).unwrap();
    }

    fn is_exact_in_double<N: DeclaredNeuron>(&self, _: &Case<N>) -> bool {
        true
    }
}

fn sink<E: Element>(host: &mut Host<E>) -> Sink<'_, E> {
    match host {
        Host::Signal(array) => Sink::Signal(array),
        Host::State(array) => Sink::State(array),
        Host::Parameter(array, _) => Sink::Parameter(array),
        Host::Bits(words) => Sink::Bits(words),
    }
}

/// Every template, reset, flag, surrogate and format.
#[test]
fn the_same_bits() {
    struct Same;
    impl Visit for Same {
        fn visit<N: DeclaredNeuron>(&mut self) {
            let interpreter = Interpreter::of::<N>();
            for case in every_case::<N>(&SIZES) {
                compare::<N, f32, _>(&interpreter, &case);
                compare::<N, f64, _>(&interpreter, &case);
                compare::<N, f16, _>(&interpreter, &case);
                compare::<N, bf16, _>(&interpreter, &case);
            }
        }
    }
    every_neuron(&mut Same);
}

/// The model that `gradcheck` takes differences of.
#[test]
fn the_same_relaxed_model() {
    fn outputs<N: Neuron, E: Element>(case: &Case<impl DeclaredNeuron>, neuron: &N) -> Vec<f64> {
        let inputs = case.input_arrays::<E>();
        let inputs: Vec<Source<'_, E>> = inputs.iter().map(Host::source).collect();
        let Case { template, gradient, neurons, .. } = *case;
        let outputs =
            evaluate(neuron, evaluate::Mode::Relaxed, template, gradient, neurons, &inputs).unwrap();
        outputs.into_arrays().flat_map(|(_, output)| Host::from(output).numbers()).collect()
    }
    struct Same;
    impl Visit for Same {
        fn visit<N: DeclaredNeuron>(&mut self) {
            let interpreter = Interpreter::of::<N>();
            let with_grad = [Template::ForwardWithGrad, Template::FpttWithGrad];
            for case in every_case::<N>(&[[9, 70]]).iter().filter(|case| with_grad.contains(&case.template)) {
                let interpreted = interpreter.like(&case.neuron);
                let expected = outputs::<_, f64>(case, &case.neuron);
                let actual = outputs::<_, f64>(case, &interpreted);
                let same = expected.iter().zip(&actual).all(|(a, b)| same_bits(*a, *b));
                assert!(same && expected.len() == actual.len(), "{case:?}");
            }
        }
    }
    every_neuron(&mut Same);
}

/// All but the kernels for the GPU.
#[test]
fn the_same_specification() {
    struct Same;
    impl Visit for Same {
        fn visit<N: DeclaredNeuron>(&mut self) {
            let Spec {
                name,
                module,
                doc,
                declaration,
                inputs,
                states,
                params,
                flags,
                output,
                resets,
                nonlinear,
                factors,
                equations,
                derivatives,
                signatures,
                cuda: _,
            } = N::SPEC;
            let spec = Interpreter::of::<N>().declaration.spec();
            assert_eq!(
                (name, module, doc, declaration),
                (&spec.name, &spec.module, &spec.doc, &spec.declaration)
            );
            assert_eq!(
                (inputs, states, params, flags),
                (&spec.inputs, &spec.states, &spec.params, &spec.flags)
            );
            assert_eq!((output, resets, factors), (&spec.output, &spec.resets, &spec.factors));
            assert_eq!(nonlinear, &spec.nonlinear);
            assert_eq!((equations, derivatives), (&spec.equations, &spec.derivatives));
            assert_eq!(signatures, &spec.signatures);
        }
    }
    every_neuron(&mut Same);
}

/// Kernels for the GPU are printed when they are needed: all of them as the macro embeds them, or each by itself.
#[test]
fn the_same_kernels_for_the_gpu() {
    struct Same;
    impl Visit for Same {
        fn visit<N: DeclaredNeuron>(&mut self) {
            let spec = Interpreter::of::<N>().declaration.spec();
            assert!(spec.cuda.source() == N::SPEC.cuda.source(), "{}", spec.name);
            assert_eq!(N::SPEC.cuda.source_of("bptt"), None);
            let text = |kernel: &str| spec.cuda.source_of(kernel).unwrap();
            let kernels = |text: &str| text.matches("__global__").count();
            let others = kernels(&text("none"));
            for template in spec.templates() {
                let kernel = kernel::name(template, spec.resets[0]);
                let text = text(&kernel);
                assert!(text.contains(&format!("KERNEL({kernel})(")), "{} {kernel}", spec.name);
                // With the one for few neurons and the one that scans, where there are these.
                let further = [kernel::few(&kernel), kernel::scan(&kernel)];
                let further = further.map(|name| {
                    let start = format!("KERNEL({name})(");
                    let is_there = text.contains(&start);
                    assert_eq!(is_there, N::SPEC.cuda.source().contains(&start), "{} {name}", spec.name);
                    usize::from(is_there)
                });
                let count = 1 + further.iter().sum::<usize>();
                assert_eq!(kernels(&text), others + count, "{} {kernel}", spec.name);
            }
        }
    }
    every_neuron(&mut Same);
}

/// A kernel by itself is a source that NVRTC takes, also with a surrogate of a user's own. Passed over where there is no
/// compiler, unless `NEURON_CUDA=require` is set.
#[test]
fn single_kernels_compile() {
    let settings = Settings::new(&|name| std::env::var_os(name)).expect("the settings are valid");
    let compiler = match settings.search.find() {
        Ok(compiler) => compiler,
        Err(error) if settings.mode == Mode::Require => panic!("{error}"),
        Err(error) => return eprintln!("passed over: {error}"),
    };
    let scratch = tempfile::tempdir().unwrap();
    let target = Target::parse("sm_80").unwrap();
    for spec in [neurons::Plif::SPEC, neurons::AdEx::SPEC] {
        let spec = Declaration::parse(spec.declaration).unwrap().spec();
        for template in spec.templates() {
            let kernel = kernel::name(template, spec.resets[0]);
            let text = spec.cuda.source_of(&kernel).unwrap();
            for text in [source_with(&text, Own.into()), text] {
                for format in [Format::F32, Format::Bf16] {
                    let compiled = compiler.compile(&text, format, target, &scratch.path().join("kernel"));
                    let image =
                        compiled.unwrap_or_else(|log| panic!("{} {kernel} {format}: {log}", spec.name));
                    assert!(!image.is_empty());
                }
            }
        }
    }
}

/// Ranges, initial values and how they change, also with values of parameters that are not the default.
#[test]
fn the_same_answers_about_parameters() {
    // As text, since errors name values, and NaN is not equal to itself.
    fn answers(neuron: &impl Neuron, arrays: &[f64]) -> String {
        let checks = [neuron.validate(), neuron.validate_in::<f32>(), neuron.validate_at(arrays)];
        let states = [neuron.initial_state(), neuron.initial_state_at(arrays)];
        format!("{neuron:?} {checks:?} {states:?} {:?}", neuron.initial_slopes_at(arrays))
    }
    struct Same;
    impl Visit for Same {
        fn visit<N: DeclaredNeuron>(&mut self) {
            let interpreter = Interpreter::of::<N>();
            for (i, param) in N::SPEC.params.iter().enumerate() {
                for value in [param.default, 0.3, -2.0, 1.0 + 1e-12, 1e300, f64::NAN] {
                    let mut neuron = N::default();
                    neuron.set(param.name, Value::Real(value)).unwrap();
                    let interpreted = interpreter.like(&neuron);
                    let arrays: Vec<f64> =
                        N::SPEC.arrays().map(|array| array.default + 0.01 * i as f64).collect();
                    assert_eq!(answers(&interpreted, &arrays), answers(&neuron, &arrays));
                }
            }
            let mut interpreted = interpreter.like(&N::default());
            for (name, value) in [("no_such", Value::Real(0.0)), ("v_threshold", Value::Flag(true))] {
                assert_eq!(interpreted.set(name, value), N::default().set(name, value));
                assert_eq!(interpreted.get("no_such"), None);
            }
        }
    }
    every_neuron(&mut Same);
}
