//! BERT with a classification head, and the Hugging Face folder it comes from and goes to.

mod bert;
mod checkpoint;
mod classifier;
mod config;
mod files;
mod header;
mod limits;
mod names;
mod pass;
mod readback;
mod storage;
mod weights;

pub use bert::BertForSequenceClassification;
pub use checkpoint::LoadReport;
pub(crate) use classifier::Setup;
pub use classifier::{Classifier, Prediction};
pub use config::BertConfig;
pub use files::ModelFiles;
pub(crate) use names::ParamPath;
pub(crate) use pass::{Pass, stream};
pub(crate) use readback::Readback;
pub(crate) use storage::encode_with;
pub use storage::{HostTensor, StorageDtype, convert};
pub use weights::Source;
pub(crate) use weights::Weights;
