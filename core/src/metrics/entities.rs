//! Metrics of tags, defined as those of `seqeval` in its default mode, which is that of the script
//! `conlleval`: what counts is whole entities.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{ClassMetrics, by_label, ratio};
use crate::data::LabelMap;

/// How the entities that predicted tags mark compare with the gold ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntityMetrics {
    pub rows: usize,
    /// Words that were compared.
    pub words: usize,
    /// The share of words with the right tag, `O` included.
    pub accuracy: f64,
    /// Over the entities of all types (`seqeval`'s micro averages).
    pub precision: f64,
    pub recall: f64,
    pub f1: f64,
    /// By the name of the type; `_` where tags are bare `B` and `I`.
    #[serde(rename = "per_type", serialize_with = "by_label")]
    pub per_type: Vec<ClassMetrics>,
}

/// An entity: its type, and its first and last word in its row.
type Entity<'a> = (&'a str, usize, usize);

/// What one row adds to the figures.
pub(super) struct RowCounts<'a> {
    words: usize,
    /// Words with the right tag.
    right: usize,
    /// Of each type of an entity in it, or in its prediction: hits, gold, predicted.
    types: BTreeMap<&'a str, [usize; 3]>,
}

impl<'a> RowCounts<'a> {
    /// Compares the tag ids of a row's words.
    pub(super) fn new(gold: &[usize], predicted: &[usize], tags: &'a LabelMap) -> Self {
        let names =
            |ids: &[usize]| -> Vec<&'a str> { ids.iter().map(|&id| tags.name(id)).collect() };
        let right =
            gold.iter().zip(predicted).filter(|(gold, predicted)| gold == predicted).count();
        let (found, marked) = (entities(&names(predicted)), entities(&names(gold)));
        let mut types: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        marked.intersection(&found).for_each(|(kind, ..)| types.entry(kind).or_default()[0] += 1);
        marked.iter().for_each(|(kind, ..)| types.entry(kind).or_default()[1] += 1);
        found.iter().for_each(|(kind, ..)| types.entry(kind).or_default()[2] += 1);
        Self { words: gold.len(), right, types }
    }
}

impl EntityMetrics {
    /// Compares tag ids word by word; `gold` and `predicted` have the same shape.
    pub fn new(gold: &[Vec<usize>], predicted: &[Vec<usize>], tags: &LabelMap) -> Self {
        let rows = gold.iter().zip(predicted);
        let rows: Vec<RowCounts> =
            rows.map(|(gold, predicted)| RowCounts::new(gold, predicted, tags)).collect();
        Self::of(rows.iter())
    }

    /// Adds up rows.
    pub(super) fn of<'a>(rows: impl Iterator<Item = &'a RowCounts<'a>>) -> Self {
        let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
        let (mut count, mut words, mut right) = (0, 0, 0);
        for row in rows {
            count += 1;
            words += row.words;
            right += row.right;
            for (kind, of_row) in &row.types {
                let all = counts.entry(kind).or_default();
                *all = [0, 1, 2].map(|i| all[i] + of_row[i]);
            }
        }
        let total = counts.values().fold([0; 3], |sum, of| [0, 1, 2].map(|i| sum[i] + of[i]));
        let figures = |label: &str, [hits, gold, predicted]: [usize; 3]| ClassMetrics {
            label: label.into(),
            precision: ratio(hits, predicted),
            recall: ratio(hits, gold),
            f1: ratio(2 * hits, gold + predicted),
            support: gold,
        };
        let ClassMetrics { precision, recall, f1, .. } = figures("", total);
        let per_type = counts.iter().map(|(kind, counts)| figures(kind, *counts)).collect();
        Self { rows: count, words, accuracy: ratio(right, words), precision, recall, f1, per_type }
    }
}

/// The entities that a row's tags mark, as `seqeval.metrics.sequence_labeling.get_entities` does: an
/// `I` that follows no entity of its type begins one.
pub fn entities<'a>(tags: &[&'a str]) -> BTreeSet<Entity<'a>> {
    let mut found = BTreeSet::new();
    let (mut before, mut start) = (("O", "_"), 0);
    for (at, tag) in tags.iter().copied().chain(["O"]).enumerate() {
        let tag = parts(tag);
        if ends(before, tag) {
            found.insert((before.1, start, at - 1));
        }
        if begins(before, tag) {
            start = at;
        }
        before = tag;
    }
    found
}

/// `("B", "PER")` of `B-PER`; a bare `B` is of type `_`.
fn parts(tag: &str) -> (&str, &str) {
    let (mark, kind) = tag.split_at(tag.chars().next().map_or(0, char::len_utf8));
    let kind = kind.split_once('-').map_or(kind, |(_, kind)| kind);
    (mark, if kind.is_empty() { "_" } else { kind })
}

fn ends((before, kind): (&str, &str), (tag, next): (&str, &str)) -> bool {
    let closed = matches!(before, "E" | "S");
    let cut = matches!(before, "B" | "I") && matches!(tag, "B" | "S" | "O");
    closed || cut || (!matches!(before, "O" | ".") && kind != next)
}

fn begins((before, kind): (&str, &str), (tag, next): (&str, &str)) -> bool {
    let opened = matches!(tag, "B" | "S");
    let follows_none = matches!(before, "E" | "S" | "O") && matches!(tag, "E" | "I");
    opened || follows_none || (!matches!(tag, "O" | ".") && kind != next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_of_sound_and_unsound_tags() {
        let found = |tags: &str| -> Vec<String> {
            let tags: Vec<&str> = tags.split(' ').collect();
            let found = entities(&tags).into_iter();
            found.map(|(kind, from, to)| format!("{kind} {from}-{to}")).collect()
        };
        assert_eq!(found("B-PER I-PER O B-LOC"), ["LOC 3-3", "PER 0-1"]);
        assert_eq!(found("I-PER I-LOC B-LOC"), ["LOC 1-1", "LOC 2-2", "PER 0-0"]);
        assert_eq!(found("B I O I"), ["_ 0-1", "_ 3-3"]);
        assert_eq!(found("S-A B-A E-A"), ["A 0-0", "A 1-2"]);
        assert_eq!(found("O"), [""; 0]);
    }
}
