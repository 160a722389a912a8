//! Prepared calls on a GPU: what they check, what they leave as it was, and graphs that are made of them.
//!
//! Skipped without a GPU, unless `NEURON_TEST_CUDA=require`.

use cudarc::driver::{result, sys};
use neurons::cuda::{CudaArray, CudaDevice, CudaError, PreparedCall, RawArray, RawCall, RawParameter, load};
use neurons::evaluate::evaluate_on;
use neurons::{
    Array, Call, Cuda, DeclaredNeuron, Device, Error, Gradient, Lif, MultiStep, Neuron, Plif, Sink, Source,
    Spec, Template,
};
use neurons_tests::gpu::device;

const STEPS: usize = 9;
const NEURONS: usize = 1000;

/// A sequence of LIF, and its arrays.
struct Sequence {
    device: CudaDevice,
    prepared: PreparedCall,
    inputs: [CudaArray<f32>; 2],
    outputs: [CudaArray<f32>; 2],
}

impl Sequence {
    fn new(device: CudaDevice) -> Self {
        let x: Vec<f32> = (0..STEPS * NEURONS).map(|i| (i % 17) as f32 * 0.2).collect();
        let inputs =
            [CudaArray::from_slice(&device, &x), CudaArray::zeros(&device, NEURONS)].map(Result::unwrap);
        let outputs = [STEPS * NEURONS, NEURONS].map(|len| CudaArray::zeros(&device, len).unwrap());
        let gradient = Gradient::default();
        let prepared = PreparedCall::new::<f32>(&device, &Lif::default(), Template::Fptt, gradient).unwrap();
        Self { device, prepared, inputs, outputs }
    }

    /// Launches it on these arrays instead of its own.
    fn launch(&self, inputs: &[RawArray], outputs: &[RawArray]) -> Result<(), Error> {
        let call = RawCall {
            steps: STEPS,
            neurons: NEURONS,
            inputs,
            parameters: &[],
            outputs,
            workspace: None,
            stream: None,
        };
        // SAFETY: the arrays are of this device and live; those that are too short are refused.
        unsafe { self.prepared.launch(&call) }
    }

    fn run(&self) -> Result<(), Error> {
        self.launch(&self.inputs.each_ref().map(CudaArray::raw), &self.outputs.each_ref().map(CudaArray::raw))
    }

    fn results(&self) -> [Vec<f32>; 2] {
        self.outputs.each_ref().map(|array| array.to_vec().unwrap())
    }

    fn expected(&self) -> [Vec<f32>; 2] {
        let [x_seq, v] = self.inputs.each_ref().map(|array| array.to_vec().unwrap());
        let (mut spike_seq, mut v_next) = (vec![0.0; x_seq.len()], vec![0.0; v.len()]);
        let buffers =
            neurons::lif::Fptt { x_seq: &x_seq, v: &v, spike_seq: &mut spike_seq, v_next: &mut v_next };
        Lif::default().fptt(buffers).unwrap();
        [spike_seq, v_next]
    }
}

#[test]
fn lengths_are_checked() {
    let Some(device) = device() else { return };
    let sequence = Sequence::new(device);
    let inputs = sequence.inputs.each_ref().map(CudaArray::raw);
    let outputs = sequence.outputs.each_ref().map(CudaArray::raw);
    for (array, argument, expected) in [(0, "spike_seq", STEPS * NEURONS), (1, "v_next", NEURONS)] {
        let mut shorter = outputs;
        shorter[array].len -= 1;
        match sequence.launch(&inputs, &shorter) {
            Err(Error::Length { argument: found, expected: needed, actual, .. }) => {
                assert_eq!((found, needed, actual), (argument, expected, expected - 1));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(sequence.launch(&inputs[..1], &outputs), Err(Error::BufferCount { .. })));
    sequence.device.synchronize().unwrap();
    assert!(sequence.results().iter().flatten().all(|value| *value == 0.0), "nothing was launched");
}

#[test]
fn a_workspace_that_is_too_small_is_refused() {
    let Some(device) = device() else { return };
    let (template, gradient) = (Template::Bptt, Gradient::default());
    let prepared = PreparedCall::new::<f32>(&device, &Plif::default(), template, gradient).unwrap();
    let values = CudaArray::from_slice(&device, &[0.0f32]).unwrap();
    let parameters = [RawParameter { address: values.address(), count: 1, inner: 1 }];
    let needed = prepared.workspace_bytes(NEURONS, &parameters);
    assert!(needed > 0);
    let signature = Plif::default().spec().signature(template);
    let array = |buffer: &neurons::BufferSpec| {
        CudaArray::<f32>::zeros(&device, buffer.elements(STEPS, NEURONS).unwrap_or(1)).unwrap()
    };
    let inputs = signature.inputs.iter().filter(|buffer| buffer.extent != neurons::Extent::Parameter);
    let inputs: Vec<_> = inputs.map(array).collect();
    let outputs: Vec<_> = signature.outputs.iter().map(array).collect();
    let room = CudaArray::<f64>::zeros(&device, needed.div_ceil(8)).unwrap();
    let launch = |workspace: Option<RawArray>| {
        let call = RawCall {
            steps: STEPS,
            neurons: NEURONS,
            inputs: &inputs.iter().map(CudaArray::raw).collect::<Vec<_>>(),
            parameters: &parameters,
            outputs: &outputs.iter().map(CudaArray::raw).collect::<Vec<_>>(),
            workspace,
            stream: None,
        };
        // SAFETY: the arrays are of this device, of the lengths of the signature, and live.
        unsafe { prepared.launch(&call) }
    };
    let workspace = |len| Some(RawArray { address: room.address(), len });
    for (given, actual) in [(None, 0), (workspace(needed - 1), needed - 1)] {
        let error = CudaError::Workspace { expected: needed, actual };
        assert_eq!(launch(given).unwrap_err(), Error::Cuda(error));
    }
    launch(workspace(needed)).unwrap();
    device.synchronize().unwrap();
}

/// Whichever context is current on a thread, none included, is so after everything.
#[test]
fn the_current_context_stays() {
    let Some(device) = device() else { return };
    let current = || result::ctx::get_current().unwrap();
    // SAFETY: no context is one that lives.
    unsafe { result::ctx::set_current(std::ptr::null_mut()) }.unwrap();
    let sequence = Sequence::new(device.clone());
    assert_eq!(current(), None, "after arrays were made and kernels loaded");
    sequence.run().unwrap();
    assert_eq!(current(), None, "after a launch");
    assert_eq!(sequence.results(), sequence.expected());
    let on = Device::Cuda(device);
    let x = Array::full([STEPS, 3], 1.5f32).to(&on).unwrap();
    let v = Array::zeros([3]).to(&on).unwrap();
    MultiStep::new(Lif::default(), Gradient::default()).forward(&x, &v).unwrap();
    assert_eq!(current(), None, "after a training operation");
    drop((x, v, sequence));
    assert_eq!(current(), None, "after arrays were freed");
    let another = CudaDevice::new(0).unwrap();
    assert_eq!(current(), None, "after a device was created");
    drop(another);
    assert_eq!(current(), None, "after a device was dropped");
}

/// A device that is borrowed computes the same on another library's stream, and leaves the context as it was from the start.
#[test]
fn borrowed_devices() {
    let Some(owned) = device() else { return };
    // SAFETY: no context is one that lives.
    unsafe { result::ctx::set_current(std::ptr::null_mut()) }.unwrap();
    let borrowed = CudaDevice::borrowed(0).unwrap();
    assert_eq!(result::ctx::get_current().unwrap(), None, "after a device was borrowed");
    assert_eq!(borrowed.context_handle(), owned.context_handle());
    assert_eq!(borrowed.stream_handle(), 0, "the driver's default stream");
    let Sequence { inputs, outputs, .. } = Sequence::new(owned.clone());
    owned.synchronize().unwrap();
    let gradient = Gradient::default();
    let prepared = PreparedCall::new::<f32>(&borrowed, &Lif::default(), Template::Fptt, gradient).unwrap();
    let sequence = Sequence { device: borrowed, prepared, inputs, outputs };
    sequence.run().unwrap();
    sequence.device.synchronize().unwrap();
    assert_eq!(result::ctx::get_current().unwrap(), None, "after a launch");
    assert_eq!(sequence.results(), sequence.expected());
}

/// A graph made of a prepared call gives the same again; arrays that a graph would not keep are refused.
#[test]
fn graphs() {
    let Some(device) = device() else { return };
    let sequence = Sequence::new(device.clone());
    let on = Device::Cuda(device.clone());
    let (x, v) = (Array::full([STEPS, 3], 1.5f32).to(&on).unwrap(), Array::zeros([3]).to(&on).unwrap());
    let step = MultiStep::new(Lif::default(), Gradient::default());
    device.synchronize().unwrap();

    let stream = device.stream_handle() as sys::CUstream;
    let context = device.context_handle() as sys::CUcontext;
    let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
    let (mut graph, mut executable) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the context and the stream are the device's, which lives; the graph is destroyed before its arrays.
    unsafe {
        result::ctx::set_current(context).unwrap();
        sys::cuStreamBeginCapture_v2(stream, mode).result().unwrap();
        sequence.run().unwrap();
        let refused = step.inference(&x, &v).unwrap_err();
        sys::cuStreamEndCapture(stream, &raw mut graph).result().unwrap();
        assert_eq!(refused, Error::Cuda(CudaError::Capturing { device: device.to_string() }));
        sys::cuGraphInstantiateWithFlags(&raw mut executable, graph, 0).result().unwrap();
        assert!(sequence.results().iter().flatten().all(|value| *value == 0.0), "it was recorded only");
        for _ in 0..2 {
            sys::cuGraphLaunch(executable, stream).result().unwrap();
            assert_eq!(sequence.results(), sequence.expected());
        }
        sys::cuGraphExecDestroy(executable).result().unwrap();
        sys::cuGraphDestroy(graph).result().unwrap();
    }
    step.inference(&x, &v).unwrap();
}

/// A neuron that is chosen at run time computes the same as one of a known type.
#[test]
fn chosen_neurons() {
    let Some(device) = device() else { return };
    let chosen: Box<dyn Neuron> = Box::new(Lif::default());
    let x: Vec<f32> = (0..STEPS * NEURONS).map(|i| (i % 13) as f32 * 0.25).collect();
    let v = vec![0.0; NEURONS];
    let sources = [Source::Signal(&x[..]), Source::State(&v)];
    let (on, gradient) = (Device::Cuda(device), Gradient::default());
    for template in [Template::Fptt, Template::FpttWithGrad, Template::LeanFptt, Template::PackedFptt] {
        let known = evaluate_on(&on, &Lif::default(), template, gradient, NEURONS, &sources).unwrap();
        let actual = evaluate_on(&on, &chosen, template, gradient, NEURONS, &sources).unwrap();
        assert_eq!(actual, known, "{template}");
        let on_cpu = evaluate_on(&Device::Cpu, &chosen, template, gradient, NEURONS, &sources).unwrap();
        assert_eq!(actual, on_cpu, "{template}");
    }
}

/// Arrays can be left out of calls that are copied to the GPU, too.
#[test]
fn arrays_that_are_left_out() {
    let Some(device) = device() else { return };
    let x: Vec<f32> = (0..STEPS * NEURONS).map(|i| (i % 13) as f32 * 0.25).collect();
    let run = |device: &Device, v: &[f32], v_next: &mut [f32]| {
        let mut spikes = vec![f32::NAN; x.len()];
        let call = Call {
            template: Template::Fptt,
            neurons: NEURONS,
            gradient: Gradient::default(),
            inputs: &[Source::Signal(&x[..]), Source::State(v)],
            outputs: &mut [Sink::Signal(&mut spikes[..]), Sink::State(v_next)],
        };
        device.run(&Lif::default(), call).unwrap();
        spikes
    };
    let expected = run(&Device::Cpu, &[0.0; NEURONS], &mut [0.0; NEURONS]);
    assert_eq!(run(&Device::Cuda(device), &[], &mut []), expected);
}

/// Nothing is launched that the macro has not generated.
#[test]
fn specifications_written_by_hand_have_no_kernels() {
    static BY_HAND: Spec = Spec { cuda: Cuda::NONE, ..*Lif::SPEC };
    let Some(device) = device() else { return };
    assert_eq!(load::<f32>(&device, &BY_HAND), Err(CudaError::NoKernels { neuron: "Lif" }));
}
