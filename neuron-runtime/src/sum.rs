//! Gradients that add up.

use crate::{Array, Error, Real};

/// The most summands on a GPU that wait to be added.
const PENDING: usize = 16;

/// The sum of the gradients of one parameter.
///
/// In the memory of the CPU each is added at once. On a GPU they are added on request, so that backward passes need not wait
/// for it, or when there are many.
#[derive(Clone, Debug)]
pub(crate) struct Sum<R: Real>(Vec<Array<R>>);

impl<R: Real> Default for Sum<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R: Real> Sum<R> {
    /// Makes room for another gradient, for which it may have to wait for the GPU.
    pub fn make_room(&mut self) -> Result<(), Error> {
        if self.0.len() >= PENDING
            && let Some(total) = self.total()?
        {
            self.0 = vec![total];
        }
        Ok(())
    }

    /// Adds a gradient. If it has another shape than those before, the sum starts anew.
    pub fn add(&mut self, grad: Array<R>) {
        self.0.retain(|before| before.shape() == grad.shape());
        if !self.0.last_mut().is_some_and(|sum| sum.add_in_place(&grad)) {
            self.0.push(grad);
        }
    }

    /// The sum, on the device of the last gradient.
    pub fn total(&self) -> Result<Option<Array<R>>, Error> {
        let Some((last, others)) = self.0.split_last() else { return Ok(None) };
        if others.is_empty() {
            return Ok(Some(last.clone()));
        }
        let mut sum = vec![0.0; last.shape().iter().product()];
        for grad in &self.0 {
            for (sum, value) in sum.iter_mut().zip(grad.to_vec()?) {
                *sum += value.to_f64();
            }
        }
        let sum = Array::from_vec(last.shape(), sum.into_iter().map(R::from_f64).collect())?;
        Ok(Some(sum.to(&last.device())?))
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}
