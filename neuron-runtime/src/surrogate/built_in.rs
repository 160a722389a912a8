//! The built-in surrogates, each declared once. Names, parameters and defaults of the first sixteen are those of
//! SpikingJelly, and so are the primitives where it has them.

use super::Surrogate;
use crate::surrogate;

/// All of them, with their defaults; the place of each is its number in CUDA kernels.
pub(super) static ALL: [fn() -> Surrogate; 17] = [
    || ATan::default().into(),
    || Sigmoid::default().into(),
    || PiecewiseQuadratic::default().into(),
    || PiecewiseExp::default().into(),
    || SoftSign::default().into(),
    || SuperSpike::default().into(),
    || Erf::default().into(),
    || QPseudoSpike::default().into(),
    || Rect::default().into(),
    || LeakyKReLU::default().into(),
    || PiecewiseLeakyReLU::default().into(),
    || FakeNumericalGradient::default().into(),
    || LogTailedReLU::default().into(),
    || NonzeroSignLogAbs::default().into(),
    || SquarewaveFourierSeries::default().into(),
    || S2NN::default().into(),
    || FastSigmoid::default().into(),
];

surrogate! {
    /// The arc tangent (Fang et al., 2021). Index 0 of the 2020 API.
    pub surrogate ATan {
        /// Steepness: twice the gradient at the threshold.
        param alpha = 2.0 where alpha > 0.0;

        let z = PI / 2.0 * alpha * u;
        primitive = atan(z) / PI + 0.5;
    }
}

surrogate! {
    /// The logistic function. Index 1 of the 2020 API.
    pub surrogate Sigmoid {
        /// Steepness: four times the gradient at the threshold.
        param alpha = 4.0 where alpha > 0.0;

        let z = alpha * u;
        primitive = sigmoid(z);
    }
}

surrogate! {
    /// A step of two parabolas, whose gradient is a triangle (Esser et al., 2016; Bellec et al., 2018).
    pub surrogate PiecewiseQuadratic {
        /// The gradient at the threshold; its inverse is where the gradient ends.
        param alpha = 1.0 where alpha > 0.0;

        let z = alpha * abs(u);
        let tail = if z >= 1.0 { 0.0 } else { 0.5 * (1.0 - z)^2 };
        primitive = if u < 0.0 { tail } else { 1.0 - tail };
    }
}

surrogate! {
    /// A step of two exponentials (Shrestha and Orchard, 2018).
    pub surrogate PiecewiseExp {
        /// Steepness: twice the gradient at the threshold.
        param alpha = 1.0 where alpha > 0.0;

        let tail = 0.5 * exp(-alpha * abs(u));
        primitive = if u < 0.0 { tail } else { 1.0 - tail };
    }
}

surrogate! {
    /// The soft sign function.
    pub surrogate SoftSign {
        /// Steepness: twice the gradient at the threshold.
        param alpha = 2.0 where alpha > 0.0;

        let z = 1.0 + alpha * abs(u);
        primitive = if u < 0.0 { 0.5 / z } else { 1.0 - 0.5 / z };
    }
}

surrogate! {
    /// SuperSpike as SpikingJelly has it, where `alpha` is the height and the width is fixed. The slope of the paper
    /// (Zenke and Ganguli, 2018) is [`FastSigmoid`].
    pub surrogate SuperSpike {
        /// The gradient at the threshold.
        param alpha = 1.0 where alpha > 0.0;

        let z = 1.0 + abs(u);
        primitive = if u < 0.0 { alpha / z - alpha + 0.5 } else { alpha - alpha / z + 0.5 };
    }
}

surrogate! {
    /// The error function: its gradient is a Gaussian (Esser et al., 2015; Yin et al., 2021).
    pub surrogate Erf {
        /// Steepness: the gradient at the threshold times the square root of pi.
        param alpha = 2.0 where alpha > 0.0;

        let z = alpha * u;
        primitive = 0.5 + 0.5 * erf(z);
    }
}

surrogate! {
    /// The q-pseudo-spike (Herranz-Celotti and Rouat, 2022): a gradient with a tail of adjustable weight, 1 at the
    /// threshold.
    pub surrogate QPseudoSpike {
        /// Exponent of the tail: the larger, the lighter.
        param alpha = 2.0 where alpha > 1.0;

        let q = alpha - 1.0;
        let z = 2.0 * abs(u) / q;
        let power = exp(-q * log1p(z));
        primitive = if u < 0.0 { 0.5 * power } else { 1.0 - 0.5 * power };
    }
}

surrogate! {
    /// A ramp, whose gradient is a rectangle of area 1.
    pub surrogate Rect {
        /// The gradient around the threshold; its inverse is the width.
        param alpha = 1.0 where alpha > 0.0;

        primitive = if abs(u) < 0.5 / alpha { alpha * u + 0.5 } else if u < 0.0 { 0.0 } else { 1.0 };
    }
}

surrogate! {
    /// The leaky rectifier.
    pub surrogate LeakyKReLU {
        /// The gradient below the threshold.
        param leak = 0.0;
        /// The gradient from the threshold on.
        param k = 1.0;

        primitive = if u < 0.0 { leak * u } else { k * u };
    }
}

surrogate! {
    /// A ramp with leaky ends.
    pub surrogate PiecewiseLeakyReLU {
        /// Half the width of the ramp.
        param w = 1.0 where w > 0.0;
        /// The gradient beyond it.
        param c = 0.01;

        primitive = if u < -w { c * (u + w) } else if u < w { u / (2.0 * w) + 0.5 } else { c * (u - w) + 1.0 };
    }
}

surrogate! {
    /// The fake numerical gradient: that of the step over the distance from the threshold.
    pub surrogate FakeNumericalGradient {
        /// The largest gradient.
        param alpha = 0.3 where alpha > 0.0;

        let z = alpha * abs(u);
        let rise = if z <= 1.0 { z } else { 1.0 + ln(z) };
        primitive = if u < 0.0 { 0.5 - rise } else { 0.5 + rise };
    }
}

surrogate! {
    /// A rectifier with a logarithmic tail (Cai et al., 2017).
    pub surrogate LogTailedReLU {
        /// The gradient up to the threshold.
        param alpha = 0.0;

        primitive = if u <= 0.0 { alpha * u } else if u <= 1.0 { u } else { 1.0 + ln(u) };
    }
}

surrogate! {
    /// The logarithm of the distance, with its sign, which 0 has, too.
    pub surrogate NonzeroSignLogAbs {
        /// The gradient at the threshold.
        param alpha = 1.0 where alpha > 0.0;

        let rise = log1p(alpha * abs(u));
        primitive = if u < 0.0 { -rise } else { rise };
    }
}

surrogate! {
    /// The first terms of the Fourier series of a square wave. Terms 1 to `n` are taken, as SpikingJelly documents
    /// it; what it runs lacks the last of them.
    pub surrogate SquarewaveFourierSeries {
        /// How many terms: up to four, since every kernel has the code for all of them.
        param n = 2.0 where n >= 1.0, n <= 4.0, n == round(n);
        /// Period of the wave.
        param t_period = 8.0 where t_period > 0.0;

        let w = 2.0 * PI / t_period;
        let z = w * u;
        let later = (if n >= 2.0 { sin(3.0 * z) / (3.0 * w) } else { 0.0 })
            + (if n >= 3.0 { sin(5.0 * z) / (5.0 * w) } else { 0.0 })
            + (if n >= 4.0 { sin(7.0 * z) / (7.0 * w) } else { 0.0 });
        primitive = 0.5 + 4.0 / t_period * (sin(z) / w + later);
    }
}

surrogate! {
    /// S2NN (Suetake et al., 2022): the logistic function below the threshold, a logarithm above.
    pub surrogate S2NN {
        /// Steepness below the threshold.
        param alpha = 4.0 where alpha > 0.0;
        /// The gradient at the threshold from above.
        param beta = 1.0 where beta > 0.0;

        let z = alpha * u;
        primitive = if u < 0.0 { sigmoid(z) } else { 0.5 + beta * log1p(u) };
    }
}

surrogate! {
    /// The fast sigmoid, whose slope `1 / (1 + slope |u|)^2` is that of SuperSpike (Zenke and Ganguli, 2018), of snnTorch's
    /// `fast_sigmoid` and of Spyx's `superspike`; Norse's `super` is that with a slope of 1.
    pub surrogate FastSigmoid {
        /// Steepness: the inverse of the distance at which the gradient is a quarter of that at the threshold, which is 1.
        param slope = 25.0 where slope > 0.0;

        let z = 1.0 + slope * abs(u);
        let rise = (1.0 - 1.0 / z) / slope;
        primitive = if u < 0.0 { 0.5 - rise } else { 0.5 + rise };
    }
}
