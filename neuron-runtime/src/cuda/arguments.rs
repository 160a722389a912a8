//! The arguments of a kernel, as the driver wants them: one pointer to each.

use std::ffi::c_void;

use super::RawCall;
use crate::surrogate::MAX_PARAMETERS;
use crate::{Element, Error, Gradient, Neuron, ParamKind, Real, Value};

/// As many as the largest argument has in float64: the surrogate.
const WORDS: usize = 1 + MAX_PARAMETERS;

/// The arguments of one launch, in the order of the kernel's parameters: the neuron's scalar parameters, its
/// flags, the surrogate, sizes, arrays.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// Each in as many words as the largest argument needs, so that every one is aligned.
    values: Vec<[u64; WORDS]>,
}

impl Arguments {
    /// Of a call, with the addresses of what its kernel writes.
    ///
    /// # Errors
    /// [`Error::NoTemplate`], [`Error::NoValue`]; [`Error::ArgumentCount`] if these are not as many as the kernel takes,
    /// which would read beyond the last.
    pub fn new<N: Neuron, E: Element>(
        neuron: &N,
        call: &RawCall<'_>,
        outputs: impl IntoIterator<Item = u64>,
    ) -> Result<Self, Error> {
        let spec = N::SPEC;
        let &RawCall { template, steps, neurons, gradient, inputs, parameters, .. } = call;
        let mut arguments = Self::default();
        // One that is left out would move all that follow.
        let no_value = |name, expected| Error::NoValue { neuron: spec.name, name, expected };
        for param in spec.params.iter().filter(|param| param.kind == ParamKind::Scalar) {
            match neuron.get(param.name) {
                Some(Value::Real(value)) => arguments.real::<E::Real>(&[value]),
                _ => return Err(no_value(param.name, "number")),
            }
        }
        for flag in spec.flags {
            match neuron.get(flag.name) {
                Some(Value::Flag(value)) => arguments.bytes(&[u8::from(value)]),
                _ => return Err(no_value(flag.name, "flag")),
            }
        }
        if template.takes_gradient() {
            arguments.gradient::<E::Real>(gradient);
        }
        if template.is_multi_step() {
            arguments.bytes(&(steps as u64).to_ne_bytes());
        }
        arguments.bytes(&(neurons as u64).to_ne_bytes());
        let others = arguments.values.len();
        for address in inputs {
            arguments.bytes(&address.to_ne_bytes());
        }
        for parameter in parameters {
            // `struct Values` of the kernels.
            let words = [parameter.address, parameter.count as u64, parameter.inner as u64];
            arguments.bytes(&words.map(u64::to_ne_bytes).concat());
        }
        for address in outputs {
            arguments.bytes(&address.to_ne_bytes());
        }
        let signature = spec.checked_signature(template)?;
        let expected = others + signature.inputs.len() + signature.outputs.len();
        let actual = arguments.values.len();
        if actual != expected {
            return Err(Error::ArgumentCount { neuron: spec.name, template, expected, actual });
        }
        Ok(arguments)
    }

    /// Of a kernel that packs spikes or unpacks them.
    pub(super) fn of_bits(rows: usize, neurons: usize, from: u64, to: u64) -> Self {
        let mut arguments = Self::default();
        for value in [rows as u64, neurons as u64, from, to] {
            arguments.bytes(&value.to_ne_bytes());
        }
        arguments
    }

    /// Of a kernel that adds up: from where, whether what is there was added up before, sizes, to where.
    pub(super) fn of_sum(from: u64, is_partial: bool, sizes: &[usize], to: u64) -> Self {
        let mut arguments = Self::default();
        arguments.bytes(&from.to_ne_bytes());
        arguments.bytes(&[u8::from(is_partial)]);
        for &size in sizes {
            arguments.bytes(&(size as u64).to_ne_bytes());
        }
        arguments.bytes(&to.to_ne_bytes());
        arguments
    }

    /// `struct Gradient` of the kernels: two `int`, four `real`.
    fn gradient<R: Real>(&mut self, gradient: Gradient) {
        let mut bytes = Vec::new();
        // One of its own is the only one in its kernels, which do not ask.
        bytes.extend_from_slice(&gradient.surrogate.index().unwrap_or(u32::MAX).to_ne_bytes());
        bytes.extend_from_slice(&u32::from(gradient.detach_reset).to_ne_bytes());
        for value in gradient.surrogate.parameter_values() {
            bytes.extend(real_bytes::<R>(value));
        }
        self.bytes(&bytes);
    }

    fn real<R: Real>(&mut self, values: &[f64]) {
        let bytes: Vec<u8> = values.iter().flat_map(|&value| real_bytes::<R>(value)).collect();
        self.bytes(&bytes);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let mut value = [0u64; WORDS];
        for (word, chunk) in value.iter_mut().zip(bytes.chunks(8)) {
            let mut padded = [0u8; 8];
            padded[..chunk.len()].copy_from_slice(chunk);
            *word = u64::from_ne_bytes(padded);
        }
        self.values.push(value);
    }

    /// A pointer to each argument, valid as long as `self` is not touched.
    pub fn pointers(&mut self) -> Vec<*mut c_void> {
        self.values.iter_mut().map(|value| value.as_mut_ptr().cast::<c_void>()).collect()
    }
}

fn real_bytes<R: Real>(value: f64) -> Vec<u8> {
    // The only formats of arithmetic.
    match size_of::<R>() {
        4 => (value as f32).to_ne_bytes().to_vec(),
        _ => value.to_ne_bytes().to_vec(),
    }
}
