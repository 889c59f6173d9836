//! What windows on a context say, put together to answers: `postprocess_qa_predictions` of transformers'
//! example `run_qa.py`.

use super::{FoundAnswer, Prediction, prediction::softmax};
use crate::text::Window;

/// Starts and ends of a window that are looked at, and answers that are kept (`--n_best_size`).
pub const N_BEST: usize = 20;
/// Tokens of the longest answer (`--max_answer_length`).
pub const MAX_ANSWER_LENGTH: usize = 30;

/// The answers to each question: the parts of its context with the largest sums of start and end logit
/// over all of its windows, the best first. `predictions` are those of `windows`, and these are on
/// `contexts`, row after row. With `may_abstain` (`--version_2_with_negative`) the best is that there is
/// none, with an empty text, where `[CLS]` has a larger sum in each window than any part.
pub fn answers(
    contexts: &[String],
    windows: &[Window],
    predictions: &[Prediction],
    may_abstain: bool,
) -> Vec<Prediction> {
    let of_windows: Vec<(&Window, &Prediction)> = windows.iter().zip(predictions).collect();
    let mut of_rows = of_windows.chunk_by(|(a, _), (b, _)| a.row == b.row).peekable();
    let of_row = |(row, context): (usize, &String)| {
        let windows = of_rows.next_if(|windows| windows[0].0.row == row).unwrap_or_default();
        Prediction { answers: best(context, windows, may_abstain), ..Prediction::default() }
    };
    contexts.iter().enumerate().map(of_row).collect()
}

fn best(context: &str, windows: &[(&Window, &Prediction)], may_abstain: bool) -> Vec<FoundAnswer> {
    let mut found: Vec<FoundAnswer> =
        windows.iter().flat_map(|(window, prediction)| candidates(window, prediction)).collect();
    // What says least for none is the window that the answer may stand in.
    let nulls = windows.iter().filter_map(|(_, prediction)| {
        let [start, end] = *prediction.logits.first_chunk::<2>()?;
        Some(FoundAnswer { logit: start + end, ..FoundAnswer::default() })
    });
    let null = nulls.min_by(|a, b| a.logit.total_cmp(&b.logit)).filter(|_| may_abstain);
    found.extend(null.clone());
    found.sort_by(|a, b| b.logit.total_cmp(&a.logit));
    found.truncate(N_BEST);
    found.extend(null.filter(|_| found.iter().all(|answer| answer.end > 0)));
    let scores = softmax(&found.iter().map(|answer| answer.logit).collect::<Vec<f32>>());
    let bytes: Vec<usize> = context.char_indices().map(|(at, _)| at).collect();
    let byte = |character: usize| bytes.get(character).copied().unwrap_or(context.len());
    for (answer, score) in found.iter_mut().zip(scores) {
        answer.score = score;
        let text = context.get(byte(answer.start)..byte(answer.end));
        text.unwrap_or_default().clone_into(&mut answer.text);
    }
    found
}

/// The parts of a window that begin and end with one of its best starts and ends.
fn candidates<'a>(
    window: &'a Window,
    prediction: &Prediction,
) -> impl Iterator<Item = FoundAnswer> + use<'a> {
    let (logits, _) = prediction.logits.as_chunks::<2>();
    let logits = logits.to_vec();
    let best = |which: usize| -> Vec<usize> {
        let mut tokens: Vec<usize> = (0..logits.len()).collect();
        tokens.sort_by(|&a, &b| logits[b][which].total_cmp(&logits[a][which]));
        tokens.truncate(N_BEST);
        tokens
    };
    let (starts, ends) = (best(0), best(1));
    let pairs = starts
        .into_iter()
        .flat_map(move |start| ends.clone().into_iter().map(move |end| (start, end)));
    pairs.filter_map(move |(start, end)| {
        let (from, to) = (window.offset(start)?, window.offset(end)?);
        let is_short = end >= start && end - start < MAX_ANSWER_LENGTH;
        is_short.then(|| FoundAnswer {
            start: from.0,
            end: to.1,
            logit: logits[start][0] + logits[end][1],
            ..FoundAnswer::default()
        })
    })
}
