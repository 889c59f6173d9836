//! The native side of Emberlab: the command line, devices, files, run folders, progress, reports.
//!
//! Model and training mathematics live in `emberlab-core`; nothing here computes with tensors.

mod adapter;
mod answers;
mod checkpoint;
pub mod cli;
pub mod compare;
pub mod config_file;
pub mod convert;
mod cuda;
pub mod data;
pub mod device;
pub mod doctor;
pub mod domain;
mod embedded;
pub mod evaluate;
pub mod explain;
mod figures;
mod files;
mod hub;
mod inference;
pub mod interrupt;
pub mod lesson;
mod live;
pub mod load;
pub mod memory;
mod model_card;
mod model_index;
mod page;
mod picture;
mod plan;
pub mod predict;
mod predictions;
mod progress;
mod recipe;
pub mod report;
mod results;
mod resume;
mod rows;
mod run_folder;
mod run_record;
pub mod run_report;
mod seeds;
pub mod serve;
mod splits;
mod staged;
mod summary;
mod system;
mod tagged;
mod tensorboard;
mod token_lengths;
pub mod tokenize;
mod tokenized;
pub mod train;
mod trial;
mod values;
mod watch;

/// How a command that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything asked for is done.
    Completed,
    /// Ctrl-C: what there was has been saved.
    Interrupted,
}
