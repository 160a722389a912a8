//! SVG plots: a [`Canvas`] measured in points, and [`Panel`]s with axes on it; the same bytes on every machine.
//!
//! ```
//! use neurons_plot::{Align, INK, Panel, svg};
//!
//! let text = svg(400, 300, |canvas| {
//!     let panel =
//!         Panel { canvas, left: 50.0, right: 390.0, top: 30.0, bottom: 250.0, across: (0.0, 1.0), range: (0.0, 1.0) };
//!     panel.y_axis(4)?;
//!     panel.x_axis(4, "x")?;
//!     panel.line((0..=10).map(|i| f64::from(i) / 10.0).map(|x| (x, x * x)), INK, 1.5)?;
//!     canvas.text((50.0, 15.0), 12.0, INK, Align::Left, "A parabola")
//! })?;
//! assert!(text.starts_with("<svg"));
//! # Ok::<(), neurons_plot::Error>(())
//! ```

mod canvas;
mod panel;

pub use canvas::{COLORS, Canvas, Drawn, FAINT, INK, PAPER, QUIET, shade, svg};
pub use panel::{Panel, range, ticks};
pub use plotters::style::RGBColor as Color;
pub use plotters::style::text_anchor::HPos as Align;

/// The drawing library refused a shape.
#[derive(Debug, thiserror::Error)]
#[error("drawing failed: {0}")]
pub struct Error(pub(crate) String);
