//! Tensors of a call as memory, and the call on the CPU.

use neurons::evaluate::Mode;
use neurons::{BufferSpec, Call, Element, Error, Kind, Layout, Neuron, Parameter, Sink, Source};
use smallvec::SmallVec;

use crate::plan::Plan;

/// Neuron-steps from which on the runtime may use threads.
const PARALLEL: usize = 1 << 15;

/// A tensor whose elements lie one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct Raw {
    pub address: usize,
    pub len: usize,
    pub bytes: usize,
    /// Of a parameter.
    pub layout: Layout,
}

impl Raw {
    pub const EMPTY: Self = Self { address: 0, len: 0, bytes: 0, layout: Layout::SHARED };

    pub fn overlaps(&self, other: &Self) -> bool {
        self.address < other.address + other.bytes && other.address < self.address + self.bytes
    }

    /// # Safety
    /// There are so many elements of that type, which nobody writes to for so long.
    unsafe fn read<'a, T>(&self) -> &'a [T] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the caller's.
        unsafe { std::slice::from_raw_parts(self.address as *const T, self.len) }
    }

    /// # Safety
    /// There are so many elements of that type, which nobody else uses for so long.
    unsafe fn write<'a, T>(&self) -> &'a mut [T] {
        if self.len == 0 {
            return &mut [];
        }
        // SAFETY: the caller's.
        unsafe { std::slice::from_raw_parts_mut(self.address as *mut T, self.len) }
    }

    unsafe fn source<'a, E: Element>(&self, buffer: &BufferSpec) -> Source<'a, E> {
        // SAFETY: the caller's.
        unsafe {
            match buffer.kind() {
                Kind::Parameter => Source::Parameter(Parameter::per_channel(self.read(), self.layout.inner)),
                Kind::Signal => Source::Signal(self.read()),
                // No template reads bits.
                Kind::State | Kind::Bits => Source::State(self.read()),
            }
        }
    }

    unsafe fn sink<'a, E: Element>(&self, buffer: &BufferSpec) -> Sink<'a, E> {
        // SAFETY: the caller's.
        unsafe {
            match buffer.kind() {
                Kind::Signal => Sink::Signal(self.write()),
                Kind::State => Sink::State(self.write()),
                Kind::Parameter => Sink::Parameter(self.write()),
                Kind::Bits => Sink::Bits(self.write()),
            }
        }
    }
}

/// The tensors of a call, in the order of its signature.
#[derive(Debug)]
pub struct Arrays {
    pub steps: usize,
    pub neurons: usize,
    pub inputs: SmallVec<[Raw; 12]>,
    pub outputs: SmallVec<[Raw; 12]>,
}

impl Arrays {
    /// Whether one thread does it all. Gradients of parameters are added up on several in any case.
    pub fn is_small(&self, plan: &Plan) -> bool {
        let adds_up =
            plan.signature.template.is_backward() && plan.neuron.spec().learnables().next().is_some();
        self.steps * self.neurons < PARALLEL && !adds_up
    }

    /// Runs it on the CPU.
    ///
    /// # Safety
    /// There are so many elements, in the formats of the signature for data of format `E`; nobody else writes to any of
    /// them meanwhile, or reads from those that are written, which do not overlap.
    pub unsafe fn run<E: Element>(&self, plan: &Plan) -> Result<(), Error> {
        let signature = plan.signature;
        // SAFETY: the caller's.
        let sources = self.inputs.iter().zip(signature.inputs).map(|(raw, b)| unsafe { raw.source::<E>(b) });
        let sources: SmallVec<[_; 12]> = sources.collect();
        // SAFETY: the caller's.
        let sinks = self.outputs.iter().zip(signature.outputs).map(|(raw, b)| unsafe { raw.sink::<E>(b) });
        let mut sinks: SmallVec<[_; 12]> = sinks.collect();
        let call = Call {
            template: signature.template,
            neurons: self.neurons,
            gradient: plan.gradient,
            inputs: &sources,
            outputs: &mut sinks,
        };
        match plan.mode {
            Mode::Spiking => plan.neuron.run(call),
            Mode::Relaxed => plan.neuron.run_relaxed(call),
        }
    }
}
