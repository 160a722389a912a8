//! On a GPU: every kernel gives the same bits as on the CPU.
//!
//! Without one, this says so and passes; `NEURON_TEST_CUDA=require` makes that a failure.

use std::cell::Cell;

use cudarc::driver::{result, sys};
use neurons::cuda::{CudaArray, CudaDevice, PreparedCall, RawArray, RawCall, RawParameter};
use neurons::evaluate::evaluate_on;
use neurons::{DeclaredNeuron, Element, Gradient, If, LeakyIntegrator, Lif, Plif, Role, Source, Template};
use neurons_tests::cases::{Case, Host, Inputs, SIZES, every_case, left_out_cases};
use neurons_tests::close::compare_close;
use neurons_tests::compare::{Executor, compare, compare_without};
use neurons_tests::declared::{Visit, every_neuron_and_mixture};
use neurons_tests::gpu::device;
use rayon::prelude::*;

/// An array on the GPU, `offset` elements into its allocation.
enum Gpu<E: Element> {
    Signal(CudaArray<E>),
    State(CudaArray<E::Real>),
    Parameter(CudaArray<E::Real>, usize),
    Bits(CudaArray<u32>),
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
            Host::Parameter(array, inner) => {
                Self::Parameter(CudaArray::from_slice(device, &shifted(array, offset)).unwrap(), *inner)
            }
            Host::Bits(words) => Self::Bits(CudaArray::from_slice(device, &shifted(words, offset)).unwrap()),
        }
    }

    fn raw(&self, offset: usize) -> RawArray {
        let (RawArray { address, len }, size) = match self {
            Self::Signal(array) => (array.raw(), size_of::<E>()),
            Self::State(array) | Self::Parameter(array, _) => (array.raw(), size_of::<E::Real>()),
            Self::Bits(words) => (words.raw(), size_of::<u32>()),
        };
        RawArray { address: address + (offset * size) as u64, len: len - offset }
    }

    fn to_host(&self, offset: usize) -> Host<E> {
        match self {
            Self::Signal(array) => Host::Signal(array.to_vec().unwrap().split_off(offset)),
            Self::State(array) => Host::State(array.to_vec().unwrap().split_off(offset)),
            Self::Parameter(array, inner) => {
                Host::Parameter(array.to_vec().unwrap().split_off(offset), *inner)
            }
            Self::Bits(words) => Host::Bits(words.to_vec().unwrap().split_off(offset)),
        }
    }
}

/// Runs kernels on a GPU.
struct OnGpu {
    device: CudaDevice,
    /// Whether sequences may be scanned.
    scan: bool,
    /// How many calls it has run.
    calls: Cell<usize>,
}

impl OnGpu {
    fn new(device: CudaDevice) -> Self {
        Self { device, scan: false, calls: Cell::new(0) }
    }
}

impl Executor for OnGpu {
    fn run<N: DeclaredNeuron, E: Element>(
        &self,
        case: &Case<N>,
        inputs: &[Host<E>],
        outputs: &mut [Host<E>],
    ) {
        // At the start of the allocation, or one element or two into it: nothing relies on alignment.
        let offset = self.calls.get() % 3;
        self.calls.set(self.calls.get() + 1);
        let copies = |arrays: &[Host<E>]| -> Vec<Gpu<E>> {
            arrays.iter().map(|array| Gpu::copy(&self.device, array, offset)).collect()
        };
        let (read, written) = (copies(inputs), copies(outputs));
        let (mut read_from, mut parameters) = (Vec::new(), Vec::new());
        for array in &read {
            let raw = array.raw(offset);
            match array {
                Gpu::Parameter(_, inner) => {
                    let RawArray { address, len: count } = raw;
                    parameters.push(RawParameter { address, count, inner: *inner });
                }
                _ => read_from.push(raw),
            }
        }
        let &Case { template, steps, neurons, gradient, .. } = case;
        let prepared = PreparedCall::new::<E>(&self.device, &case.neuron, template, gradient).unwrap();
        let prepared = if self.scan { prepared.with_scan().unwrap() } else { prepared };
        let workspace = prepared.workspace_bytes(neurons, &parameters);
        let bytes = CudaArray::<f64>::zeros(&self.device, workspace.div_ceil(8)).unwrap();
        let call = RawCall {
            steps,
            neurons,
            inputs: &read_from,
            parameters: &parameters,
            outputs: &written.iter().map(|array| array.raw(offset)).collect::<Vec<_>>(),
            workspace: (workspace > 0).then(|| RawArray { address: bytes.address(), len: workspace }),
            stream: None,
        };
        // SAFETY: the arrays are of this device and as long as the signature says.
        unsafe { prepared.launch(&call) }.unwrap();
        for (output, written) in outputs.iter_mut().zip(&written) {
            *output = written.to_host(offset);
        }
    }

    fn is_exact_in_double<N: DeclaredNeuron>(&self, _: &Case<N>) -> bool {
        false
    }
}

neurons::surrogate! {
    surrogate Own { param a = 3.0; param b = 0.5; primitive = sigmoid(a * u) + b * tanh(u); }
}

/// A surrogate that the kernels were not compiled with: they are compiled again.
#[test]
fn own_surrogate() {
    fn check<N: DeclaredNeuron>(gpu: &OnGpu) {
        let with_grad = |case: &Case<N>| case.template.takes_gradient();
        for mut case in every_case::<N>(&[[3, 1000]]).into_iter().filter(with_grad) {
            case.gradient.surrogate = Own { a: 2.0, ..Own::default() }.into();
            compare::<N, f32, _>(gpu, &case);
            compare::<N, f64, _>(gpu, &case);
            compare::<N, half::bf16, _>(gpu, &case);
        }
    }
    let Some(device) = device() else { return };
    let gpu = OnGpu::new(device);
    check::<Lif>(&gpu);
    check::<If>(&gpu);
}

/// Checks a neuron in one format, and returns how many calls that were.
type Job = Box<dyn Fn() -> (&'static str, usize) + Send + Sync>;

/// A job for every neuron and format.
struct Jobs {
    device: CudaDevice,
    jobs: Vec<Job>,
}

impl Jobs {
    fn add<N: DeclaredNeuron, E: Element>(&mut self) {
        // Some that begin with an aligned row, of several blocks and of one, and long ones of few neurons and of more, besides.
        const MORE: [[usize; 2]; 6] = [[3, 100_003], [19, 64], [5, 36], [150, 40], [32, 130], [70, 17_000]];
        let device = self.device.clone();
        self.jobs.push(Box::new(move || {
            let gpu = OnGpu::new(device.clone());
            let sizes: Vec<[usize; 2]> = SIZES.into_iter().chain(MORE).collect();
            for case in every_case::<N>(&sizes) {
                compare::<N, E, _>(&gpu, &case);
            }
            for (case, left_out) in left_out_cases::<N>() {
                compare_without::<N, E, _>(&gpu, &case, left_out);
            }
            (N::SPEC.name, gpu.calls.get())
        }));
    }
}

impl Visit for Jobs {
    fn visit<N: DeclaredNeuron>(&mut self) {
        self.add::<N, f32>();
        self.add::<N, f64>();
        self.add::<N, half::f16>();
        self.add::<N, half::bf16>();
    }
}

#[test]
fn same_bits() {
    let Some(device) = device() else { return };
    let mut jobs = Jobs { device, jobs: Vec::new() };
    every_neuron_and_mixture(&mut jobs);
    let done: Vec<_> = jobs.jobs.par_iter().map(|job| job()).collect();
    for formats in done.chunks(4) {
        let calls: usize = formats.iter().map(|(_, calls)| calls).sum();
        println!("{}: {calls} calls in four formats give the same bits", formats[0].0);
    }
}

/// Scans are right up to rounding, and the same bits again.
#[test]
fn scans() {
    fn check<E: Element>(gpu: &OnGpu) {
        let cases = every_case::<LeakyIntegrator>(&[[40, 33], [150, 40], [1000, 130]]);
        for case in cases.iter().filter(|case| case.inputs == Inputs::Common) {
            compare_close::<_, E, _>(gpu, case, |_| false);
            compare_close::<_, E, _>(gpu, case, |_| true);
            let inputs = case.input_arrays::<E>();
            let [first, second] = [(); 2].map(|()| {
                let mut outputs = case.poisoned::<E>(&inputs);
                gpu.run(case, &inputs, &mut outputs);
                outputs.iter().flat_map(Host::numbers).map(f64::to_bits).collect::<Vec<_>>()
            });
            assert_eq!(first, second, "{case:?}");
        }
    }
    let Some(device) = device() else { return };
    let refused = PreparedCall::new::<f32>(&device, &Lif::default(), Template::Fptt, Gradient::default());
    assert!(
        matches!(refused.unwrap().with_scan(), Err(neurons::Error::NotAffine { name, .. }) if name.starts_with("v_next"))
    );
    let gpu = OnGpu { scan: true, ..OnGpu::new(device) };
    check::<f32>(&gpu);
    check::<f64>(&gpu);
    check::<half::f16>(&gpu);
    check::<half::bf16>(&gpu);
}

#[expect(deprecated, reason = "the input of this neuron can be 0, and is")]
mod inverse {
    neurons::neuron! {
        /// The reciprocal of its input.
        pub struct Inverse {
            charge = 1.0 / x - 0.0 * v;
            output = h;
        }
    }
}

/// The GPU's reciprocal, made of its own approximation, is the CPU's, of every number of float32.
#[test]
fn reciprocals() {
    const CHUNK: u32 = 1 << 24;
    let Some(device) = device() else { return };
    let gpu = neurons::Device::Cuda(device);
    let v = vec![0.0f32; CHUNK as usize];
    for first in (0..=u32::MAX).step_by(CHUNK as usize) {
        let x: Vec<f32> = (0..CHUNK).into_par_iter().map(|i| f32::from_bits(first + i)).collect();
        let on = |device: &neurons::Device| {
            let inputs = [Source::Signal(&x), Source::State(&v)];
            let neuron = inverse::Inverse::default();
            let outputs =
                evaluate_on(device, &neuron, Template::Forward, Gradient::default(), x.len(), &inputs);
            outputs.unwrap().take_signal(Role::Output).unwrap()
        };
        let is_same = |a: &f32, b: &f32| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        let (actual, expected) = (on(&gpu), on(&neurons::Device::Cpu));
        let differ = actual.par_iter().zip(&expected).position_any(|(a, b)| !is_same(a, b));
        if let Some(at) = differ {
            panic!("1 / {:e} is {:e}, on the CPU {:e}", x[at], actual[at], expected[at]);
        }
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
    use neurons::{Array, Device, LIFNode, MultiStepLIFNode, MultiStepPLIFNode};
    let Some(device) = device() else { return };
    let gpu = Device::Cuda(device);
    let x = |seed, shape: &[usize]| {
        let len = shape.iter().product();
        Array::from_vec(shape, numbers(seed, len).map(|v| (v * 3.0 + 1.0) as f32).collect()).unwrap()
    };
    let train = |device: &Device| {
        let mut node = LIFNode::new(Lif { tau: 2.0, ..Lif::default() });
        node.keep_passes(5);
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

    // States and parameters follow the input, back and forth, and so do gradients between passes.
    let train = |devices: [&Device; 2]| {
        let mut node = MultiStepPLIFNode::<f32>::default();
        node.keep_passes(2);
        let mut passes = Vec::new();
        for (seed, device) in (1..).zip(devices) {
            let (spikes, records) =
                node.forward_recorded(&[&x(seed, &[3, 4]).to(device).unwrap()], &["v"]).unwrap();
            assert_eq!(node.v().unwrap().device(), *device);
            passes.extend([spikes, records[0].clone()]);
        }
        for (seed, device) in (3..).zip(devices.iter().rev()) {
            let grad = x(seed, &[3, 4]).to(device).unwrap();
            passes.extend(node.backward_recorded(&grad, &[("v", &grad)]).unwrap());
        }
        (passes, node.parameter_grad("w").unwrap().unwrap())
    };
    let expected = train([&Device::Cpu, &Device::Cpu]);
    for devices in [[&gpu, &gpu], [&gpu, &Device::Cpu], [&Device::Cpu, &gpu]] {
        assert!(train(devices) == expected, "{devices:?}");
    }
}

/// The memory of a device is that of its own arrays, and the default pool, which other libraries use, is left alone.
#[test]
fn memory_use() {
    let (Some(device), Some(other)) = (device(), device()) else { return };
    let bytes = 256 << 20;
    let zeros = |device| CudaArray::<f32>::zeros(device, bytes / size_of::<f32>()).unwrap();
    let (array, elsewhere) = (zeros(&device), zeros(&other));
    let with = device.memory_use().unwrap();
    assert!(with.peak >= with.current, "{with:?}");
    assert!((bytes as u64..2 * bytes as u64).contains(&with.current), "{with:?}");
    drop(array);
    device.synchronize().unwrap();
    let without = device.memory_use().unwrap();
    assert!(without.peak >= with.current && without.current < with.peak, "{with:?}, {without:?}");
    device.reset_memory_peak().unwrap();
    let reset = device.memory_use().unwrap();
    assert!(reset.peak < without.peak, "{without:?}, {reset:?}");
    drop(elsewhere);

    let mut threshold = u64::MAX;
    let attribute = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
    // SAFETY: the device exists, and the attribute is a 64-bit integer.
    unsafe {
        let gpu = result::device::get(i32::try_from(device.index()).unwrap()).unwrap();
        let pool = result::device::get_default_mem_pool(gpu).unwrap();
        result::mem_pool::get_attribute(pool, attribute, (&raw mut threshold).cast()).unwrap();
    }
    assert_eq!(threshold, 0);
}

/// A stream and device memory that belong to another handle of the same GPU.
#[test]
fn foreign_stream() {
    let (Some(device), Some(other)) = (device(), device()) else { return };
    let (steps, neurons) = (9, 1000);
    let x_seq: Vec<f32> = numbers(5, steps * neurons).map(|v| (v * 3.0 + 1.0) as f32).collect();
    let v = vec![0.0f32; neurons];
    let inputs = [CudaArray::from_slice(&other, &x_seq).unwrap(), CudaArray::from_slice(&other, &v).unwrap()];
    let outputs = [
        CudaArray::<f32>::zeros(&other, steps * neurons).unwrap(),
        CudaArray::zeros(&other, neurons).unwrap(),
    ];
    let prepared =
        PreparedCall::new::<f32>(&device, &Lif::default(), Template::Fptt, Gradient::default()).unwrap();
    let call = RawCall {
        steps,
        neurons,
        inputs: &inputs.each_ref().map(CudaArray::raw),
        parameters: &[],
        outputs: &outputs.each_ref().map(CudaArray::raw),
        workspace: None,
        stream: Some(other.stream_handle()),
    };
    // SAFETY: the arrays are of this GPU's one context, as long as the signature says, and used in order on
    // the stream that they were made on.
    unsafe { prepared.launch(&call) }.unwrap();
    let (mut spike_seq, mut v_next) = (vec![0.0; steps * neurons], vec![0.0; neurons]);
    let buffers = neurons::lif::Fptt { x_seq: &x_seq, v: &v, spike_seq: &mut spike_seq, v_next: &mut v_next };
    Lif::default().fptt(buffers).unwrap();
    assert_eq!(outputs[0].to_vec().unwrap(), spike_seq);
    assert_eq!(outputs[1].to_vec().unwrap(), v_next);

    // What cannot be right is refused before anything is launched.
    let too_few = [inputs[0].raw()];
    // SAFETY: nothing is launched.
    let wrong = |call| unsafe { prepared.launch(&call) }.unwrap_err();
    assert!(matches!(wrong(RawCall { inputs: &too_few, ..call }), neurons::Error::BufferCount { .. }));
    assert!(matches!(wrong(RawCall { steps: 0, ..call }), neurons::Error::Empty { what: "T", .. }));
}

/// Of so many neurons that each thread computes several, the gradients of parameters are the same sums as on the CPU.
#[test]
fn sums_over_many_neurons() {
    let Some(device) = device() else { return };
    let gpu = OnGpu::new(device);
    // By turns, one value for all neurons and one for every third (see `Case::parameters`).
    for (template, steps, neurons) in [
        (Template::Backward, 1, 1_000_008),
        (Template::Bptt, 4, 1_000_001),
        (Template::Bptt, 2, 1_000_005),
        (Template::LeanBptt, 4, 1_000_001),
        (Template::LeanBptt, 2, 1_000_005),
    ] {
        let (neuron, gradient, inputs) = (Plif::default(), Gradient::default(), Inputs::Common);
        let case = Case { neuron, template, gradient, steps, neurons, inputs };
        compare::<Plif, f32, _>(&gpu, &case);
        compare::<Plif, half::bf16, _>(&gpu, &case);
    }
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

/// Spikes of one bit and the membrane potential over time, as on the CPU.
#[test]
fn sequences() {
    use neurons::{Array, Device, MultiStepNode, PackedSpikes};
    let Some(device) = device() else { return };
    let gpu = Device::Cuda(device);
    for shape in [[3, 1, 1], [11, 3, 23], [17, 4, 1000]] {
        let values = numbers(5, shape.iter().product()).map(|v| (v * 3.0 + 1.0) as f32).collect();
        let x: Array<f32> = Array::from_vec(shape, values).unwrap();
        let run = |device: &Device, is_training: bool| {
            let mut node = MultiStepNode::<Lif>::new(Lif { tau: 2.0, ..Lif::default() });
            if !is_training {
                node.eval();
            }
            let packed = node.forward_packed(&[&x.to(device).unwrap()]).unwrap();
            node.store_v_seq(true);
            let spikes = node.forward(&x.to(device).unwrap()).unwrap();
            let v_seq = node.v_seq().unwrap().clone();
            (packed, spikes, v_seq, node.v().unwrap().clone())
        };
        for is_training in [true, false] {
            let (packed, spikes, v_seq, v) = run(&gpu, is_training);
            assert_eq!((packed.device(), v_seq.device()), (gpu.clone(), gpu.clone()));
            assert_eq!((packed.clone(), spikes.clone(), v_seq, v), run(&Device::Cpu, is_training));

            let again = PackedSpikes::pack::<f32>(If::SPEC, &packed.unpack::<f32>().unwrap()).unwrap();
            assert_eq!((again.device(), &again), (gpu.clone(), &packed));
            let on_cpu = PackedSpikes::pack::<f32>(Lif::SPEC, &spikes.to(&Device::Cpu).unwrap()).unwrap();
            assert_eq!(PackedSpikes::pack::<f32>(Lif::SPEC, &spikes).unwrap(), on_cpu);
            assert_eq!(on_cpu.to(&gpu).unwrap().unpack::<f32>().unwrap(), spikes);
        }
    }
}
