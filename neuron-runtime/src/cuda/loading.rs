//! Loads modules and kernels, once per device.

use std::sync::Arc;

use super::kernel::{Kernel, ModuleKey, Purpose};
use super::{CudaDevice, CudaError, ImageKinds, ImageSource, image};
use crate::{Element, Spec, Surrogate};

/// Loads the kernels of a neuron for data of format `E`, unless they are already loaded, and returns their source. The
/// first call of the neuron does so too; loading in advance makes that call faster.
///
/// # Errors
/// [`CudaError::NoImage`], with what was tried.
pub fn load<E: Element>(device: &CudaDevice, spec: &'static Spec) -> Result<ImageSource, CudaError> {
    load_from::<E>(device, spec, ImageKinds::Any)
}

/// As [`load`], but only from images of the given kinds, to measure or test each.
///
/// # Errors
/// As [`load`].
pub fn load_from<E: Element>(
    device: &CudaDevice,
    spec: &'static Spec,
    kinds: ImageKinds,
) -> Result<ImageSource, CudaError> {
    let key = ModuleKey::new::<E>(spec, None, kinds);
    Ok(device.module(key, || image::load(device, spec, E::FORMAT, kinds, None))?.source.clone())
}

/// The kernel for `purpose` and data of format `E`; `own` is the surrogate if it is user-defined.
pub(super) fn find<E: Element>(
    device: &CudaDevice,
    spec: &'static Spec,
    purpose: Purpose,
    own: Option<Surrogate>,
) -> Result<Arc<Kernel>, CudaError> {
    let whole = ModuleKey::new::<E>(spec, own, ImageKinds::Any);
    // Of kernels that are printed one by one only this one is compiled, unless all were loaded in advance.
    let is_alone = spec.cuda.is_printed() && !device.has(whole);
    let key = if is_alone { whole.with_only(purpose) } else { whole };
    device.kernel((key, purpose), || {
        let name = is_alone.then(|| purpose.name());
        let module = device.module(key, || match own {
            None => image::load(device, spec, E::FORMAT, ImageKinds::Any, name.as_deref()),
            Some(surrogate) => image::load_with(device, spec, E::FORMAT, surrogate, name.as_deref()),
        })?;
        Kernel::of(module, spec, E::FORMAT, purpose)
    })
}
