//! What is told of a step.

/// One finished optimizer step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepInfo {
    /// Steps taken so far, this one included.
    pub step: usize,
    /// The epoch it belongs to, from 0.
    pub epoch: usize,
    pub learning_rate: f64,
    /// Rows in it.
    pub rows: usize,
    /// Tokens in it, without padding.
    pub tokens: usize,
}
