//! Texts that stand twice: within a split, and in one split after another.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::Serialize;

use crate::text::Texts;

/// The texts of a split with their labels (empty where there are none).
#[derive(Clone, Copy, Debug)]
pub struct LabelledTexts<'a> {
    pub split: &'a str,
    pub texts: &'a Texts,
    pub labels: &'a [String],
}

/// What stands twice. Texts are equal if they are so but for white space at their ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Duplicates {
    /// For each split in order.
    pub within: Vec<Repeats>,
    /// For each pair of splits that share a text.
    pub across: Vec<Overlap>,
}

/// Rows of a split that repeat an earlier row of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Repeats {
    pub split: String,
    pub rows: usize,
    /// Of those, rows with another label than the first row of that text.
    pub other_label: usize,
}

/// Rows of `split` whose text stands in `also_in`, which comes before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overlap {
    pub split: String,
    pub also_in: String,
    pub rows: usize,
    /// The first of them.
    pub example: String,
}

/// The first row of each text of a split, by both halves of a pair.
type FirstRows<'a> = HashMap<(&'a str, &'a str), usize>;

/// Looks through all splits.
pub fn duplicates(splits: &[LabelledTexts]) -> Duplicates {
    let mut found = Duplicates::default();
    // The rows of each earlier split by their text.
    let mut earlier: Vec<(&str, FirstRows)> = Vec::new();
    for split in splits {
        let mut first_rows = FirstRows::with_capacity(split.texts.len());
        let mut repeats = Repeats { split: split.split.into(), ..Repeats::default() };
        let mut overlaps: Vec<Option<Overlap>> = vec![None; earlier.len()];
        for row in 0..split.texts.len() {
            let key = key(split.texts, row);
            match first_rows.entry(key) {
                Entry::Occupied(first) => {
                    repeats.rows += 1;
                    let label = |row: usize| split.labels.get(row);
                    repeats.other_label += usize::from(label(*first.get()) != label(row));
                }
                Entry::Vacant(place) => {
                    place.insert(row);
                }
            }
            for ((also_in, rows), overlap) in earlier.iter().zip(&mut overlaps) {
                if rows.contains_key(&key) {
                    let overlap = overlap.get_or_insert_with(|| Overlap {
                        split: split.split.into(),
                        also_in: (*also_in).into(),
                        rows: 0,
                        example: key.0.into(),
                    });
                    overlap.rows += 1;
                }
            }
        }
        found.within.push(repeats);
        found.across.extend(overlaps.into_iter().flatten());
        earlier.push((split.split, first_rows));
    }
    found
}

fn key(texts: &Texts, row: usize) -> (&str, &str) {
    (texts.first[row].trim(), texts.second(row).unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Texts {
        texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>().into()
    }

    #[test]
    fn within_and_across_splits() {
        let (train, test) = (texts(&["a", "b", " a", "a", "c"]), texts(&["c ", "d", "c", "a"]));
        let labels: Vec<String> = ["x", "x", "x", "y", "x"].map(str::to_owned).into();
        let found = duplicates(&[
            LabelledTexts { split: "train", texts: &train, labels: &labels },
            LabelledTexts { split: "test", texts: &test, labels: &[] },
        ]);
        let repeats =
            |split: &str, rows, other_label| Repeats { split: split.into(), rows, other_label };
        assert_eq!(found.within, [repeats("train", 2, 1), repeats("test", 1, 0)]);
        let overlap =
            Overlap { split: "test".into(), also_in: "train".into(), rows: 3, example: "c".into() };
        assert_eq!(found.across, [overlap]);
    }

    #[test]
    fn a_pair_is_repeated_whole() {
        let mut pairs = Texts::default();
        for (first, second) in [("a", "x"), ("a", "y"), ("a", "x")] {
            pairs.push(first, Some(second));
        }
        let found = duplicates(&[LabelledTexts { split: "train", texts: &pairs, labels: &[] }]);
        assert_eq!(found.within[0].rows, 1);
    }
}
