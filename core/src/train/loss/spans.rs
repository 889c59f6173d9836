//! The loss of answers: where they begin and where they end.

use burn::tensor::{Int, Tensor, TensorData, activation::log_softmax};

use super::{floats, of_truth};
use crate::{data::Span, text::MASKED};

/// `½ (-ln p(start) - ln p(end))` of each row, summed, `[1]`, of the logits `[tokens, 2]` of all rows: of
/// the start in the first column, of the end in the second. Each is a distribution over the tokens of its
/// row, as in transformers' `BertForQuestionAnswering`, where that pads nothing: padding takes part there.
pub(super) fn cross_entropy(logits: Tensor<2>, spans: &[Span]) -> Tensor<1> {
    let (rows, longest) = (spans.len(), spans.iter().map(|span| span.tokens).max().unwrap_or(0));
    let (mut tokens, mut bias) = (Vec::new(), Vec::new());
    let mut first = 0;
    for span in spans {
        // Padding repeats a token that is there.
        tokens.extend((0..longest).map(|at| (first + at.min(span.tokens - 1)) as i32));
        bias.extend((0..longest).map(|at| if at < span.tokens { 0.0 } else { MASKED }));
        first += span.tokens;
    }
    let device = logits.device();
    let tokens = Tensor::<1, Int>::from_data(TensorData::new(tokens, [rows * longest]), &device);
    let bias = floats(bias, [rows, longest], &logits);
    let padded = logits.select(0, tokens);
    let sum = |column: usize, truth: Vec<usize>| {
        let of_rows = padded.clone().narrow(1, column, 1).reshape([rows, longest]);
        of_truth(log_softmax(of_rows + bias.clone(), 1), &truth).sum().neg()
    };
    let (starts, ends) = spans.iter().map(|span| (span.start, span.end)).unzip();
    (sum(0, starts) + sum(1, ends)) / 2.0
}
