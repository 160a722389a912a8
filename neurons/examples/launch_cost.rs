//! What a launch costs the CPU, by how it is made:
//!
//! `cargo run --release -p spiking-neurons --example launch_cost`
//!
//! The kernel is that of LIF over one step of a block of neurons, which takes the GPU less time than the CPU takes to
//! launch it; so these are times of the CPU. Rounds of each kind take turns, and the median of them counts.

#[path = "common/exit.rs"]
mod exit;

use std::process::ExitCode;
use std::time::Instant;

use cudarc::driver::{result, sys};
use neurons::cuda::{Arguments, CudaArray, CudaDevice, PreparedCall, RawCall};
use neurons::{Array, Device, Error, Gradient, Lif, MultiStep, Neuron, Template};

/// Launches of a round: fewer than a stream holds, so that none waits for the GPU.
const LAUNCHES: u32 = 500;
const ROUNDS: usize = 101;
const NEURONS: usize = 256;

/// Launches once.
type Run<'a> = &'a mut dyn FnMut() -> Result<(), Error>;

fn main() -> ExitCode {
    exit::code(run())
}

fn run() -> Result<(), Error> {
    let device = CudaDevice::new(0)?;
    let array = |len| CudaArray::<f32>::zeros(&device, len);
    let (x, v, spike, v_next) = (array(NEURONS)?, array(NEURONS)?, array(NEURONS)?, array(NEURONS)?);
    let (neuron, template, gradient) = (Lif::default(), Template::Fptt, Gradient::default());
    let prepared = PreparedCall::new::<f32>(&device, &neuron, template, gradient)?;
    let inputs = [x.raw(), v.raw()];
    let outputs = [spike.raw(), v_next.raw()];
    let call = RawCall {
        steps: 1,
        neurons: NEURONS,
        inputs: &inputs,
        parameters: &[],
        outputs: &outputs,
        workspace: None,
        stream: None,
    };
    let written = outputs.map(|array| array.address);
    let mut arguments =
        Arguments::settings::<f32>(&neuron, template, gradient)?.with(template, &call, written);
    let mut pointers = arguments.pointers();
    let function = prepared.function_handle() as sys::CUfunction;
    let (context, stream) =
        (device.context_handle() as sys::CUcontext, device.stream_handle() as sys::CUstream);

    let mut bare = || {
        // SAFETY: the kernel's own arguments, over arrays that outlive the work, in its context.
        unsafe { result::launch_kernel(function, (1, 1, 1), (256, 1, 1), 0, stream, &mut pointers) }
            .expect("the prepared call launches it too");
        Ok(())
    };
    // SAFETY: the arrays are of this device, and outlive the work.
    let launch = || unsafe { prepared.launch(&call) };
    // SAFETY: as above.
    let resolve = || unsafe { PreparedCall::new::<f32>(&device, &neuron, template, gradient)?.launch(&call) };
    let chosen: Box<dyn Neuron> = Box::new(Lif::default());
    // SAFETY: as above.
    let resolve_chosen =
        || unsafe { PreparedCall::new::<f32>(&device, &*chosen, template, gradient)?.launch(&call) };
    let step = MultiStep::new(Lif::default(), gradient);
    let on = Device::Cuda(device.clone());
    let (x_seq, v0) = (Array::zeros([1, NEURONS]).to(&on)?, Array::<f32>::zeros([NEURONS]).to(&on)?);
    let arrays = || step.inference_all::<f32>(&[&x_seq], &[&v0]).map(|_| ());

    let mut kinds: [(&str, bool, Run<'_>); 6] = [
        ("driver alone", true, &mut bare),
        ("prepared call", true, &mut { launch }),
        ("prepared call, another context being current", false, &mut { launch }),
        ("prepared for each launch", true, &mut { resolve }),
        ("the same, of a `dyn Neuron`", true, &mut { resolve_chosen }),
        ("arrays: two allocated and freed for each launch", true, &mut { arrays }),
    ];
    let mut times = vec![Vec::new(); kinds.len()];
    for round in 0..=ROUNDS {
        for ((_, is_current, run), times) in kinds.iter_mut().zip(&mut times) {
            // SAFETY: the context is the device's, which lives; no context is one too.
            unsafe { result::ctx::set_current(if *is_current { context } else { std::ptr::null_mut() }) }
                .expect("the context is there");
            let start = Instant::now();
            for _ in 0..LAUNCHES {
                run()?;
            }
            let seconds = start.elapsed().as_secs_f64();
            device.synchronize()?;
            if round > 0 {
                times.push(seconds / f64::from(LAUNCHES));
            }
        }
    }
    println!("{}, {LAUNCHES} launches a round, median of {ROUNDS} rounds", device.name());
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2] * 1e6
    };
    let medians: Vec<f64> = times.iter_mut().map(median).collect();
    for ((name, ..), time) in kinds.iter().zip(&medians) {
        println!("{name:50} {time:7.3} us, {:+.3} us", time - medians[0]);
    }
    let spikes: f64 = spike.to_vec()?.into_iter().map(f64::from).sum();
    println!("{} is {:?}: {spikes} spikes", neuron.spec().name, neuron.reset());
    Ok(())
}
