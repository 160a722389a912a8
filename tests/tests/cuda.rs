//! On a GPU: every kernel gives the same bits as on the CPU.
//!
//! Without one, this says so and passes; `NEURON_TEST_CUDA=require` makes that a failure.

use neurons::cuda::{CudaArray, CudaDevice, CudaError, RawCall, launch};
use neurons::evaluate::{Mode, Output, evaluate};
use neurons::{
    Class, Eif, Element, Gradient, If, Lif, Neuron, Qif, Real, Source, Surrogate, Template, Value,
};

/// The GPU, or `None` with the reason printed.
fn device() -> Option<CudaDevice> {
    match CudaDevice::new(0) {
        Ok(device) => Some(device),
        Err(error @ (CudaError::NoDriver | CudaError::NoDevice { .. })) => {
            assert!(std::env::var_os("NEURON_TEST_CUDA").is_none_or(|v| v != "require"), "{error}");
            println!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Numbers in -1..1, the same in every run.
fn numbers(seed: u64, len: usize) -> impl Iterator<Item = f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..len).map(move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 * (2.0 / (1u64 << 53) as f64) - 1.0
    })
}

/// An input or output on the CPU.
#[derive(Clone)]
enum Host<E: Element> {
    Signal(Vec<E>),
    State(Vec<E::Real>),
}

impl<E: Element> Host<E> {
    fn source(&self) -> Source<'_, E> {
        match self {
            Self::Signal(array) => Source::Signal(array),
            Self::State(array) => Source::State(array),
        }
    }
}

/// The same on the GPU, one element into its allocation if `offset`, so that nothing relies on alignment.
enum Gpu<E: Element> {
    Signal(CudaArray<E>),
    State(CudaArray<E::Real>),
}

impl<E: Element> Gpu<E> {
    fn copy(device: &CudaDevice, host: &Host<E>, offset: usize) -> Self {
        fn shifted<T: Copy + Default>(array: &[T], offset: usize) -> Vec<T> {
            std::iter::repeat_n(T::default(), offset).chain(array.iter().copied()).collect()
        }
        match host {
            Host::Signal(array) => {
                Self::Signal(CudaArray::from_slice(device, &shifted(array, offset)).unwrap())
            }
            Host::State(array) => {
                Self::State(CudaArray::from_slice(device, &shifted(array, offset)).unwrap())
            }
        }
    }

    fn address(&self, offset: usize) -> u64 {
        match self {
            Self::Signal(array) => array.address() + (offset * size_of::<E>()) as u64,
            Self::State(array) => array.address() + (offset * size_of::<E::Real>()) as u64,
        }
    }

    fn numbers(&self, offset: usize) -> Vec<f64> {
        match self {
            Self::Signal(array) => {
                array.to_vec().unwrap()[offset..].iter().map(|v| v.load().to_f64()).collect()
            }
            Self::State(array) => array.to_vec().unwrap()[offset..].iter().map(|v| v.to_f64()).collect(),
        }
    }
}

/// One neuron with its parameters in one format on one device.
struct Check<'a, N> {
    device: &'a CudaDevice,
    neuron: N,
    gradient: Gradient,
    steps: usize,
    neurons: usize,
    offset: usize,
}

impl<N: Neuron> Check<'_, N> {
    fn all<E: Element>(&self) {
        let scale = 1.5;
        let random = |seed, len| numbers(seed, len).map(move |v| v * scale + 0.4);
        let signal = |seed, len| {
            Host::<E>::Signal(random(seed, len).map(|v| E::store(E::Real::from_f64(v))).collect())
        };
        let state = |seed, len| Host::<E>::State(random(seed, len).map(E::Real::from_f64).collect());
        for template in Template::ALL {
            let steps = if template.is_multi_step() { self.steps } else { 1 };
            let signature = N::SPEC.signature(template);
            let inputs: Vec<Host<E>> = (signature.inputs.iter().enumerate())
                .map(|(i, buffer)| {
                    let len = if buffer.per_step { steps * self.neurons } else { self.neurons };
                    match buffer.class {
                        Class::Signal => signal(i as u64 + 3, len),
                        Class::State => state(i as u64 + 77, len),
                    }
                })
                .collect();
            self.template(template, steps, &inputs);
        }
    }

    fn template<E: Element>(&self, template: Template, steps: usize, inputs: &[Host<E>]) {
        let sources: Vec<Source<'_, E>> = inputs.iter().map(Host::source).collect();
        let expected =
            evaluate(&self.neuron, Mode::Spiking, template, self.gradient, self.neurons, &sources).unwrap();
        let copies: Vec<Gpu<E>> = inputs.iter().map(|i| Gpu::copy(self.device, i, self.offset)).collect();
        let poison = |class, len| match class {
            Class::Signal => Host::Signal(vec![E::store(E::Real::from_f64(f64::NAN)); len]),
            Class::State => Host::State(vec![E::Real::from_f64(f64::NAN); len]),
        };
        let outputs: Vec<Gpu<E>> = (N::SPEC.signature(template).outputs.iter())
            .map(|buffer| {
                let len = if buffer.per_step { steps * self.neurons } else { self.neurons };
                Gpu::copy(self.device, &poison(buffer.class, len), self.offset)
            })
            .collect();
        let call = RawCall {
            template,
            steps,
            neurons: self.neurons,
            gradient: self.gradient,
            inputs: &copies.iter().map(|c| c.address(self.offset)).collect::<Vec<_>>(),
            outputs: &outputs.iter().map(|c| c.address(self.offset)).collect::<Vec<_>>(),
            stream: None,
        };
        // SAFETY: the arrays are of this device and as long as the signature says.
        unsafe { launch::<N, E>(self.device, &self.neuron, call) }.unwrap();
        for ((name, expected), actual) in expected.into_arrays().zip(&outputs) {
            let expected: Vec<f64> = match expected {
                Output::Signal(array) => array.iter().map(|v| v.load().to_f64()).collect(),
                Output::State(array) => array.iter().map(|v| v.to_f64()).collect(),
            };
            for (i, (e, a)) in expected.iter().zip(actual.numbers(self.offset)).enumerate() {
                let equal = e.to_bits() == a.to_bits() || (e.is_nan() && a.is_nan());
                let close = E::NAME == "f64" && (e - a).abs() <= 1e-12 * e.abs().max(1.0);
                assert!(
                    equal || close,
                    "{} {template} {} {} T={steps} N={} {}: {name}[{i}] is {a}, on the CPU {e}",
                    N::SPEC.name,
                    E::NAME,
                    self.neuron.reset(),
                    self.neurons,
                    self.gradient.surrogate,
                );
            }
        }
    }
}

fn check<N: Neuron>(device: &CudaDevice, sizes: &[[usize; 2]]) {
    let surrogates: Vec<Surrogate> = Surrogate::all().collect();
    let mut cases = 0;
    for &reset in N::SPEC.resets {
        for setting in 0..1usize << N::SPEC.flags.len() {
            let mut neuron = N::default();
            neuron.set_reset(reset);
            for (i, flag) in N::SPEC.flags.iter().enumerate() {
                neuron.set(flag.name, Value::Flag(setting >> i & 1 == 1)).unwrap();
            }
            for (k, &[steps, neurons]) in sizes.iter().enumerate() {
                // Every surrogate at every size is more than a test needs; every one gets several sizes.
                for (s, &surrogate) in
                    surrogates.iter().enumerate().filter(|(s, _)| neurons < 1000 || s % 4 == k % 4)
                {
                    let gradient = Gradient { surrogate, detach_reset: s % 2 == k % 2 };
                    let check =
                        Check { device, neuron: neuron.clone(), gradient, steps, neurons, offset: k % 2 };
                    check.all::<f32>();
                    check.all::<f64>();
                    check.all::<half::f16>();
                    check.all::<half::bf16>();
                    cases += 4 * Template::ALL.len();
                }
            }
        }
    }
    println!("{}: {cases} calls give the same bits", N::SPEC.name);
}

const SIZES: [[usize; 2]; 8] =
    [[1, 1], [2, 31], [7, 33], [8, 31], [9, 33], [64, 1], [9, 1000], [3, 1_000_003]];

#[test]
fn integrate_and_fire() {
    let Some(device) = device() else { return };
    check::<If>(&device, &SIZES);
}

#[test]
fn leaky() {
    let Some(device) = device() else { return };
    check::<Lif>(&device, &SIZES);
}

#[test]
fn quadratic() {
    let Some(device) = device() else { return };
    check::<Qif>(&device, &SIZES);
}

#[test]
fn exponential() {
    let Some(device) = device() else { return };
    check::<Eif>(&device, &SIZES);
}

/// The reference cases on the GPU.
#[test]
fn conformance() {
    use neurons_tests::conformance::run;
    let Some(device) = device() else { return };
    let folder = std::env::var_os("NEURON_REFERENCE").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/vectors"),
        Into::into,
    );
    let mut report = Vec::new();
    let tally = run(&folder, &neurons::Device::Cuda(device), &mut report).unwrap();
    println!("{}", String::from_utf8(report).unwrap());
    assert!(tally.failed == 0 && tally.passed > 0, "{tally}");
}

/// A node moves to the GPU with its input, through training and back.
#[test]
fn nodes() {
    use neurons::{Array, Device, LIFNode, MultiStepLIFNode};
    let Some(device) = device() else { return };
    let gpu = Device::Cuda(device);
    let x = |seed, shape: &[usize]| {
        let len = shape.iter().product();
        Array::from_vec(shape, numbers(seed, len).map(|v| (v * 3.0 + 1.0) as f32).collect()).unwrap()
    };
    let train = |device: &Device| {
        let mut node = LIFNode::new(Lif { tau: 2.0, ..Lif::default() });
        let spikes: Vec<_> = (0..5)
            .map(|t| node.forward(&x(t, &[3, 50]).to(device).unwrap()).unwrap().to(&Device::Cpu).unwrap())
            .collect();
        let grads: Vec<_> = (0..5)
            .map(|t| {
                node.backward(&x(9 + t, &[3, 50]).to(device).unwrap()).unwrap().to(&Device::Cpu).unwrap()
            })
            .collect();
        let v = node.v().unwrap().to(&Device::Cpu).unwrap();
        let mut node = MultiStepLIFNode::new(Lif { tau: 2.0, ..Lif::default() });
        let spike_seq = node.forward(&x(20, &[7, 33]).to(device).unwrap()).unwrap();
        assert_eq!(spike_seq.device(), *device);
        let grad_x_seq = node.backward(&spike_seq).unwrap().to(&Device::Cpu).unwrap();
        (spikes, grads, v, spike_seq.to(&Device::Cpu).unwrap(), grad_x_seq)
    };
    assert_eq!(train(&gpu), train(&Device::Cpu));

    // Arrays of one call are on one device.
    let mut node = LIFNode::new(Lif::default());
    node.forward(&x(1, &[4]).to(&gpu).unwrap()).unwrap();
    let error = node.forward(&x(1, &[4])).unwrap_err();
    assert!(matches!(error, neurons::Error::Device { argument: "v", .. }), "{error}");
}

/// More elements than 32 bits can count. Needs some 20 GiB on the GPU and 60 GiB beside it:
/// `cargo test --release -p neurons-tests --test cuda -- --ignored`
#[test]
#[ignore = "needs 20 GiB of GPU memory"]
fn more_than_32_bits_of_elements() {
    use neurons::{Array, Device, IFMultiStep};
    let Some(device) = device() else { return };
    let gpu = Device::Cuda(device);
    let (steps, neurons) = (2051, (1 << 20) + 7);
    // A value for each element, of which no two near ones are equal.
    let x = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 8) as f32 * (1.5 / (1 << 24) as f32) - 0.4;
    let x_seq = Array::from_vec([steps, neurons], (0..steps * neurons).map(x).collect()).unwrap();
    let v = Array::<f32>::zeros([neurons]);
    let step = IFMultiStep::new(If::default(), Gradient::default());
    let (spike_seq, v_next) = step.inference(&x_seq, &v).unwrap();
    let (gpu_spike_seq, gpu_v_next) = step.inference(&x_seq.to(&gpu).unwrap(), &v.to(&gpu).unwrap()).unwrap();
    assert!(steps * neurons > 1 << 31);
    assert!(gpu_v_next == v_next && gpu_spike_seq == spike_seq);
}
