//! Kernels compiled by the host compiler, as what runs the kernels of neurons.

use libloading::{Library, Symbol};
use neuron_abi::kernel;
use neurons::cuda::{Arguments, RawArray, RawCall, RawParameter};
use neurons::{DeclaredNeuron, Element};

use crate::cases::{Case, Host};
use crate::compare::Executor;
use crate::host_cuda::{Launch, launch_name};

/// Which of the kernels of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// That for many neurons.
    Ordinary,
    /// That for few.
    Few,
    /// That which scans.
    Scan,
}

/// The kernels of one neuron in one format.
#[derive(Debug)]
pub struct Kernels {
    /// What they were compiled to.
    pub library: Library,
    /// Whether they call functions whose float64 versions are those of the C library.
    pub is_transcendental: bool,
    /// Which are launched.
    pub which: Which,
}

impl Kernels {
    /// What launches the kernel for a case, if there is one.
    pub fn launch<N: DeclaredNeuron, E: Element>(&self, case: &Case<N>) -> Option<Symbol<'_, Launch>> {
        let kernel = kernel::name(case.template, case.neuron.reset());
        let kernel = match self.which {
            Which::Ordinary => kernel,
            Which::Few => kernel::few(&kernel),
            Which::Scan => kernel::scan(&kernel),
        };
        let name = launch_name(&kernel::symbol(N::SPEC.module, &kernel, E::FORMAT));
        // SAFETY: the library defines it with this type.
        unsafe { self.library.get::<Launch>(name.as_bytes()) }.ok()
    }
}

impl Executor for Kernels {
    fn run<N: DeclaredNeuron, E: Element>(
        &self,
        case: &Case<N>,
        inputs: &[Host<E>],
        outputs: &mut [Host<E>],
    ) {
        let launch = self.launch::<N, E>(case).expect("every kernel can be launched");
        let (mut read, mut parameters) = (Vec::new(), Vec::new());
        for input in inputs {
            match input {
                Host::Signal(array) => {
                    read.push(RawArray { address: array.as_ptr() as u64, len: array.len() })
                }
                Host::State(array) => {
                    read.push(RawArray { address: array.as_ptr() as u64, len: array.len() })
                }
                Host::Bits(_) => panic!("no template reads bits"),
                Host::Parameter(values, inner) => parameters.push(RawParameter {
                    address: values.as_ptr() as u64,
                    count: values.len(),
                    inner: *inner,
                }),
            }
        }
        let written = outputs.iter_mut().map(|array| match array {
            // Kernels tell by the address.
            Host::State(array) if array.is_empty() => 0,
            Host::Signal(array) => array.as_mut_ptr() as u64,
            Host::State(array) | Host::Parameter(array, _) => array.as_mut_ptr() as u64,
            Host::Bits(words) => words.as_mut_ptr() as u64,
        });
        let &Case { ref neuron, template, gradient, steps, neurons, .. } = case;
        let (inputs, parameters, outputs) = (&read[..], &parameters[..], &[][..]);
        let call = RawCall { steps, neurons, inputs, parameters, outputs, workspace: None, stream: None };
        let settings =
            Arguments::settings::<E>(neuron, template, gradient).expect("every parameter has a value");
        let mut arguments = settings.with(template, &call, written);
        // SAFETY: the kernel takes the arguments of this template; arrays are as long as the signature says.
        unsafe { launch(arguments.pointers().as_ptr(), neurons as u64) };
    }

    // That takes threads that wait for each other.
    const ADDS_UP: bool = false;

    fn is_exact_in_double<N: DeclaredNeuron>(&self, case: &Case<N>) -> bool {
        let function = case.gradient.surrogate.cuda_function("surrogate");
        let is_algebraic = !["abs", "reciprocal"]
            .iter()
            .fold(function, |text, name| text.replace(&format!("math::{name}("), ""))
            .contains("math::");
        let with_grad = case.template.takes_gradient();
        !self.is_transcendental && (!with_grad || is_algebraic)
    }
}
