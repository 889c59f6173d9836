//! What a person should know before training on it.

use std::collections::BTreeSet;

use emberlab_core::data::{BadRows, Duplicates, Task};

use super::{SplitReport, labels::LabelReport};
use crate::terminal::{counted, grouped};

/// More labels than this are hardly classes.
const MOST_CLASSES: usize = 100;

/// Rows that were left out.
pub fn of_bad_rows(split: &str, bad: [&BadRows; 2]) -> Vec<String> {
    let warning = |bad: &BadRows| match bad {
        BadRows::Skip { count, first } if *count > 0 => {
            let first = first.first().map_or_else(String::new, ToString::to_string);
            Some(format!(
                "{} of {split} cannot be used; the first: {first}",
                counted(*count, "row")
            ))
        }
        _ => None,
    };
    bad.into_iter().filter_map(warning).collect()
}

/// What the figures show.
pub fn of_splits(splits: &[SplitReport], duplicates: &Duplicates) -> Vec<String> {
    let mut warnings: Vec<String> = splits.iter().flat_map(of_labels).collect();
    warnings.extend(of_unknown_labels(splits));
    for overlap in &duplicates.across {
        warnings.push(format!(
            "{} of {} {} in {} too, for example \"{}\"",
            counted(overlap.rows, "text"),
            overlap.split,
            if overlap.rows == 1 { "stands" } else { "stand" },
            overlap.also_in,
            shortened(&overlap.example)
        ));
    }
    for repeats in duplicates.within.iter().filter(|repeats| repeats.other_label > 0) {
        warnings.push(format!(
            "{} of {} an earlier text with another label",
            counted(repeats.other_label, "row"),
            format_args!(
                "{} repeat{}",
                repeats.split,
                if repeats.other_label == 1 { "s" } else { "" }
            )
        ));
    }
    warnings
}

fn of_labels(split: &SplitReport) -> Vec<String> {
    let name = &split.split;
    let LabelReport { task, label_columns, label_counts, scores, unlabelled_rows, .. } =
        &split.labels;
    let mut warnings = Vec::new();
    match (label_columns.first(), &label_counts[..]) {
        (Some(_), []) if scores.is_some() => {}
        // All of them have an answer.
        (Some(_), [_]) if *task == Some(Task::QuestionAnswering) => {}
        (None, _) => warnings.push(format!("{name} has no label column (--label-column names one)")),
        (Some(label), []) => warnings.push(format!("{name} has no labels: \"{label}\" is empty or -1")),
        (Some(_), [only]) => warnings.push(format!(
            "{name} holds one class only ({}); if the rows are sorted by label, shuffle them before taking a slice",
            only.label
        )),
        (Some(label), counts) if counts.len() > MOST_CLASSES => warnings.push(format!(
            "\"{label}\" of {name} has {} different values, which are hardly classes",
            grouped(counts.len())
        )),
        _ => {}
    }
    if (1..split.rows).contains(unlabelled_rows) {
        warnings.push(format!("{} of {name} have no label", counted(*unlabelled_rows, "row")));
    }
    warnings
}

/// Labels that the first labelled split, which training goes by, does not have.
fn of_unknown_labels(splits: &[SplitReport]) -> Vec<String> {
    let labels = |split: &SplitReport| -> BTreeSet<String> {
        split.labels.label_counts.iter().map(|count| count.label.clone()).collect()
    };
    let mut labelled = splits.iter().filter(|split| !split.labels.label_counts.is_empty());
    let Some(first) = labelled.next() else { return Vec::new() };
    let known = labels(first);
    let unknown = |split: &SplitReport| {
        let unknown: Vec<String> = labels(split).difference(&known).cloned().collect();
        let listed = unknown.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let warning = format!("{} has labels that {} lacks: {listed}", split.split, first.split);
        (!unknown.is_empty()).then_some(warning)
    };
    labelled.filter_map(unknown).collect()
}

/// The beginning of a text on one line.
pub fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
