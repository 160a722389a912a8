//! Inputs that follow from their index alone, so that other software computes the same ones; `scripts/peers/inputs.py`
//! has them in Python.

/// Well mixed bits of an index ("lowbias32" of Wellons' hash-prospector).
pub fn hash(index: u32) -> u32 {
    let mut h = index;
    h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
    h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
    h ^ (h >> 16)
}

/// 128 values in [-1, 3), multiples of 1/64: with tau = 2 all of the membrane potential's bits fit into a float32 for
/// 16 steps, so that its spikes do not depend on the order of operations.
pub fn x(index: u32) -> f64 {
    (f64::from(hash(2 * index) >> 25) + 0.5) / 32.0 - 1.0
}

/// 256 values in [-1, 1).
pub fn grad_spike(index: u32) -> f64 {
    f64::from(hash(2 * index + 1) >> 24) / 128.0 - 1.0
}
