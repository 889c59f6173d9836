//! BERT and its relatives with a classification head, and the Hugging Face folder it comes from and goes to.

mod bert;
mod checkpoint;
mod classifier;
mod config;
mod family;
mod files;
mod head;
mod header;
mod layer_norm;
mod limits;
mod lora;
mod modern_bert;
mod names;
mod pass;
mod prediction;
mod readback;
mod shards;
mod storage;
mod weights;

pub use bert::BertForSequenceClassification;
pub use checkpoint::LoadReport;
pub use classifier::Classifier;
pub(crate) use classifier::Setup;
pub use config::BertConfig;
pub use family::Family;
pub use files::ModelFiles;
pub use head::Head;
pub use lora::LoraConfig;
pub(crate) use names::ParamPath;
pub(crate) use pass::{Pass, stream};
pub use prediction::Prediction;
pub(crate) use readback::{Readback, some_weights};
pub(crate) use storage::encode_with;
pub use storage::{HostTensor, StorageDtype, convert};
pub use weights::Source;
pub(crate) use weights::Weights;
