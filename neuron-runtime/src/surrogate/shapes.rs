//! The surrogates, each by its gradient and primitive. Sources as in SpikingJelly's documentation.

use crate::Real;

/// A surrogate, of the distance `u` from the threshold and its parameters.
pub trait Shape: 'static {
    /// Its number in generated CUDA code; 0 and 1 are those of the 2020 API.
    const INDEX: u32;

    /// What takes the place of the derivative of the step.
    fn gradient<R: Real>(u: R, parameters: [R; 2]) -> R;

    /// Its primitive, 1/2 at 0.
    fn primitive<R: Real>(u: R, parameters: [R; 2]) -> R;
}

macro_rules! shape {
    ($(#[$doc:meta])* $name:ident = $index:literal; |$u:ident, $a:ident, $num:ident| $gradient:expr; $primitive:expr;) => {
        $(#[$doc])*
        pub struct $name;

        impl Shape for $name {
            const INDEX: u32 = $index;

            #[inline(always)]
            fn gradient<R: Real>($u: R, [$a, _]: [R; 2]) -> R {
                let $num = R::from_f64;
                $gradient
            }

            #[inline(always)]
            fn primitive<R: Real>($u: R, [$a, _]: [R; 2]) -> R {
                let $num = R::from_f64;
                $primitive
            }
        }
    };
}

shape! {
    /// Fang et al., 2021.
    Atan = 0;
    |u, a, num| {
        let z = num(std::f64::consts::FRAC_PI_2) * a * u;
        num(0.5) * a / (num(1.0) + z * z)
    };
    (num(std::f64::consts::FRAC_PI_2) * a * u).atan() * num(std::f64::consts::FRAC_1_PI) + num(0.5);
}

shape! {
    /// The logistic function.
    Sigmoid = 1;
    |u, a, num| {
        let s = (a * u).sigmoid();
        a * s * (num(1.0) - s)
    };
    {
        let _ = num;
        (a * u).sigmoid()
    };
}

shape! {
    /// A triangle.
    PiecewiseQuadratic = 2;
    |u, a, num| {
        let g = a - a * a * u.abs();
        if g < num(0.0) { num(0.0) } else { g }
    };
    {
        let z = a * u;
        let inside = z - num(0.5) * z * z.abs() + num(0.5);
        if z < num(-1.0) {
            num(0.0)
        } else if z > num(1.0) {
            num(1.0)
        } else {
            inside
        }
    };
}

shape! {
    /// Shrestha and Orchard, 2018.
    PiecewiseExp = 3;
    |u, a, num| num(0.5) * a * (-(a * u.abs())).exp();
    {
        let tail = num(0.5) * (-(a * u.abs())).exp();
        if u < num(0.0) { tail } else { num(1.0) - tail }
    };
}

shape! {
    /// Of the soft sign function.
    SoftSign = 4;
    |u, a, num| {
        let z = num(1.0) + a * u.abs();
        num(0.5) * a / (z * z)
    };
    {
        let tail = num(0.5) / (num(1.0) + a * u.abs());
        if u < num(0.0) { tail } else { num(1.0) - tail }
    };
}

shape! {
    /// Zenke and Ganguli, 2018.
    SuperSpike = 5;
    |u, a, num| {
        let z = num(1.0) + u.abs();
        a / (z * z)
    };
    {
        let rise = a - a / (num(1.0) + u.abs());
        if u < num(0.0) { num(0.5) - rise } else { num(0.5) + rise }
    };
}

shape! {
    /// A Gaussian.
    Erf = 6;
    |u, a, num| {
        let z = a * u;
        a * num(0.5 * std::f64::consts::FRAC_2_SQRT_PI) * (-(z * z)).exp()
    };
    num(0.5) + num(0.5) * (a * u).erf();
}

shape! {
    /// Herranz-Celotti and Rouat, 2022: a tail of adjustable weight.
    QPseudoSpike = 7;
    |u, a, num| {
        let z = num(1.0) + num(2.0) * u.abs() / (a - num(1.0));
        (-(a * z.ln())).exp()
    };
    {
        let z = num(1.0) + num(2.0) * u.abs() / (a - num(1.0));
        let tail = num(0.5) * ((num(1.0) - a) * z.ln()).exp();
        if u < num(0.0) { tail } else { num(1.0) - tail }
    };
}
