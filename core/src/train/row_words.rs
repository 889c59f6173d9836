//! A tokenized row as it stands in a file of rows: words of 4 bytes.
//!
//! Words for the numbers of its targets, of its tagged words and of its tokens, the last one doubled,
//! plus one where tokens were cut off. Then its targets: class ids, the bits of a score, or the places of a
//! span. Then 4 words
//! for each tagged word: its number, its first token, its start and its end. Then one for each token:
//! its id in the lower 24 bits, its segment id in the upper 8.

use std::io;

use super::LabelledRows;
use crate::{
    data::{Span, Targets},
    text::{Encoding, Word},
};

const ID_BITS: u32 = 24;
/// Words that a tagged word takes.
const TAGGED: usize = 4;

/// The words of `rows[row]`.
///
/// # Errors
/// A number does not fit its place.
pub(super) fn of_row(rows: &LabelledRows, row: usize) -> io::Result<Vec<u32>> {
    let too_large = || io::Error::other("a label or token id is too large to be stored");
    let word = |number: usize| u32::try_from(number).map_err(|_| too_large());
    let Encoding { ids, type_ids, truncated, words } = &rows.encodings[row];
    let targets = match &rows.targets {
        Targets::Labels(labels) => vec![word(labels[row])?],
        Targets::LabelSets(sets) | Targets::Tags(sets) => {
            sets[row].iter().map(|&id| word(id)).collect::<io::Result<_>>()?
        }
        Targets::Scores(scores) => vec![scores[row].to_bits()],
        Targets::Spans(spans) => {
            let Span { start, end, tokens } = spans[row];
            vec![word(start)?, word(end)?, word(tokens)?]
        }
        Targets::Answers(_) => {
            return Err(io::Error::other("answers are stored as spans of windows"));
        }
    };
    let mut out = vec![
        word(targets.len())?,
        word(words.len())?,
        word(ids.len() * 2)? | u32::from(*truncated),
    ];
    out.extend(targets);
    for &Word { index, token, start, end } in words {
        out.extend([word(index)?, word(token)?, word(start)?, word(end)?]);
    }
    for (&id, &type_id) in ids.iter().zip(type_ids) {
        if id >> ID_BITS != 0 || type_id > u32::from(u8::MAX) {
            return Err(too_large());
        }
        out.push(id | type_id << ID_BITS);
    }
    Ok(out)
}

/// Takes a row off the words and adds it to `into`; `None` where they are not those of a row.
pub(super) fn take_row(words: &mut &[u32], into: &mut LabelledRows) -> Option<()> {
    let (&[targets, tagged, tokens], rest) = words.split_first_chunk::<3>()?;
    let (targets, rest) = rest.split_at_checked(targets as usize)?;
    let (tagged, rest) = rest.split_at_checked((tagged as usize).checked_mul(TAGGED)?)?;
    let truncated = tokens % 2 == 1;
    let (tokens, rest) = rest.split_at_checked(tokens as usize / 2)?;
    *words = rest;
    let ids = || targets.iter().map(|&id| id as usize);
    match (&mut into.targets, targets) {
        (Targets::Labels(labels), [label]) => labels.push(*label as usize),
        (Targets::Scores(scores), [score]) => scores.push(f32::from_bits(*score)),
        (Targets::Spans(spans), &[start, end, tokens]) => {
            let [start, end, tokens] = [start, end, tokens].map(|place| place as usize);
            spans.push(Span { start, end, tokens });
        }
        (Targets::LabelSets(sets) | Targets::Tags(sets), _) => sets.push(ids().collect()),
        _ => return None,
    }
    let (tagged, _) = tagged.as_chunks::<TAGGED>();
    let word = |&[index, token, start, end]: &[u32; TAGGED]| {
        let [index, token, start, end] = [index, token, start, end].map(|place| place as usize);
        Word { index, token, start, end }
    };
    into.encodings.push(Encoding {
        ids: tokens.iter().map(|word| word & ((1 << ID_BITS) - 1)).collect(),
        type_ids: tokens.iter().map(|word| word >> ID_BITS).collect(),
        truncated,
        words: tagged.iter().map(word).collect(),
    });
    Some(())
}
