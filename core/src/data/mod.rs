//! Data sets as values: bytes → [`Table`] (rows as they stand) → [`Dataset`] (texts and labels).

mod columns;
mod dataset;
mod findings;
mod label_map;
mod pasted;
mod split;
mod table;

pub use columns::Columns;
pub use dataset::{Dataset, Example, examples, texts};
pub use findings::{Finding, findings};
pub use label_map::LabelMap;
pub use pasted::pasted;
pub use split::{Split, hold_out};
pub use table::{Format, Row, Table};
