//! The arguments of a kernel as the driver expects them: one pointer to each.

use std::ffi::c_void;

use neuron_abi::SUM_PARAMETERS;
use smallvec::SmallVec;

use super::{RawCall, RawParameter};
use crate::initial::initial_values;
use crate::summation::columns;
use crate::{Absent, Element, Error, Gradient, Neuron, ParamKind, Real, Spec, Template, Value};

/// The number of arguments, and of their words, that are stored inline. More are allocated.
const ARGUMENTS: usize = 48;
const WORDS: usize = 2 * ARGUMENTS;

/// The arguments of one launch, in the order of the kernel's parameters: the neuron's scalar parameters, its
/// flags, the surrogate, initial values of states, sizes, arrays.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// Each argument starts at a word, so that all are aligned.
    words: SmallVec<[u64; WORDS]>,
    /// The start of each.
    starts: SmallVec<[usize; ARGUMENTS]>,
    /// Whether they are those of a kernel whose threads add up gradients of parameters.
    adds_up: bool,
}

impl Arguments {
    /// The arguments that do not depend on sizes and arrays: parameters and flags of the neuron, the surrogate if the
    /// template uses it, and the initial values of the states that it reads. `E` is the data format.
    ///
    /// # Errors
    /// [`Error::NoValue`]: an omitted argument would shift all that follow. [`Error::NoTemplate`], [`Error::Signature`].
    pub fn settings<E: Element>(
        neuron: &(impl Neuron + ?Sized),
        template: Template,
        gradient: Gradient,
    ) -> Result<Self, Error> {
        Self::settings_of::<E>(neuron.spec(), neuron, template, gradient)
    }

    /// As [`Arguments::settings`], for the kernels of `spec`. A neuron written by hand may return a different specification
    /// each time, so callers ask once.
    pub(super) fn settings_of<E: Element>(
        spec: &'static Spec,
        neuron: &(impl Neuron + ?Sized),
        template: Template,
        gradient: Gradient,
    ) -> Result<Self, Error> {
        let adds_up =
            template.is_backward() && spec.params.iter().any(|param| param.kind == ParamKind::Learnable);
        let mut arguments = Self { adds_up, ..Self::default() };
        let no_value = |name, expected| Error::NoValue { neuron: spec.name, name, expected };
        for param in spec.params.iter().filter(|param| param.kind == ParamKind::Scalar) {
            match neuron.get(param.name) {
                Some(Value::Real(value)) => arguments.push(real_bytes::<E::Real>(value).as_slice()),
                _ => return Err(no_value(param.name, "number")),
            }
        }
        for flag in spec.flags {
            match neuron.get(flag.name) {
                Some(Value::Flag(value)) => arguments.push(&[u8::from(value)]),
                _ => return Err(no_value(flag.name, "flag")),
            }
        }
        if template.takes_gradient() {
            arguments.gradient::<E::Real>(gradient);
        }
        let inputs = spec.checked_signature(template)?.inputs;
        let initial = initial_values(neuron, template, inputs.iter())?;
        for buffer in inputs {
            if let Some(Absent::Initial(index)) = buffer.absent() {
                arguments.push(real_bytes::<E::Real>(initial[index]).as_slice());
            }
        }
        Ok(arguments)
    }

    /// Adds the sizes and arrays of a call of `template`, whose kernel writes to the addresses `outputs`.
    #[must_use]
    pub fn with(
        mut self,
        template: Template,
        call: &RawCall<'_>,
        outputs: impl IntoIterator<Item = u64>,
    ) -> Self {
        if template.is_multi_step() {
            self.word(call.steps as u64);
        }
        self.word(call.neurons as u64);
        if self.adds_up {
            self.word(columns(call.parameters.iter().map(RawParameter::layout), call.neurons) as u64);
        }
        call.inputs.iter().for_each(|array| self.word(array.argument()));
        for &RawParameter { address, count, inner } in call.parameters {
            // `struct Values` of the kernels.
            self.starts.push(self.words.len());
            self.words.extend([address, count as u64, inner as u64]);
        }
        outputs.into_iter().for_each(|address| self.word(address));
        self
    }

    /// The arguments of a kernel that packs or unpacks spikes.
    pub(super) fn of_bits(rows: usize, neurons: usize, from: u64, to: u64) -> Self {
        let mut arguments = Self::default();
        for value in [rows as u64, neurons as u64, from, to] {
            arguments.word(value);
        }
        arguments
    }

    /// The arguments of a summation kernel: source, whether it holds partial sums, sizes, destination and the distance between
    /// parameters there, destinations of the last pass.
    pub(super) fn of_sum(
        from: u64,
        is_partial: bool,
        sizes: &[usize],
        to: [u64; 2],
        totals: [u64; SUM_PARAMETERS],
    ) -> Self {
        let mut arguments = Self::default();
        arguments.word(from);
        arguments.push(&[u8::from(is_partial)]);
        sizes.iter().for_each(|&size| arguments.word(size as u64));
        to.iter().for_each(|&word| arguments.word(word));
        // `struct Totals` of the kernels.
        arguments.starts.push(arguments.words.len());
        arguments.words.extend(totals);
        arguments
    }

    /// `struct Gradient` of the kernels: two `int`, four `real`.
    fn gradient<R: Real>(&mut self, gradient: Gradient) {
        let mut bytes: SmallVec<[u8; 40]> = SmallVec::new();
        // A user-defined surrogate is the only one in its kernels, which ignore the index.
        bytes.extend(gradient.surrogate.index().unwrap_or(u32::MAX).to_ne_bytes());
        bytes.extend(u32::from(gradient.detach_reset).to_ne_bytes());
        for value in gradient.surrogate.parameter_values() {
            bytes.extend(real_bytes::<R>(value));
        }
        self.push(&bytes);
    }

    pub(super) fn word(&mut self, word: u64) {
        self.starts.push(self.words.len());
        self.words.push(word);
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.starts.push(self.words.len());
        for chunk in bytes.chunks(size_of::<u64>()) {
            let mut word = [0; size_of::<u64>()];
            word[..chunk.len()].copy_from_slice(chunk);
            self.words.push(u64::from_ne_bytes(word));
        }
    }

    /// The number of arguments.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are no arguments.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// A pointer to each argument, valid until `self` is changed or moved.
    pub fn pointers(&mut self) -> SmallVec<[*mut c_void; ARGUMENTS]> {
        let Self { words, starts, .. } = self;
        let words = words.as_mut_ptr();
        starts.iter().map(|&start| words.wrapping_add(start).cast::<c_void>()).collect()
    }
}

fn real_bytes<R: Real>(value: f64) -> SmallVec<[u8; 8]> {
    // There are no other formats of arithmetic.
    match size_of::<R>() {
        4 => SmallVec::from_slice(&(value as f32).to_ne_bytes()),
        _ => SmallVec::from_slice(&value.to_ne_bytes()),
    }
}
