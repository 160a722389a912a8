//! `spiking_neurons._core`: the kernels of the neurons, called on tensors of PyTorch.
//!
//! What Python sees is small on purpose: a `Model` is a neuron with its parameters, a `Plan` one of its
//! templates prepared for one format on one device. Everything about gradients, modules and tracing is in Python, in
//! `python/spiking_neurons`.

mod arrays;
mod bits;
mod declaration;
mod dlpack;
mod error;
#[cfg(feature = "cuda")]
mod gpu;
mod initial;
mod layout;
#[cfg(feature = "cuda")]
mod max_pool;
mod memory;
mod model;
#[cfg(feature = "cuda")]
mod moments;
mod plan;
mod spec;
mod tensor;
mod threads;

use pyo3::prelude::*;

#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::bits::{pack_bits, unpack_bits};
    #[pymodule_export]
    use crate::declaration::{Declaration, SurrogateDeclaration, latex, redeclared};
    #[pymodule_export]
    use crate::initial::Initial;
    #[pymodule_export]
    use crate::layout::is_dense;
    #[cfg(feature = "cuda")]
    #[pymodule_export]
    use crate::max_pool::{max_pool, max_pool_gradient};
    #[pymodule_export]
    use crate::memory::{host_tensor, release_memory};
    #[pymodule_export]
    use crate::model::Model;
    #[cfg(feature = "cuda")]
    #[pymodule_export]
    use crate::moments::{channel_moments, normalisation_gradient};
    #[pymodule_export]
    use crate::plan::Plan;
    #[pymodule_export]
    use crate::spec::{surrogates, zoo};

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::threads::handle_forks();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
