//! Neurons of this crate with parameters that are learned, or differ between neurons.

/// Declares a neuron of this crate again, with some of its parameters `learnable` or `array`, or with a transformed input,
/// without repeating its equations.
///
/// ```
/// use neurons::{Array, MultiStepNode};
///
/// neurons::redeclare! { pub struct LearnedLif: Lif { learnable tau, v_threshold; } }
///
/// let mut layer = MultiStepNode::new(LearnedLif { tau: 2.0, ..LearnedLif::default() });
/// layer.set_parameter("v_threshold", Array::from_vec([3], vec![0.5f32, 1.0, 2.0])?)?;
/// layer.forward(&Array::full([8, 3], 1.5f32))?;
/// layer.backward(&Array::full([8, 3], 1.0))?;
/// assert_eq!(layer.parameter_grad("v_threshold")?.unwrap().shape(), [3]);
/// # Ok::<(), neurons::Error>(())
/// ```
///
/// `input x = scale * x + shift;` replaces the input in all equations by an expression, in which parameters may stand that are
/// new: `learnable scale = 1.0;`.
///
/// `learnable` and `array` are those of [`neuron!`](crate::neuron); all other parameters, equations and ranges are those of
/// the neuron. Its documentation is, too, unless there is another. CUDA kernels are compiled at the first launch, as for all
/// neurons that are declared by macros.
#[macro_export]
macro_rules! redeclare {
    ($(#[$($attr:tt)*])* pub($($scope:tt)*) struct $name:ident : $neuron:ident { $($changes:tt)* }) => {
        $crate::__declaration! {
            $neuron $(#[$($attr)*])* pub($($scope)*) struct $name { $($changes)* }
        }
    };
    ($(#[$($attr:tt)*])* pub struct $name:ident : $neuron:ident { $($changes:tt)* }) => {
        $crate::__declaration! { $neuron $(#[$($attr)*])* pub struct $name { $($changes)* } }
    };
    ($(#[$($attr:tt)*])* struct $name:ident : $neuron:ident { $($changes:tt)* }) => {
        $crate::__declaration! { $neuron $(#[$($attr)*])* struct $name { $($changes)* } }
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "expected `struct NAME: NEURON { learnable PARAMETER, ..; array PARAMETER, ..; input NAME = EXPRESSION; }`, such as \
             `pub struct LearnedLif: Lif { learnable tau, v_threshold; }`"
        );
    };
}
