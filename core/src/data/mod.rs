//! Data sets as values: bytes → [`Table`] (rows as they stand) → [`Dataset`] (texts and labels).

mod bad_rows;
mod columns;
mod dataset;
mod delimited;
mod duplicates;
mod findings;
mod format;
mod json;
mod label_map;
mod lines;
mod pasted;
mod pieces;
mod place;
mod profile;
mod read_instruction;
mod split;
mod split_files;
mod table;

pub use bad_rows::BadRows;
pub use columns::{Columns, NamedColumns};
pub use dataset::{Dataset, Example};
pub use duplicates::{Duplicates, LabelledTexts, Overlap, Repeats, duplicates};
pub use findings::{Finding, findings};
pub use format::{Format, ending};
pub use label_map::LabelMap;
pub use pasted::pasted;
pub use pieces::Pieces;
pub use place::{At, Place};
pub use profile::{ColumnProfile, column_profiles};
pub use read_instruction::{ReadInstruction, Selection};
pub use split::{Split, hold_out};
pub use split_files::{SplitFiles, class_folder, split_files};
pub use table::{Row, Table, selected_rows};
