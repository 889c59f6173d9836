//! The report for a terminal.

use std::fmt::Write;

use emberlab_core::data::{ColumnProfile, ScoreBin, Scores, Task};
use emberlab_core::text::{Cut, LengthBin, Lengths};
use serde_json::Value;

use super::labels::{LabelCount, LabelReport};
use super::warnings::shortened;
use super::{DataReport, SplitReport};
use crate::terminal::{counted, grouped, one_line};

/// Characters of the longest bar.
const BAR: usize = 32;
/// More labels than this are not listed.
const LISTED_LABELS: usize = 30;

/// Splits, duplicates, warnings.
pub fn render(report: &DataReport) -> String {
    let mut text = String::new();
    for split in &report.splits {
        render_split(&mut text, split);
    }
    // Writing to a String cannot fail.
    let _ = writeln!(text, "duplicates");
    for repeats in &report.duplicates.within {
        let _ = writeln!(text, "  {}: {}", repeats.split, repeated(repeats.rows));
    }
    for overlap in &report.duplicates.across {
        let rows = counted(overlap.rows, "text");
        let _ = writeln!(text, "  {} and {}: {rows} in both", overlap.split, overlap.also_in);
    }
    if !report.warnings.is_empty() {
        text.push_str("\nwarnings\n");
        report.warnings.iter().for_each(|warning| {
            let _ = writeln!(text, "  ! {warning}");
        });
    }
    text
}

/// How many rows repeat an earlier one, in words.
pub fn repeated(rows: usize) -> String {
    match rows {
        0 => "no text stands twice".to_owned(),
        1 => "1 row repeats an earlier text".to_owned(),
        rows => format!("{} rows repeat an earlier text", grouped(rows)),
    }
}

/// A column's type as people write it down: with its classes where they are known.
pub fn kind(column: &ColumnProfile) -> String {
    match &column.class_names[..] {
        [] => column.kind.to_owned(),
        names if names.len() > 6 => format!("ClassLabel({} names)", names.len()),
        names => format!("ClassLabel({})", names.join(", ")),
    }
}

/// What a column is used for.
pub fn role(split: &SplitReport, column: &str) -> &'static str {
    let is = |named: &Option<String>| named.as_deref() == Some(column);
    match () {
        () if is(&split.text_column) => "text",
        () if is(&split.text_pair_column) => "text pair",
        () if split.labels.label_columns.iter().any(|label| label == column) => "label",
        () => "",
    }
}

/// The first value of a column, short enough for a line.
pub fn example(column: &ColumnProfile) -> String {
    match &column.example {
        Value::String(text) => shortened(text),
        other => shortened(&other.to_string()),
    }
}

fn render_split(text: &mut String, split: &SplitReport) {
    let SplitReport { split: name, path, rows, columns, labels, tokens, .. } = split;
    let _ = writeln!(text, "{name}: {} ({})\n", counted(*rows, "row"), path.display());
    let kinds: Vec<String> = columns.iter().map(kind).collect();
    let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let column_names: Vec<String> = columns.iter().map(|column| one_line(&column.name)).collect();
    let names = width(&mut column_names.iter().map(|name| name.chars().count()));
    let kind_width = width(&mut kinds.iter().map(|kind| kind.chars().count()));
    for ((column, kind), name) in columns.iter().zip(&kinds).zip(&column_names) {
        let role = role(split, &column.name);
        let missing = match column.missing {
            0 => String::new(),
            missing => format!("  ({} missing)", grouped(missing)),
        };
        let example = example(column);
        let _ = writeln!(text, "  {name:names$}  {kind:kind_width$}  {role:9}  {example}{missing}");
    }
    render_labels(text, labels, *rows);
    if let Some(tokens) = tokens {
        render_lengths(text, tokens, *rows);
    }
    text.push('\n');
}

fn render_labels(text: &mut String, labels: &LabelReport, rows: usize) {
    let LabelReport { task, label_counts, scores, empty_sets, .. } = labels;
    let Some(task) = task else { return };
    if !label_counts.is_empty() {
        let _ = writeln!(text, "\n  labels ({task})");
        let labels = label_counts.iter().take(LISTED_LABELS);
        let mut labels = labels.map(|it| (one_line(&it.label), it.rows)).collect::<Vec<_>>();
        labels.extend(empty_sets.map(|rows| ("(none)".to_owned(), rows)));
        bars(text, &labels, labels_in_all(label_counts, *task, rows));
        if label_counts.len() > LISTED_LABELS {
            let _ = writeln!(text, "    and {} more", grouped(label_counts.len() - LISTED_LABELS));
        }
    }
    if let Some(scores) = scores {
        let _ = writeln!(text, "\n  scores ({task}): {}", score_figures(scores));
        let bin = |bin: &ScoreBin| (score_range(bin), bin.rows);
        bars(text, &scores.histogram.iter().map(bin).collect::<Vec<_>>(), rows);
    }
}

/// What the counts of labels are parts of: rows, or, of tags, words.
pub fn labels_in_all(counts: &[LabelCount], task: Task, rows: usize) -> usize {
    match task {
        Task::TokenClassification => counts.iter().map(|count| count.rows).sum(),
        _ => rows,
    }
}

/// How scores are spread, in a line.
pub fn score_figures(scores: &Scores) -> String {
    let Scores { mean, standard_deviation, lowest, highest, .. } = scores;
    format!("{lowest} to {highest}, mean {mean:.2}, standard deviation {standard_deviation:.2}")
}

/// `0.50 to 1.00`
pub fn score_range(bin: &ScoreBin) -> String {
    format!("{:.2} to {:.2}", bin.from, bin.to)
}

fn render_lengths(text: &mut String, tokens: &Lengths, rows: usize) {
    let Lengths { mean, median, percentile_95, longest, histogram, cuts } = tokens;
    let _ = writeln!(
        text,
        "\n  tokens: mean {mean:.0}, median {median}, 95 % up to {percentile_95}, longest {longest}"
    );
    let bin = |LengthBin { from, to, rows }: &LengthBin| match from == to {
        true => (from.to_string(), *rows),
        false => (format!("{from}–{to}"), *rows),
    };
    bars(text, &histogram.iter().map(bin).collect::<Vec<_>>(), rows);
    text.push_str("\n  a cut at\n");
    for Cut { max_length, rows, share_of_rows, share_of_tokens } in cuts {
        let _ = match rows {
            0 => writeln!(text, "    {max_length:>4} tokens takes nothing away"),
            _ => writeln!(
                text,
                "    {max_length:>4} tokens shortens {} ({:.1} %), and takes {:.1} % of all tokens",
                counted(*rows, "text"),
                share_of_rows * 100.0,
                share_of_tokens * 100.0
            ),
        };
    }
}

/// A bar for each name, as long as its share of the largest.
fn bars(text: &mut String, counts: &[(String, usize)], rows: usize) {
    let names = counts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let largest = counts.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    for (name, count) in counts {
        let bar = "█".repeat((count * BAR).div_ceil(largest));
        let percent = *count as f64 * 100.0 / rows.max(1) as f64;
        let count = grouped(*count);
        let _ = writeln!(text, "    {name:names$}  {count:>7}  {percent:5.1} %  {bar}");
    }
}
