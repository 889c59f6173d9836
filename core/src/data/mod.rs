//! Data sets as values: bytes → [`Table`] (rows as they stand) → [`Dataset`] (texts and labels).

mod columns;
mod dataset;
mod label_map;
mod table;

pub use columns::Columns;
pub use dataset::{Dataset, texts};
pub use label_map::LabelMap;
pub use table::{Format, Row, Table};
