//! Neurons, random data, and one of these neurons written with candle's own tensor operations.
#![allow(dead_code, reason = "each test file uses a part of it")]

use candle_core::{DType, Device, Result, Tensor};
use neuron_runtime::{Reset, neuron};
use neurons_candle::{Gradient, Surrogate};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

neuron! {
    /// Leaky integrate-and-fire.
    pub struct Lif {
        /// Membrane time constant in time steps.
        param tau = 2.0 where tau > 1.0;
        /// Whether the input decays with the membrane.
        flag decay_input = true;

        charge = v + if decay_input { (x - (v - v_reset)) / tau } else { x - (v - v_reset) / tau };
        reset hard | soft;
    }
}

neuron! {
    /// A transformed input, and parameters of every kind: learnable or not, one of which is the initial state.
    pub struct Normalised {
        learnable scale = 1.0;
        learnable shift = 0.25;
        array gain = 1.0 where gain > 0.0;
        param tau = 2.0 where tau > 1.0;
        learnable v_threshold = 1.0;
        learnable v_reset = 0.0;
        let y = scale * x + shift;
        charge = v + (gain * y - (v - v_reset)) / tau;
        reset hard | soft;
    }
}

/// Uniform values in `range`.
pub fn random(shape: &[usize], range: std::ops::Range<f64>, seed: u64) -> Tensor {
    let mut rng = StdRng::seed_from_u64(seed);
    let values = (0..shape.iter().product()).map(|_| rng.random_range(range.clone())).collect();
    Tensor::from_vec::<_, f64>(values, shape, &Device::Cpu).expect("as many values as the shape has")
}

/// Largest absolute difference.
pub fn distance(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    let (a, b) = (a.to_dtype(DType::F64).unwrap(), b.to_dtype(DType::F64).unwrap());
    (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
}

/// `Lif` as a loop of candle operations, differentiated by candle, one operation at a time.
pub fn unrolled(lif: &Lif, gradient: Gradient, x_seq: &Tensor, v: &Tensor) -> Result<(Tensor, Tensor)> {
    let (mut v, mut spikes) = (v.clone(), Vec::new());
    for t in 0..x_seq.dim(0)? {
        let x = x_seq.get(t)?;
        let leak = (&v - lif.v_reset)?;
        let h =
            if lif.decay_input { (&v + ((x - leak)? / lif.tau)?)? } else { ((&v + x)? - (leak / lif.tau)?)? };
        let spike = spike(&(&h - lif.v_threshold)?, gradient.surrogate)?;
        let s = if gradient.detach_reset { spike.detach() } else { spike.clone() };
        v = match lif.reset {
            Reset::Hard => ((&s * lif.v_reset)? + (s.affine(-1.0, 1.0)? * h)?)?,
            Reset::Soft => (h - (s * lif.v_threshold)?)?,
            Reset::None | Reset::Custom => unreachable!("not declared"),
        };
        spikes.push(spike);
    }
    Ok((Tensor::stack(&spikes, 0)?, v))
}

/// The step function of `u`, with the derivative of the surrogate.
pub fn spike(u: &Tensor, surrogate: Surrogate) -> Result<Tensor> {
    let constant = u.detach();
    let fired = constant.ge(0.0)?.to_dtype(u.dtype())?;
    let alpha = surrogate.parameters().map(|(_, value)| value).next().expect("both have one");
    let slope = match surrogate.name() {
        "ATan" => {
            let scaled = (&constant * (std::f64::consts::FRAC_PI_2 * alpha))?;
            ((scaled.sqr()? + 1.0)?.recip()? * (alpha / 2.0))?
        }
        "Sigmoid" => {
            let s = ((&constant * -alpha)?.exp()? + 1.0)?.recip()?;
            ((&s * s.affine(-1.0, 1.0)?)? * alpha)?
        }
        other => panic!("not compared with: {other}"),
    };
    // Zero, but with the gradient `slope`.
    fired + ((u - constant)? * slope)?
}
