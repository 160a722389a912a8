//! On a GPU: every kernel gives the same bits as on the CPU.
//!
//! Without one, this says so and passes; `NEURON_TEST_CUDA=require` makes that a failure.

use neurons::cuda::{CudaArray, CudaError, Device, RawCall, launch};
use neurons::{Element, Neuron};
use neurons_tests::cases::{Case, Host, SIZES, every_case};
use neurons_tests::compare::{Executor, compare};
use neurons_tests::declared::{Visit, every_neuron};

/// The GPU, or `None` with the reason printed.
fn device() -> Option<Device> {
    match Device::new(0) {
        Ok(device) => Some(device),
        Err(error @ (CudaError::NoDriver | CudaError::NoDevice { .. })) => {
            assert!(std::env::var_os("NEURON_TEST_CUDA").is_none_or(|v| v != "require"), "{error}");
            println!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// An array on the GPU, `offset` elements into its allocation.
enum Gpu<E: Element> {
    Signal(CudaArray<E>),
    State(CudaArray<E::Real>),
}

impl<E: Element> Gpu<E> {
    fn copy(device: &Device, host: &Host<E>, offset: usize) -> Self {
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

    fn to_host(&self, offset: usize) -> Host<E> {
        match self {
            Self::Signal(array) => Host::Signal(array.to_vec().unwrap().split_off(offset)),
            Self::State(array) => Host::State(array.to_vec().unwrap().split_off(offset)),
        }
    }
}

/// Runs kernels on a GPU.
struct OnGpu(Device);

impl Executor for OnGpu {
    fn run<N: Neuron, E: Element>(&self, case: &Case<N>, inputs: &[Host<E>], outputs: &mut [Host<E>]) {
        // One element into the allocation every other time: nothing relies on alignment.
        let offset = (case.steps + case.neurons) % 2;
        let copies = |arrays: &[Host<E>]| -> Vec<Gpu<E>> {
            arrays.iter().map(|array| Gpu::copy(&self.0, array, offset)).collect()
        };
        let addresses =
            |arrays: &[Gpu<E>]| -> Vec<u64> { arrays.iter().map(|array| array.address(offset)).collect() };
        let (read, written) = (copies(inputs), copies(outputs));
        let call = RawCall {
            template: case.template,
            steps: case.steps,
            neurons: case.neurons,
            gradient: case.gradient,
            inputs: &addresses(&read),
            outputs: &addresses(&written),
            stream: None,
        };
        // SAFETY: the arrays are of this device and as long as the signature says.
        unsafe { launch::<N, E>(&self.0, &case.neuron, call) }.unwrap();
        for (output, written) in outputs.iter_mut().zip(&written) {
            *output = written.to_host(offset);
        }
    }

    fn is_exact_in_double<N: Neuron>(&self, _: &Case<N>) -> bool {
        false
    }
}

#[test]
fn same_bits() {
    struct SameBits(OnGpu);
    impl Visit for SameBits {
        fn visit<N: Neuron>(&mut self) {
            let sizes: Vec<[usize; 2]> = SIZES.into_iter().chain([[3, 1_000_003]]).collect();
            let cases = every_case::<N>(&sizes);
            for case in &cases {
                compare::<N, f32>(&self.0, case);
                compare::<N, f64>(&self.0, case);
                compare::<N, half::f16>(&self.0, case);
                compare::<N, half::bf16>(&self.0, case);
            }
            println!("{}: {} calls in four formats give the same bits", N::SPEC.name, cases.len());
        }
    }
    let Some(device) = device() else { return };
    every_neuron(&mut SameBits(OnGpu(device)));
}
