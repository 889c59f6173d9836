//! What a person reads of metrics, whatever the task.

use std::fmt::Write as _;

use emberlab_core::metrics::{
    ClassMetrics, ClassificationMetrics, EntityMetrics, Metrics, MultiLabelMetrics,
    RegressionMetrics,
};

use crate::report::grouped;

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

/// All figures as a table.
pub fn metrics_table(metrics: &Metrics) -> String {
    match metrics {
        Metrics::SingleLabel(metrics) => single_label(metrics),
        Metrics::MultiLabel(metrics) => multi_label(metrics),
        Metrics::Regression(metrics) => regression(metrics),
        Metrics::Entities(metrics) => entities(metrics),
    }
}

/// `macro F1` of `macro_f1`.
fn in_words(name: &str) -> String {
    name.replace('_', " ").replace("f1", "F1").replace("mse", "MSE").replace("mae", "MAE")
}

/// Per-class figures, averages and the confusion matrix.
fn single_label(metrics: &ClassificationMetrics) -> String {
    let averages = [
        ("accuracy", metrics.accuracy),
        ("macro F1", metrics.macro_f1),
        ("micro F1", metrics.micro_f1),
        ("weighted F1", metrics.weighted_f1),
    ];
    let mut table = classes(&metrics.per_class, &averages);
    let names: Vec<&str> = metrics.per_class.iter().map(|class| class.label.as_str()).collect();
    if names.len() <= WIDEST_MATRIX {
        table.push('\n');
        table.push_str(&confusion_matrix(&names, &metrics.confusion_matrix));
    }
    table
}

fn multi_label(metrics: &MultiLabelMetrics) -> String {
    let averages = [
        ("micro F1", metrics.micro_f1),
        ("macro F1", metrics.macro_f1),
        ("weighted F1", metrics.weighted_f1),
        ("samples F1", metrics.samples_f1),
        ("subset accuracy", metrics.subset_accuracy),
    ];
    classes(&metrics.per_class, &averages)
}

fn regression(metrics: &RegressionMetrics) -> String {
    let rows = [
        ("Pearson", metrics.pearson),
        ("Spearman", metrics.spearman),
        ("mean squared error", metrics.mse),
        ("mean absolute error", metrics.mae),
    ];
    rows.map(|(name, figure)| format!("{name:19}  {figure:9.4}\n")).concat()
}

fn entities(metrics: &EntityMetrics) -> String {
    let averages = [
        ("precision", metrics.precision),
        ("recall", metrics.recall),
        ("F1", metrics.f1),
        ("accuracy of tags", metrics.accuracy),
    ];
    classes(&metrics.per_type, &averages)
}

/// A line for each class, and one for each average.
fn classes(per_class: &[ClassMetrics], averages: &[(&str, f64)]) -> String {
    let names = per_class.iter().map(|class| class.label.as_str());
    let names = names.chain(averages.iter().map(|(name, _)| *name));
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
    let mut table = format!("{:width$}  precision  recall     F1   rows\n", "");
    // Writing to a String cannot fail.
    for ClassMetrics { label, precision, recall, f1, support } in per_class {
        let support = grouped(*support);
        let _ = writeln!(
            table,
            "{label:width$}  {precision:9.4}  {recall:6.4}  {f1:5.4}  {support:>5}"
        );
    }
    table.push('\n');
    for (name, value) in averages {
        let _ = writeln!(table, "{name:width$}  {value:9.4}");
    }
    table
}

fn confusion_matrix(names: &[&str], counts: &[Vec<usize>]) -> String {
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
        let table = metrics_table(&Metrics::SingleLabel(metrics));
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
