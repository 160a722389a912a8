//! Declarations under conditions, and those that other macros write.

// Generated code has unsafe parts, which the lint must not attribute to the user.
#![forbid(unsafe_code)]

use neuron_runtime::{DeclaredNeuron, Error, neuron, surrogate};

neuron! {
    /// Not there: it has mistakes, would be warned of, and what it becomes would be there twice.
    #[cfg(not(test))]
    pub struct Conditional {
        param unused = 1.0;
        charge = ln(v) + nothing;
        reset hard;
    }
}

neuron! {
    /// There.
    #[cfg(test)]
    #[cfg_attr(test, derive(PartialOrd), cfg(test))]
    pub struct Conditional {
        charge = v + x;
        reset hard;
    }
}

neuron! {
    #[cfg_attr(test, cfg(not(test)))]
    pub struct Conditional {
        charge = v - x;
        reset hard;
    }
}

surrogate! {
    #[cfg(not(test))]
    pub surrogate Sometimes { primitive = nothing * u; }
}

surrogate! {
    #[cfg(test)]
    pub surrogate Sometimes { primitive = sigmoid(u); }
}

#[test]
fn conditions_apply_to_all_that_a_declaration_becomes() {
    assert!(Conditional::default() <= Conditional::default());
    assert_eq!(Conditional::SPEC.name, "Conditional");
    let sometimes = neuron_runtime::Surrogate::from(Sometimes);
    assert_eq!(sometimes.gradient(0.0), 0.25);
}

/// A family of neurons with fragments of every kind.
macro_rules! declare {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident,
        $item:ident $param:ident = $default:literal, $range:expr,
        $exponent:literal, $inverse:literal, $flag:expr, $drive:expr, $function:tt, $reset:expr
    ) => {
        neuron! {
            $(#[$meta])*
            $vis struct $name {
                $item $param = $default where $range;
                flag inverted = $flag;
                let drive = 2.0 * $drive;
                charge = $function(v)^$exponent + if inverted && $range { (1.0 + v^2)^$inverse * drive } else { $param * x };
                reset $reset;
            }
        }
    };
}

/// Hands its fragments on: they are fragments of fragments then.
macro_rules! nested {
    ($default:literal, $drive:expr, $flag:expr) => {
        declare! {
            #[doc = "Built by a macro."]
            pub(crate) struct Built, param gain = $default, gain < 0.0,
            2, -1, $flag, $drive, tanh, soft | hard
        }
    };
}

nested!(-0.5, -x + v, true);

neuron! {
    /// The same, written out.
    pub struct Written {
        param gain = -0.5 where gain < 0.0;
        flag inverted = true;
        let drive = 2.0 * (-x + v);
        charge = tanh(v)^2 + if inverted && gain < 0.0 { (1.0 + v^2)^-1 * drive } else { gain * x };
        reset soft | hard;
    }
}

#[test]
fn fragments_mean_what_they_would_written_out() -> Result<(), Error> {
    let (x_seq, v) = ([0.3, -1.5, 2.0, 0.1, 4.0, -3.0], [0.25, -0.75]);
    let (mut spike_seq, mut v_next) = ([0.0; 6], [0.0; 2]);
    Written::default().fptt(written::Fptt {
        x_seq: &x_seq,
        v: &v,
        spike_seq: &mut spike_seq,
        v_next: &mut v_next,
    })?;
    let (mut built_seq, mut built_next) = ([0.0; 6], [0.0; 2]);
    Built::default().fptt(built::Fptt {
        x_seq: &x_seq,
        v: &v,
        spike_seq: &mut built_seq,
        v_next: &mut built_next,
    })?;
    assert_eq!((built_seq, built_next), (spike_seq, v_next));
    assert!(v_next.iter().all(|v: &f64| v.is_finite() && *v != 0.0));
    assert_eq!(Built::SPEC.equations, Written::SPEC.equations);
    Ok(())
}
