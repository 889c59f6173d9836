//! Text → token ids → batches.

mod batch;
mod plan;
mod tokenizer;

pub use batch::{Batch, BatchTensors, Layout};
pub use plan::{BUCKETS, PlannedBatch, bucket, plan_by_tokens, plan_epoch, plan_in_order};
pub use tokenizer::{Encoding, Tokenizer};
