//! Emberlab's engine: BERT text classifiers from bytes to metrics, the same code natively and in a
//! browser tab.
//!
//! Data flows one way:
//!
//! ```text
//! bytes → data::Dataset → text::Tokenizer → text::Batch → model::Classifier → train::Trainer → metrics
//! ```
//!
//! Nothing here opens a file, starts a thread of its own, prints, or reads the clock: callers
//! (`native`, `web`) bring bytes and drive the work one step at a time. Whatever reads a value
//! back from a device is `async`, because a browser cannot block.

pub mod data;
mod error;
pub mod explain;
pub mod grading;
mod guard;
pub mod kernels;
pub mod metrics;
pub mod model;
pub mod text;
pub mod train;

pub use burn::tensor::Device;
pub use error::{Error, Result};
pub use guard::{guarded, is_panic_guarded};
