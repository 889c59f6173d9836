//! Short answers and their points: how rows are split, and what a model has to be better than.

mod ridge;
mod split;
mod study;

pub use ridge::BagOfWordsRidge;
pub use split::{AnswerSplit, SplitBy};
pub use study::{Estimate, Found, GradedRun, GraderDifference, GraderFigures, Study};
