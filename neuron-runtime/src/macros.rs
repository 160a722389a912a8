//! `neuron!`, as users call it.

/// Declares a spiking neuron by its charging equation and reset modes.
///
/// From this it derives the gradient symbolically and generates the templates of the 2020 API as functions over whole
/// arrays, `{hard,soft}_reset_{forward,fptt}{,_with_grad}`, `backward` and `bptt`, and more; see
/// [`Template`](crate::Template). The language is described in `docs/language.md`.
///
/// ```
/// # use neuron_runtime::neuron;
/// neuron! {
///     /// Leaky integrate-and-fire.
///     pub struct Leaky {
///         /// Membrane time constant, in steps.
///         param tau = 2.0 where tau > 1.0;
///
///         charge = v + (x - (v - v_reset)) / tau;
///         reset hard | soft;
///     }
/// }
///
/// let neuron = Leaky { tau: 4.0, ..Leaky::default() };
/// // Three steps of two neurons, laid out as [T, N].
/// let x_seq = [1.0f32, 9.0, 1.0, 9.0, 1.0, 9.0];
/// let (mut spike_seq, mut v_next) = ([0.0; 6], [0.0; 2]);
/// neuron.fptt(leaky::Fptt { x_seq: &x_seq, v: &[0.0; 2], spike_seq: &mut spike_seq, v_next: &mut v_next })?;
/// assert_eq!(spike_seq, [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
/// assert_eq!(v_next, [0.578125, 0.0]);
/// # Ok::<(), neuron_runtime::Error>(())
/// ```
///
/// The struct holds the parameters, documented and with their defaults; it implements
/// [`Neuron`](crate::Neuron), through which [`Node`](crate::Node) and the training steps run it. A
/// declaration that is wrong gets an error for each mistake, at its place:
///
/// ```compile_fail
/// # use neuron_runtime::neuron;
/// neuron! {
///     pub struct Leaky {
///         param tau = 2.0;
///         charge = v + (x - v) / taw; // unknown name `taw`: did you mean `tau`?
///         reset hard;
///     }
/// }
/// ```
#[macro_export]
macro_rules! neuron {
    ($($declaration:tt)*) => {
        $crate::__expand! { $crate; $($declaration)* }
    };
}

/// Declares a surrogate gradient by its primitive, a smooth step; the gradient is derived from it.
///
/// `u = h - v_threshold` is the distance from the threshold. There may be up to four parameters. The syntax is
/// that of [`neuron!`](crate::neuron), described in `docs/language.md`; `PI` is a number, and `abs` has slope 1
/// at 0.
///
/// ```
/// # use neuron_runtime::{Gradient, Surrogate, surrogate};
/// surrogate! { pub surrogate Tanh { param alpha = 1.0 where alpha > 0.0; primitive = 0.5 + 0.5 * tanh(alpha * u); } }
///
/// let surrogate = Surrogate::from(Tanh { alpha: 2.0 });
/// assert_eq!(surrogate.gradient(0.0), 1.0);
/// let gradient = Gradient::from(Tanh::default());
/// ```
///
/// It has to be smooth where it matters, finite everywhere, and worth learning from; otherwise, it gets an error:
///
/// ```compile_fail
/// # use neuron_runtime::surrogate;
/// // its gradient is 0 everywhere
/// surrogate! { pub surrogate Step { primitive = if u < 0.0 { 0.0 } else { 1.0 }; } }
/// ```
#[macro_export]
macro_rules! surrogate {
    ($($declaration:tt)*) => {
        $crate::__expand_surrogate! { $crate; $($declaration)* }
    };
}

#[doc(hidden)]
pub use neuron_dsl::{neuron as __expand, redeclare as __redeclare, surrogate as __expand_surrogate};
