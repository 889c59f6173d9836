//! The rows to train on, as data.

use crate::{
    messages::{Example, Reviewed},
    readable,
};
use serde::Serialize;

#[derive(Clone, Default, PartialEq, Debug, Serialize)]
pub struct Row {
    pub text: String,
    /// Empty until the row has one.
    pub label: String,
    /// Whether the row is measured on rather than trained on.
    pub held_out: bool,
}

readable!(Row { text, label, held_out });

impl Row {
    pub fn is_complete(&self) -> bool {
        !self.text.trim().is_empty() && !self.label.trim().is_empty()
    }
}

#[derive(Default)]
pub struct Rows {
    pub list: Vec<Row>,
    /// Whether the split of the rows is out of date: it outlives a corrected label, so that the same
    /// rows are measured before and after.
    pub unsplit: bool,
}

/// Texts with their labels.
#[derive(Clone, Default)]
pub struct Labelled {
    /// Which rows these are.
    pub rows: Vec<usize>,
    pub texts: Vec<String>,
    pub labels: Vec<String>,
}

impl Labelled {
    /// A row was removed: those behind it move up, and its own number is no row's any more.
    pub fn follow(&mut self, removed: usize) {
        for row in &mut self.rows {
            *row = match *row {
                row if row == removed => usize::MAX,
                row if row > removed => row - 1,
                row => row,
            };
        }
    }
}

impl Rows {
    pub fn add(&mut self, examples: impl IntoIterator<Item = Example>) {
        let row = |Example { text, label }| Row {
            text,
            label: label.unwrap_or_default(),
            held_out: false,
        };
        self.list.extend(examples.into_iter().map(row));
        self.unsplit = true;
    }

    pub fn set_text(&mut self, row: usize, text: String) {
        if let Some(row) = self.list.get_mut(row) {
            row.text = text;
            self.unsplit = true;
        }
    }

    /// Gives a row another label; one that had none takes part from now on.
    pub fn set_label(&mut self, row: usize, label: &str) {
        if let Some(row) = self.list.get_mut(row) {
            self.unsplit |= row.label.is_empty() || label.trim().is_empty();
            row.label = label.trim().into();
        }
    }

    pub fn remove(&mut self, row: usize) {
        if row < self.list.len() {
            self.list.remove(row);
            self.unsplit = true;
        }
    }

    /// Each label with its number of rows, by name.
    pub fn counts(&self) -> Vec<(&str, usize)> {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for row in self.list.iter().filter(|row| row.is_complete()) {
            let label = row.label.as_str();
            let place =
                counts.iter().position(|(known, _)| *known >= label).unwrap_or(counts.len());
            match counts.get_mut(place) {
                Some((known, count)) if *known == label => *count += 1,
                _ => counts.insert(place, (label, 1)),
            }
        }
        counts
    }

    /// Rows that still lack a text or a label.
    pub fn incomplete(&self) -> usize {
        self.list.iter().filter(|row| !row.is_complete()).count()
    }

    /// All rows that have text and label.
    pub fn complete(&self) -> Labelled {
        self.select(|_| true)
    }

    pub fn train(&self) -> Labelled {
        self.select(|row| !row.held_out)
    }

    pub fn held_out(&self) -> Labelled {
        self.select(|row| row.held_out)
    }

    /// Takes over the split of [`Rows::complete`].
    pub fn split(&mut self, complete: &[usize], reviewed: &Reviewed) {
        for (numbers, held_out) in [(&reviewed.train, false), (&reviewed.held_out, true)] {
            for row in numbers.iter().filter_map(|&number| complete.get(number)) {
                self.list[*row].held_out = held_out;
            }
        }
        self.unsplit = false;
    }

    fn select(&self, wanted: impl Fn(&Row) -> bool) -> Labelled {
        let mut selected = Labelled::default();
        let rows = self.list.iter().enumerate();
        for (index, row) in rows.filter(|(_, row)| row.is_complete() && wanted(row)) {
            selected.rows.push(index);
            selected.texts.push(row.text.clone());
            selected.labels.push(row.label.clone());
        }
        selected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Rows {
        let mut rows = Rows::default();
        let example =
            |(text, label): (&str, &str)| Example { text: text.into(), label: Some(label.into()) };
        rows.add([("x", "a"), ("", "a"), ("y", "b"), ("z", ""), ("w", "a")].map(example));
        rows
    }

    #[test]
    fn only_rows_with_text_and_label_count() {
        let rows = rows();
        assert_eq!((rows.counts(), rows.incomplete()), (vec![("a", 2), ("b", 1)], 2));
        assert_eq!(rows.complete().rows, [0, 2, 4]);
    }

    #[test]
    fn what_was_selected_follows_its_rows() {
        let mut rows = rows();
        let mut selected = rows.complete();
        for row in [1, 1] {
            rows.remove(row);
            selected.follow(row);
        }
        let found = selected.rows.iter().map(|&row| rows.list.get(row).map(|row| &*row.text));
        assert_eq!(found.collect::<Vec<_>>(), [Some("x"), None, Some("w")]);
    }

    #[test]
    fn a_split_survives_a_corrected_label_only() {
        let mut rows = rows();
        let reviewed = Reviewed { findings: vec![], train: vec![0, 1], held_out: vec![2] };
        rows.split(&[0, 2, 4], &reviewed);
        assert_eq!((rows.train().rows, rows.held_out().texts), (vec![0, 2], vec!["w".into()]));
        rows.set_label(4, "b");
        assert_eq!((rows.unsplit, rows.held_out().labels), (false, vec!["b".into()]));
        rows.set_label(3, "b");
        assert!(rows.unsplit);
    }
}
