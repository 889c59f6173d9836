//! Every way in which input can be wrong, with the place and the remedy.

use crate::data::{Place, Task};

/// `Result` with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. `Display` is written for the person at the terminal or the page.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file name has no ending that says its format.
    #[error(
        "{name}: cannot tell the format from the name; use a .csv, .tsv, .jsonl, .json, .txt, .conll or .parquet file"
    )]
    UnknownFormat { name: String },

    /// The bytes are not UTF-8.
    #[error("{place}: not valid UTF-8; save it as UTF-8")]
    NotUtf8 { place: Place },

    /// A row cannot be read, or lacks what it must have.
    #[error("{place}: {reason}")]
    BadRow { place: Place, reason: String },

    /// There is nothing to read.
    #[error("{name}: no rows{}", no_rows(*skipped))]
    NoRows { name: String, skipped: usize },

    /// An expression such as `train[:10%]` cannot be read, or selects what is not there.
    #[error("split \"{expression}\": {reason}")]
    BadSplit { expression: String, reason: String },

    /// A column that was asked for, or has to be there, is not.
    #[error(
        "{name}: no {role} column{asked}; it has: {columns}. Name one with --{role}-column{hint}"
    )]
    NoColumn { name: String, role: &'static str, asked: String, columns: String, hint: String },

    /// Several columns are labels of a task that has one.
    #[error(
        "{name}: several label columns ({columns}) are for multi_label_classification, and not for {task}; name one with --label-column"
    )]
    TooManyLabels { name: String, columns: String, task: Task },

    /// A row's label is not one of the model's or the training data's.
    #[error("{place}: label \"{label}\" is not one of: {known}")]
    UnknownLabel { place: Place, label: String, known: String },

    /// A classifier needs at least two classes, each named once.
    #[error("{name}: {reason}")]
    BadLabels { name: String, reason: String },

    /// A file that a model folder must have is missing.
    #[error(
        "{folder}: no {file} there; a Hugging Face model folder holds config.json, model.safetensors and tokenizer.json (or vocab.txt)"
    )]
    MissingFile { folder: String, file: &'static str },

    /// `config.json` cannot be read, or asks for what is not supported.
    #[error("{name}: {reason}")]
    BadConfig { name: String, reason: String },

    /// The tokenizer file cannot be read, or does not fit the model.
    #[error("{name}: {reason}")]
    BadTokenizer { name: String, reason: String },

    /// The bytes are not a whole safetensors file.
    #[error("{name}: not a readable safetensors file: {reason}. Was the download complete?")]
    BadSafetensors { name: String, reason: String },

    /// The index of weights in several files cannot be read.
    #[error("{name}: not a readable index of safetensors files: {reason}")]
    BadIndex { name: String, reason: String },

    /// A file of weights is missing that the index names.
    #[error(
        "{folder}: no {file} there, which model.safetensors.index.json names. Was the download complete?"
    )]
    MissingShard { folder: String, file: String },

    /// A tensor has another shape than `config.json` says.
    #[error("{name}: tensor \"{key}\" has shape {found:?}, but config.json asks for {expected:?}")]
    TensorShape { name: String, key: String, found: Vec<usize>, expected: Vec<usize> },

    /// A tensor is stored as a type that weights do not have.
    #[error("{name}: tensor \"{key}\" is stored as {dtype}; weights must be F32, F16 or BF16")]
    TensorDtype { name: String, key: String, dtype: String },

    /// A tensor holds NaN or infinity.
    #[error("{name}: tensor \"{key}\" holds NaN or infinite values; the file is damaged")]
    TensorNotFinite { name: String, key: String },

    /// A tensor of the encoder is not in the file.
    #[error("{name}: tensor \"{key}\" is missing; this is not a complete encoder")]
    TensorMissing { name: String, key: String },

    /// The folder holds an encoder but no trained classification head.
    #[error(
        "{name}: no classification head ({key}); fine-tune it first: emberlab train --model {folder} --train FILE --out DIR"
    )]
    NoHead { name: String, key: String, folder: String },

    /// The folder holds an encoder without the head of a masked language model.
    #[error(
        "{name}: no head of a masked language model ({key}); train one first: emberlab pretrain --model {folder} --corpus DIR --out DIR"
    )]
    NoMaskedLmHead { name: String, key: String, folder: String },

    /// A file of tokenized rows cannot be used.
    #[error("{name}: {reason}. Delete it; it is made anew from the data")]
    BadRowFile { name: String, reason: String },

    /// A setting is out of range.
    #[error("{name} = {value}: {reason}")]
    BadSetting { name: &'static str, value: String, reason: String },

    /// The loss is no longer a number.
    #[error(
        "the loss became {loss} at step {step}; lower the learning rate or the gradient norm limit (--learning-rate, --max-grad-norm)"
    )]
    LossNotFinite { loss: f32, step: usize },

    /// The state of a training does not belong to this one.
    #[error("{name}: {reason}")]
    OtherTraining { name: String, reason: String },

    /// The device failed while a value was read back.
    #[error("the device failed: {0}")]
    Device(String),
}

fn no_rows(skipped: usize) -> String {
    match skipped {
        0 => "; expected at least one".into(),
        1 => ": the only row was skipped".into(),
        skipped => format!(": all {skipped} rows were skipped"),
    }
}
