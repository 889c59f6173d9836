//! The native side of Emberlab: the command line, devices, files, run folders, progress, reports.
//!
//! Model and training mathematics live in `emberlab-core`; nothing here computes with tensors.

pub mod cli;
pub mod compare;
pub mod convert;
pub mod data;
pub mod doctor;
pub mod domain;
pub mod evaluate;
pub mod explain;
mod files;
mod inference;
pub mod lesson;
mod live;
pub mod load;
pub mod machine;
mod page;
pub mod predict;
pub mod report;
mod run;
pub mod serve;
pub mod terminal;
pub mod tokenize;
pub mod train;

/// How a command that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything asked for is done.
    Completed,
    /// Ctrl-C: what there was has been saved.
    Interrupted,
}
