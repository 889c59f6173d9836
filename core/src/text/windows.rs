//! Questions with their contexts, in windows that a model can read: transformers' fast tokenizers with
//! `truncation="only_second"`, `stride` and `return_overflowing_tokens`, as in its example `run_qa.py`.

use tokenizers::{
    PostProcessorWrapper, TruncationDirection, TruncationParams, TruncationStrategy,
    truncate_encodings,
};

use super::{Encoding, Texts, Tokenizer, encode::each};
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
        // What comes after the model is done once, to the windows: it moves the offsets of byte-level pieces.
        let mut model = self.inner.clone();
        model.with_post_processor(None::<PostProcessorWrapper>);
        let tokens = |text: &str| self.ask(|| model.encode_char_offsets(text, false));
        let rows = texts.first.iter().zip(&texts.second).enumerate().collect();
        let windows = each(rows, |(row, (question, context))| {
            let (question, context) = (tokens(question.trim_start())?, tokens(context)?);
            let left = room.saturating_sub(question.len());
            if context.len() > left && left <= doc_stride {
                let (tokens, row) = (question.len(), row + 1);
                let reason = format!(
                    "question {row} has {tokens} tokens and leaves {left} for a part of its context, which must have more than --doc-stride {doc_stride}"
                );
                let value = max_length.to_string();
                return Err(Error::BadSetting { name: "max_length", value, reason });
            }
            self.windows(row, question, context, (room, doc_stride))
        })?;
        Ok(windows.into_iter().flatten().unzip())
    }

    fn windows(
        &self,
        row: usize,
        question: tokenizers::Encoding,
        mut context: tokenizers::Encoding,
        (room, stride): (usize, usize),
    ) -> Result<Vec<(Encoding, Window)>> {
        // The crate does it for the first window alone.
        context.set_type_ids(vec![1; context.len()]);
        let cut = TruncationParams {
            max_length: room,
            strategy: TruncationStrategy::OnlySecond,
            stride,
            direction: TruncationDirection::Right,
        };
        let mut whole = self.ask(|| {
            let (question, context) = truncate_encodings(question, Some(context), &cut)?;
            self.inner.post_process(question, context, true)
        })?;
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
        Ok(std::iter::once(whole).chain(rest).map(window).collect())
    }
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
