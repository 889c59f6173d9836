//! Names of classes and their ids, as in `id2label` of `config.json`.

use crate::{Error, Result};

/// The classes in id order. At least two, each name once; but a score's only output is one, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelMap {
    names: Vec<String>,
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
        if let Some((_, twice)) = names.iter().enumerate().find(|(i, n)| names[..*i].contains(n)) {
            return Err(bad(format!("label \"{twice}\" stands twice")));
        }
        Ok(Self { names })
    }

    /// The distinct labels of a file in a fixed order: by value where all are integers, by name
    /// otherwise (as `datasets.ClassLabel` and scikit-learn sort them).
    ///
    /// # Errors
    /// As [`LabelMap::new`].
    pub fn from_labels<'a>(origin: &str, labels: impl Iterator<Item = &'a str>) -> Result<Self> {
        let distinct: std::collections::BTreeSet<&str> = labels.collect();
        let mut names: Vec<String> = distinct.into_iter().map(str::to_string).collect();
        if names.iter().all(|name| name.parse::<i64>().is_ok()) {
            names.sort_by_key(|name| name.parse::<i64>().unwrap_or_default());
        }
        Self::new(origin, names)
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
        Self { names: pieces }
    }

    /// The only output of a regression, under the name that transformers gives it.
    pub fn of_a_score() -> Self {
        Self { names: vec!["LABEL_0".into()] }
    }

    /// The outputs of question answering, for each token.
    pub fn of_a_span() -> Self {
        Self { names: vec!["start".into(), "end".into()] }
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
        let by_name = self.names.iter().position(|name| name == label);
        let integers = self.names.iter().all(|name| name.parse::<i64>().is_ok());
        let by_id = || label.parse().ok().filter(|&id: &usize| !integers && id < self.names.len());
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
    fn one_class_is_refused() {
        assert!(LabelMap::from_labels("f", ["a", "a"].into_iter()).is_err());
    }
}
