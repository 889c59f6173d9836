//! Names of classes and their ids, as in `id2label` of `config.json`.

use crate::{Error, Result};

/// More labels than this are no classes, and would not be bounded by anything.
pub const MOST_LABELS: usize = 10_000;

/// The classes in id order. At least two, each name once; but a score's only output is one, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelMap {
    names: Vec<String>,
    /// The ids in the order of their names.
    by_name: Vec<usize>,
    /// All names are integers.
    integers: bool,
}

impl LabelMap {
    /// `names[id]` is the class with that id; `origin` names the file in errors.
    ///
    /// # Errors
    /// [`Error::BadLabels`] for fewer than two names or a name that stands twice.
    pub fn new(origin: &str, names: Vec<String>) -> Result<Self> {
        let bad = |reason: String| Error::BadLabels { name: origin.into(), reason };
        if names.len() < 2 {
            let found = names.first().map_or("none".into(), |name| format!("only \"{name}\""));
            return Err(bad(format!("a classifier needs at least two labels; found {found}")));
        }
        let map = Self::named(names);
        let is_twice = |ids: &&[usize]| map.names[ids[0]] == map.names[ids[1]];
        match map.by_name.windows(2).filter(is_twice).map(|ids| ids[1]).min() {
            Some(twice) => Err(bad(format!("label \"{}\" stands twice", map.names[twice]))),
            None => Ok(map),
        }
    }

    fn named(names: Vec<String>) -> Self {
        let mut by_name: Vec<usize> = (0..names.len()).collect();
        by_name.sort_by_key(|&id| &names[id]);
        let integers = names.iter().all(|name| name.parse::<i64>().is_ok());
        Self { names, by_name, integers }
    }

    /// The classes of a data set.
    ///
    /// # Errors
    /// As [`LabelMap::new`], and for more than [`MOST_LABELS`].
    pub(super) fn of_data(origin: &str, names: Vec<String>) -> Result<Self> {
        if names.len() > MOST_LABELS {
            let reason = format!(
                "more than {MOST_LABELS} labels, which are no classes; is their column the right one?"
            );
            return Err(Error::BadLabels { name: origin.into(), reason });
        }
        Self::new(origin, names)
    }

    /// The distinct labels of a file in a fixed order: by value where all are integers, by name
    /// otherwise (as `datasets.ClassLabel` and scikit-learn sort them).
    ///
    /// # Errors
    /// As [`LabelMap::new`], and for more than [`MOST_LABELS`].
    pub fn from_labels<'a>(origin: &str, labels: impl Iterator<Item = &'a str>) -> Result<Self> {
        let distinct: std::collections::BTreeSet<&str> = labels.collect();
        let mut names: Vec<String> = distinct.into_iter().map(str::to_string).collect();
        if names.iter().all(|name| name.parse::<i64>().is_ok()) {
            names.sort_by_key(|name| name.parse::<i64>().unwrap_or_default());
        }
        Self::of_data(origin, names)
    }

    /// `LABEL_0`, `LABEL_1` …, as transformers calls classes that have no names.
    ///
    /// # Errors
    /// As [`LabelMap::new`].
    pub fn unnamed(origin: &str, classes: usize) -> Result<Self> {
        Self::new(origin, (0..classes).map(|id| format!("LABEL_{id}")).collect())
    }

    /// The pieces of a vocabulary as the classes of a masked language model. Rows of the embeddings
    /// that stand for no piece have no name.
    pub(crate) fn of_vocabulary(pieces: Vec<String>) -> Self {
        Self::named(pieces)
    }

    /// The only output of a regression, under the name that transformers gives it.
    pub fn of_a_score() -> Self {
        Self::named(vec!["LABEL_0".into()])
    }

    /// The outputs of question answering, for each token.
    pub fn of_a_span() -> Self {
        Self::named(vec!["start".into(), "end".into()])
    }

    /// The number of classes.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// All names in id order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of a class; panics if `id >= len()`.
    pub fn name(&self, id: usize) -> &str {
        &self.names[id]
    }

    /// The id of a label as a file states it: a class name, or else an integer id. Where the names
    /// are integers themselves, an integer is a name.
    pub fn id(&self, label: &str) -> Option<usize> {
        let at = self.by_name.partition_point(|&id| self.names[id].as_str() < label);
        let by_name = self.by_name.get(at).copied().filter(|&id| self.names[id] == label);
        let by_id =
            || label.parse().ok().filter(|&id: &usize| !self.integers && id < self.names.len());
        by_name.or_else(by_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_sort_by_value_and_names_by_name() {
        let map = LabelMap::from_labels("f", ["10", "9", "10"].into_iter()).unwrap();
        assert_eq!(map.names(), ["9", "10"]);
        assert_eq!((map.id("10"), map.id("1")), (Some(1), None));
        let map = LabelMap::from_labels("f", ["b", "a"].into_iter()).unwrap();
        assert_eq!((map.id("a"), map.id("1"), map.id("2")), (Some(0), Some(1), None));
    }

    #[test]
    fn one_class_is_refused_and_a_name_that_stands_twice() {
        assert!(LabelMap::from_labels("f", ["a", "a"].into_iter()).is_err());
        let names = ["z", "b", "a", "z", "b"].map(str::to_owned);
        let error = LabelMap::new("f", names.into()).unwrap_err().to_string();
        assert_eq!(error, "f: label \"z\" stands twice");
    }

    /// Neither in the square of their number.
    #[test]
    fn ids_of_rows_are_no_classes_and_many_are_found_at_once() {
        let names: Vec<String> = (0..300_000).map(|id| format!("n{id}")).collect();
        let error = LabelMap::from_labels("f", names.iter().map(String::as_str)).unwrap_err();
        assert!(error.to_string().starts_with("f: more than 10000 labels, which are no classes"));
        let map = LabelMap::new("f", names.clone()).unwrap();
        assert!(names.iter().enumerate().all(|(id, name)| map.id(name) == Some(id)));
    }
}
