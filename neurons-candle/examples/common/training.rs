//! Training: learning rate, accuracy, threads, progress.

use anyhow::Result;
use candle_core::{D, Tensor};
use indicatif::{ProgressBar, ProgressStyle};

/// Updates over which the learning rate rises to its full value.
const WARM_UP: f64 = 20.0;

/// Linear warm-up to `highest`, then half a cosine down to zero.
pub fn learning_rate(highest: f64, update: f64, updates: f64) -> f64 {
    let cosine = 0.5 * (1.0 + (std::f64::consts::PI * update / updates).cos());
    highest * cosine * ((update + 1.0) / WARM_UP).min(1.0)
}

/// How many of the `labels` `[B]` the highest of the `scores` `[B, 10]` is that of.
pub fn fraction_right(scores: &Tensor, labels: &Tensor) -> Result<f32> {
    let right = scores.argmax(D::Minus1)?.eq(labels)?.to_dtype(scores.dtype())?;
    Ok(right.mean_all()?.to_scalar()?)
}

/// Has candle do elementwise work on one thread, unless the environment says otherwise. Its threads wait for
/// each other by spinning: with tensors as small as these that costs more than it brings, and on a busy
/// machine many times as much. Matrix products and neurons still use all cores.
///
/// # Safety
/// No other thread runs yet: it could be reading the environment.
pub unsafe fn calm_candle() {
    // SAFETY: the caller answers for it.
    unsafe { one_thread("CANDLE_NUM_THREADS") };
}

/// Has matrix products stay on one thread too, for those who train a network on each core.
///
/// # Safety
/// As [`calm_candle`].
pub unsafe fn one_thread_a_network() {
    // SAFETY: the caller answers for it.
    unsafe {
        calm_candle();
        one_thread("RAYON_NUM_THREADS");
    }
}

/// # Safety
/// As [`calm_candle`].
unsafe fn one_thread(variable: &str) {
    if std::env::var_os(variable).is_none() {
        // SAFETY: the caller answers for it.
        unsafe { std::env::set_var(variable, "1") };
    }
}

pub fn progress_bar(updates: usize) -> ProgressBar {
    let template = "{bar:32.cyan/238} {percent:>3}%  {msg}  {elapsed} (eta {eta})";
    let style = ProgressStyle::with_template(template).expect("a valid template").progress_chars("━╸─");
    ProgressBar::new(updates as u64).with_style(style)
}
