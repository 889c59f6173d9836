//! What a person reads of metrics, whatever the task.

use std::fmt::Write as _;

use emberlab_core::metrics::{
    AnswerMetrics, AnswerPart, ClassMetrics, ClassificationMetrics, Evaluation, Intervals, Metrics,
};

use super::{counted, grouped, one_line};

/// More classes than this make a confusion matrix that no terminal shows well.
const WIDEST_MATRIX: usize = 12;
/// Class names are cut to this many characters in a matrix.
const WIDEST_NAME: usize = 14;

/// The two most telling figures, as `accuracy 0.9012, macro F1 0.8877`.
pub fn headline(metrics: &Metrics) -> String {
    let figures = metrics.figures().into_iter().take(2);
    let figures = figures.map(|(name, figure)| format!("{} {figure:.4}", in_words(name)));
    figures.collect::<Vec<_>>().join(", ")
}

/// All figures as a table, with their intervals.
pub fn evaluation_table(
    Evaluation { metrics, confidence_intervals, calibration }: &Evaluation,
) -> String {
    let mut table = metrics_table(metrics, Some(confidence_intervals));
    if let Some(calibration) = calibration {
        let error = calibration.expected_calibration_error;
        let _ = write!(table, "\nexpected calibration error  {error:.4}\n");
    }
    let Intervals { level, resamples, .. } = confidence_intervals;
    let _ = writeln!(
        table,
        "in brackets: {:.0} % of {} bootstrap resamples of the rows",
        level * 100.0,
        grouped(*resamples)
    );
    table
}

/// All figures as a table.
fn metrics_table(metrics: &Metrics, intervals: Option<&Intervals>) -> String {
    let averages: Vec<Average> = metrics
        .figures()
        .into_iter()
        .map(|(figure, value)| {
            let interval = intervals.and_then(|intervals| intervals.of(figure));
            Average { name: in_words(figure), value, interval }
        })
        .collect();
    match metrics {
        Metrics::SingleLabel(metrics) => single_label(metrics, &averages),
        Metrics::MultiLabel(metrics) => classes(&metrics.per_class, &averages),
        Metrics::Regression(_) => averages.iter().map(|average| average.line(19)).collect(),
        Metrics::Entities(metrics) => classes(&metrics.per_type, &averages),
        Metrics::Answers(metrics) => answers(metrics, &averages),
    }
}

/// All questions, and, where some have none, those with an answer and those without.
fn answers(metrics: &AnswerMetrics, averages: &[Average]) -> String {
    let mut table: String = averages.iter().map(|average| average.line(19)).collect();
    let parts = [("with an answer", metrics.has_answer), ("without one", metrics.no_answer)];
    for (name, part) in parts {
        let Some(AnswerPart { rows, f1, exact_match }) = part else { continue };
        let rows = counted(rows, "row");
        let _ = writeln!(table, "{name:19}  F1 {f1:.4}, exact match {exact_match:.4} ({rows})");
    }
    table
}

/// A figure that sums all up.
struct Average {
    name: String,
    value: f64,
    interval: Option<[f64; 2]>,
}

impl Average {
    fn line(&self, width: usize) -> String {
        let Self { name, value, interval } = self;
        let interval = interval.map(|[from, to]| format!("  [{from:.4}, {to:.4}]"));
        format!("{name:width$}  {value:9.4}{}\n", interval.unwrap_or_default())
    }
}

/// `macro F1` of `macro_f1`.
pub fn in_words(name: &str) -> String {
    match name {
        "mse" => "mean squared error".to_owned(),
        "mae" => "mean absolute error".to_owned(),
        "pearson" => "Pearson".to_owned(),
        "spearman" => "Spearman".to_owned(),
        name => name.replace('_', " ").replace("f1", "F1"),
    }
}

/// Per-class figures, averages and the confusion matrix.
fn single_label(metrics: &ClassificationMetrics, averages: &[Average]) -> String {
    let mut table = classes(&metrics.per_class, averages);
    let names: Vec<String> = metrics.per_class.iter().map(|class| one_line(&class.label)).collect();
    if names.len() <= WIDEST_MATRIX {
        table.push('\n');
        table.push_str(&confusion_matrix(&names, &metrics.confusion_matrix));
    }
    table
}

/// A line for each class, and one for each average.
fn classes(per_class: &[ClassMetrics], averages: &[Average]) -> String {
    let labels: Vec<String> = per_class.iter().map(|class| one_line(&class.label)).collect();
    let names = labels.iter().chain(averages.iter().map(|average| &average.name));
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
    let mut table = format!("{:width$}  precision  recall     F1   rows\n", "");
    // Writing to a String cannot fail.
    for (label, class) in labels.iter().zip(per_class) {
        let ClassMetrics { precision, recall, f1, support, .. } = class;
        let support = grouped(*support);
        let _ = writeln!(
            table,
            "{label:width$}  {precision:9.4}  {recall:6.4}  {f1:5.4}  {support:>5}"
        );
    }
    table.push('\n');
    averages.iter().for_each(|average| table.push_str(&average.line(width)));
    table
}

fn confusion_matrix(names: &[String], counts: &[Vec<usize>]) -> String {
    let names: Vec<String> =
        names.iter().map(|name| name.chars().take(WIDEST_NAME).collect()).collect();
    let first = "gold \\ predicted";
    let left = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(first.len());
    let widths: Vec<usize> = names.iter().map(|name| name.chars().count().max(5)).collect();
    let row = |head: &str, cells: &mut dyn Iterator<Item = String>| {
        let cells = cells.zip(&widths).map(|(cell, &width)| format!("  {cell:>width$}"));
        format!("{head:left$}{}\n", cells.collect::<String>())
    };
    let mut matrix = row(first, &mut names.iter().cloned());
    for (name, counts) in names.iter().zip(counts) {
        matrix.push_str(&row(name, &mut counts.iter().map(usize::to_string)));
    }
    matrix
}

#[cfg(test)]
mod tests {
    use emberlab_core::data::LabelMap;

    use super::*;

    #[test]
    fn the_table_lines_up() {
        let labels = LabelMap::new("test", vec!["joy".into(), "surprise".into()]).unwrap();
        let metrics = ClassificationMetrics::new(&[0, 0, 1], &[0, 1, 1], &labels);
        let table = metrics_table(&Metrics::SingleLabel(metrics), None);
        assert_eq!(
            table,
            "             precision  recall     F1   rows
joy             1.0000  0.5000  0.6667      2
surprise        0.5000  1.0000  0.6667      1

accuracy        0.6667
macro F1        0.6667
micro F1        0.6667
weighted F1     0.6667

gold \\ predicted    joy  surprise
joy                   1         1
surprise              0         1
"
        );
    }
}
