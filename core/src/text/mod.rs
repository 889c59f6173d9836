//! Text → token ids → batches.

mod batch;
mod charsmap;
mod check;
mod encode;
mod lengths;
mod packing;
mod parts;
mod plan;
mod texts;
mod tokenized;
mod tokenizer;
mod vocabulary;
mod window;
mod windows;
mod words;

pub(crate) use batch::MASKED;
pub use batch::{Batch, BatchTensors, InputFormat, Layout};
pub use encode::Encoding;
pub use lengths::{Cut, LengthBin, Lengths, histogram as length_histogram};
pub use packing::Packed;
pub(crate) use plan::shuffle;
pub use plan::{BUCKETS, PlannedBatch, bucket, plan_by_tokens, plan_epoch, plan_in_order};
pub use texts::Texts;
pub use tokenized::{Tokenized, WordTokens};
pub use tokenizer::Tokenizer;
pub use vocabulary::{MissingWord, VocabularyKind, WordCounts};
pub use window::{BLOCK_ROWS, WINDOW_ROWS, stream, window};
pub use windows::{Window, spans};
pub use words::Word;
