//! Questions with their contexts, in windows that a model can read: transformers' fast tokenizers with
//! `truncation="only_second"`, `stride` and `return_overflowing_tokens`, as in its example `run_qa.py`.

use tokenizers::{TruncationDirection, TruncationParams, TruncationStrategy};

use super::{Encoding, Texts, Tokenizer, encode::each, tokenizer::bad};
use crate::{
    Error, Result,
    data::{GoldAnswer, Span, Targets},
};

/// What of a row's context stands in a window on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The row's number.
    pub row: usize,
    /// The first token of the context in the window.
    first: usize,
    /// Where the tokens of the context stand there, from and to, in characters.
    offsets: Vec<(u32, u32)>,
}

impl Tokenizer {
    /// `[CLS] question [SEP] context [SEP]` of each pair, in order: several times where it has more than
    /// `max_length` tokens, with the next part of the context each time, of which `doc_stride` tokens stand
    /// in the part before, too. White space before a question is left out, as there.
    ///
    /// # Errors
    /// [`Error::BadSetting`] where a question leaves no more than `doc_stride` tokens for a part of its
    /// context; [`Error::BadTokenizer`] when the tokenizer refuses a text.
    pub fn encode_questions(
        &self,
        texts: &Texts,
        max_length: usize,
        doc_stride: usize,
    ) -> Result<(Vec<Encoding>, Vec<Window>)> {
        let room = self.room(max_length, true)?;
        let refused = |error| bad(&self.name, error);
        let mut cutting = self.inner.clone();
        let cut = TruncationParams {
            max_length,
            strategy: TruncationStrategy::OnlySecond,
            stride: doc_stride,
            direction: TruncationDirection::Right,
        };
        cutting.with_truncation(Some(cut)).map_err(refused)?;
        let rows: Vec<_> = texts.first.iter().zip(&texts.second).enumerate().collect();
        let windows = each(rows, |(row, (question, context))| {
            let question = question.trim_start();
            let tokens = self.inner.encode_char_offsets(question, false).map_err(refused)?.len();
            // Where no more is left than the parts share, the crate panics.
            if room.saturating_sub(tokens) <= doc_stride {
                let whole = self.inner.encode_char_offsets((question, context.as_str()), true);
                if whole.map_err(refused)?.len() > max_length {
                    return Err(no_room(row, (tokens, room), max_length, doc_stride));
                }
            }
            let whole = cutting.encode_char_offsets((question, context.as_str()), true);
            Ok(windows(row, whole.map_err(refused)?))
        })?;
        Ok(windows.into_iter().flatten().unzip())
    }
}

fn no_room(
    row: usize,
    (tokens, room): (usize, usize),
    max_length: usize,
    doc_stride: usize,
) -> Error {
    let (row, left) = (row + 1, room.saturating_sub(tokens));
    let reason = format!(
        "question {row} has {tokens} tokens and leaves {left} for a part of its context, which must have more than --doc-stride {doc_stride}"
    );
    Error::BadSetting { name: "max_length", value: max_length.to_string(), reason }
}

/// A row's first window, and those that the tokenizer keeps with it.
fn windows(row: usize, mut whole: tokenizers::Encoding) -> Vec<(Encoding, Window)> {
    let rest = whole.take_overflowing();
    let window = |encoding: tokenizers::Encoding| {
        let sequences = encoding.get_sequence_ids();
        let of_context = |id: &Option<usize>| *id == Some(1);
        let first = sequences.iter().position(of_context).unwrap_or(sequences.len());
        let tokens = sequences.iter().filter(|id| of_context(id)).count();
        let offsets = encoding.get_offsets().iter().skip(first).take(tokens);
        let offsets = offsets.map(|&(from, to)| (from as u32, to as u32)).collect();
        let encoding = Encoding {
            ids: encoding.get_ids().to_vec(),
            type_ids: encoding.get_type_ids().to_vec(),
            ..Encoding::default()
        };
        (encoding, Window { row, first, offsets })
    };
    std::iter::once(whole).chain(rest).map(window).collect()
}

impl Window {
    /// Where a token stands in the context, from and to, in characters; none of one that is not of it.
    pub fn offset(&self, token: usize) -> Option<(usize, usize)> {
        let &(from, to) = self.offsets.get(token.checked_sub(self.first)?)?;
        Some((from as usize, to as usize))
    }

    /// Where an answer stands among the window's `tokens`: from the last token that begins no later to the
    /// first that ends no earlier. It stands at `[CLS]`, which is the first of all, where the window does
    /// not hold the whole of it, or there is none.
    pub fn span(&self, answer: Option<&GoldAnswer>, tokens: usize) -> Span {
        let place = answer.and_then(|GoldAnswer { text, start }| {
            let (start, end) = (*start as u32, (start + text.chars().count()) as u32);
            let from = self.offsets.iter().rposition(|offset| offset.0 <= start)?;
            let to = self.offsets.iter().position(|offset| offset.1 >= end)?;
            // Tokens may share a character.
            (self.offsets[0].0 <= start).then_some((from.min(to), from.max(to)))
        });
        match place {
            Some((from, to)) => Span { start: self.first + from, end: self.first + to, tokens },
            None => Span { start: 0, end: 0, tokens },
        }
    }
}

/// What windows are trained on: the place of the first answer of their row in each of them.
pub fn spans(windows: &[Window], encodings: &[Encoding], answers: &[Vec<GoldAnswer>]) -> Targets {
    let span = |(window, encoding): (&Window, &Encoding)| {
        window.span(answers[window.row].first(), encoding.ids.len())
    };
    Targets::Spans(windows.iter().zip(encodings).map(span).collect())
}
