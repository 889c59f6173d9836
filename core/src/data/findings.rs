//! What in a small training set is worth a warning.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Rows of a class below which little can be learned of it.
const FEW: usize = 8;
/// A class this many times larger than another outweighs it.
const UNBALANCED: usize = 5;

/// A warning; none of them forbids training but [`Finding::OneLabel`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// All rows have one and the same label, or there is none.
    OneLabel,
    /// A label with fewer rows than are worth training on.
    FewRows { label: String, rows: usize },
    /// The largest and the smallest class, where they are far apart.
    Unbalanced { largest: String, smallest: String },
    /// So many rows repeat an earlier one.
    Duplicates { rows: usize },
    /// So many texts stand there with different labels; one of them.
    Contradictions { texts: usize, example: String },
}

/// Looks a set over, `labels[i]` being the label of `texts[i]`.
pub fn findings(texts: &[String], labels: &[String]) -> Vec<Finding> {
    let mut counts = BTreeMap::<&str, usize>::new();
    labels.iter().for_each(|label| *counts.entry(label).or_default() += 1);
    let mut findings = Vec::new();
    if counts.len() < 2 {
        findings.push(Finding::OneLabel);
    }
    let few = counts.iter().filter(|(_, rows)| **rows < FEW);
    findings.extend(few.map(|(label, &rows)| Finding::FewRows { label: (*label).into(), rows }));
    findings.extend(unbalanced(&counts));
    findings.extend(repeated(texts, labels));
    findings
}

fn unbalanced(counts: &BTreeMap<&str, usize>) -> Option<Finding> {
    let (largest, most) = counts.iter().max_by_key(|(_, rows)| **rows)?;
    let (smallest, least) = counts.iter().min_by_key(|(_, rows)| **rows)?;
    (*most >= UNBALANCED * least && most > least)
        .then(|| Finding::Unbalanced { largest: (*largest).into(), smallest: (*smallest).into() })
}

fn repeated(texts: &[String], labels: &[String]) -> Vec<Finding> {
    let mut first = HashMap::<&str, &str>::new();
    let (mut rows, mut contradicted) = (0, BTreeSet::<&str>::new());
    for (text, label) in texts.iter().map(|text| text.trim()).zip(labels) {
        match first.get(text) {
            None => drop(first.insert(text, label)),
            Some(known) if known == label => rows += 1,
            Some(_) => drop(contradicted.insert(text)),
        }
    }
    let duplicates = (rows > 0).then_some(Finding::Duplicates { rows });
    let contradictions = contradicted.first().map(|example| Finding::Contradictions {
        texts: contradicted.len(),
        example: (*example).to_string(),
    });
    duplicates.into_iter().chain(contradictions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(rows: &[(&str, &str)]) -> Vec<Finding> {
        let (texts, labels): (Vec<String>, Vec<String>) =
            rows.iter().map(|(text, label)| (text.to_string(), label.to_string())).unzip();
        findings(&texts, &labels)
    }

    #[test]
    fn a_sound_set_has_no_findings() {
        let texts: Vec<String> = (0..16).map(|row| format!("text {row}")).collect();
        let rows: Vec<(&str, &str)> =
            texts.iter().enumerate().map(|(i, t)| (t.as_str(), ["a", "b"][i % 2])).collect();
        assert_eq!(look(&rows), []);
        assert_eq!(look(&rows[..2])[0], Finding::FewRows { label: "a".into(), rows: 1 });
    }

    #[test]
    fn one_label_is_none_to_learn() {
        assert!(look(&[("x", "a"), ("y", "a")]).contains(&Finding::OneLabel));
        assert!(look(&[]).contains(&Finding::OneLabel));
    }

    #[test]
    fn repeated_rows_and_contradictions_are_told_apart() {
        let found = look(&[("x", "a"), ("x ", "a"), ("y", "b"), ("y", "a"), ("z", "b")]);
        assert!(found.contains(&Finding::Duplicates { rows: 1 }));
        assert!(found.contains(&Finding::Contradictions { texts: 1, example: "y".into() }));
    }

    #[test]
    fn a_class_may_not_outweigh_another_five_times() {
        let mut rows = vec![("x", "b"); 2];
        rows.extend(vec![("y", "a"); 9]);
        let unbalanced = Finding::Unbalanced { largest: "a".into(), smallest: "b".into() };
        assert!(!look(&rows).contains(&unbalanced));
        rows.push(("y", "a"));
        assert!(look(&rows).contains(&unbalanced));
    }
}
