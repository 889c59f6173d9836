//! What was answered: the classes with their figures, which is taken for which, or scores beside scores.

use std::fmt::Write;

use serde_json::Value;

use super::charts::{number, ticks};
use super::run::{Measured, Run, numbers};
use crate::terminal::{escape, grouped};

/// A matrix of more classes is no longer read; the most frequent confusions are listed instead.
const WIDEST_MATRIX: usize = 30;
const LISTED: usize = 15;
/// More points than this are one cloud.
const MOST_POINTS: usize = 2000;

pub fn section(run: &Run) -> String {
    let Some(measured) = run.shown() else { return String::new() };
    let classes = measured.metrics.get("per_class").or(measured.metrics.get("per_type"));
    let matrix = measured.metrics.get("confusion_matrix").map(matrix_rows);
    let mut parts = Vec::new();
    if let Some(rows) = &matrix {
        let names: Vec<&str> = classes
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| &**name)
            .collect();
        parts.push(match names.len() <= WIDEST_MATRIX {
            true => confusion_matrix(&names, rows),
            false => most_confused(&names, rows),
        });
    }
    if let Some(classes) = classes.and_then(Value::as_object) {
        let title = if measured.metrics.contains_key("per_type") { "Types" } else { "Classes" };
        parts.push(format!("<div><h3>{title}</h3>\n{}</div>\n", per_class(classes)));
    }
    if measured.metrics.contains_key("no_answer") {
        parts.push(with_and_without(measured));
    }
    if measured.metrics.contains_key("pearson") {
        parts.push(scatter(measured));
    }
    if parts.is_empty() {
        return String::new();
    }
    format!(
        "<section>\n<h2>Answers <small>{}, {} rows</small></h2>\n<div class=\"pair\">\n{}</div>\n</section>\n",
        escape(&measured.split),
        grouped(measured.rows()),
        parts.concat()
    )
}

fn matrix_rows(matrix: &Value) -> Vec<Vec<f64>> {
    matrix.as_array().into_iter().flatten().map(numbers).collect()
}

/// Gold classes down, predicted ones across; the ground of a cell is its share of the row.
fn confusion_matrix(names: &[&str], rows: &[Vec<f64>]) -> String {
    let mut html =
        "<div><h3>Confusion matrix</h3>\n<table class=\"matrix\">\n<tr><td></td>".to_owned();
    for name in names {
        let _ = write!(html, "<th><span>{}</span></th>", escape(name));
    }
    html.push_str("</tr>\n");
    for (gold, (name, counts)) in names.iter().zip(rows).enumerate() {
        let sum = counts.iter().sum::<f64>().max(1.0);
        let _ = write!(html, "<tr><th>{}</th>", escape(name));
        for (predicted, count) in counts.iter().enumerate() {
            let side = if gold == predicted { "right" } else { "wrong" };
            let share = count / sum * 100.0;
            let _ = write!(
                html,
                "<td class=\"{side}\" style=\"--share:{share:.1}%\" title=\"\u{2068}{}\u{2069}, answered \u{2068}{}\u{2069}: {count} ({share:.1} %)\">{}</td>",
                escape(name),
                escape(names.get(predicted).copied().unwrap_or_default()),
                if *count > 0.0 { grouped(*count as usize) } else { "·".to_owned() }
            );
        }
        html.push_str("</tr>\n");
    }
    html + "</table>\n<p class=\"quiet\">Down: what it is. Across: what was answered.</p>\n</div>\n"
}

fn most_confused(names: &[&str], rows: &[Vec<f64>]) -> String {
    let mut confused: Vec<(usize, usize, f64)> = Vec::new();
    for (gold, counts) in rows.iter().enumerate() {
        let wrong = counts.iter().enumerate().filter(|(id, count)| *id != gold && **count > 0.0);
        confused.extend(wrong.map(|(predicted, count)| (gold, predicted, *count)));
    }
    confused.sort_by(|a, b| b.2.total_cmp(&a.2));
    let name = |id: usize| escape(names.get(id).copied().unwrap_or_default());
    let line = |(gold, predicted, count): &(usize, usize, f64)| {
        let (gold, predicted) = (name(*gold), name(*predicted));
        format!("<tr><td>{gold}</td><td>{predicted}</td><td class=\"number\">{count}</td></tr>\n")
    };
    let lines: String = confused.iter().take(LISTED).map(line).collect();
    format!(
        "<div><h3>Most often confused</h3>\n<table class=\"rows\">\n<tr><th>is</th><th>answered</th><th>rows</th></tr>\n{lines}</table>\n</div>\n"
    )
}

fn per_class(classes: &serde_json::Map<String, Value>) -> String {
    let mut html = "<table class=\"rows figures-table\">\n<tr><th></th><th>precision</th><th>recall</th><th>F1</th><th></th><th>rows</th></tr>\n".to_owned();
    for (name, figures) in classes {
        let figure = |key: &str| figures[key].as_f64().unwrap_or_default();
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td class=\"number\">{:.3}</td><td class=\"number\">{:.3}</td><td class=\"number\">{:.3}</td>\
             <td class=\"bar\"><i style=\"width:{:.1}%\"></i></td><td class=\"number\">{}</td></tr>",
            escape(name),
            figure("precision"),
            figure("recall"),
            figure("f1"),
            figure("f1") * 100.0,
            grouped(figure("support") as usize)
        );
    }
    html + "</table>\n"
}

/// Questions that their contexts answer, and those that they do not.
fn with_and_without(measured: &Measured) -> String {
    let mut html = "<div><h3>Questions</h3>\n<table class=\"rows figures-table\">\n<tr><th></th><th>exact match</th><th>F1</th><th>rows</th></tr>\n".to_owned();
    for (name, key) in [("with an answer", "has_answer"), ("without one", "no_answer")] {
        let Some(part) = measured.metrics.get(key) else { continue };
        let figure = |key: &str| part[key].as_f64().unwrap_or_default();
        let _ = writeln!(
            html,
            "<tr><td>{name}</td><td class=\"number\">{:.3}</td><td class=\"number\">{:.3}</td><td class=\"number\">{}</td></tr>",
            figure("exact_match"),
            figure("f1"),
            grouped(figure("rows") as usize)
        );
    }
    html + "</table>\n</div>\n"
}

/// Predicted over gold scores.
fn scatter(measured: &Measured) -> String {
    const SIDE: f64 = 360.0;
    const MARGIN: f64 = 44.0;
    let point = |row: &Value| Some((row["gold"].as_f64()?, row["score"].as_f64()?));
    let points: Vec<(f64, f64)> = measured.predictions.iter().filter_map(point).collect();
    if points.is_empty() {
        return String::new();
    }
    let ends = points.iter().flat_map(|(x, y)| [*x, *y]).filter(|value| value.is_finite());
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let ticks = ticks(low, high, 5);
    let (low, high) = (ticks[0].min(low), ticks[ticks.len() - 1].max(high));
    let at = |value: f64| (value - low) / (high - low) * (SIDE - MARGIN - 10.0);
    let (x, y) = (|value: f64| MARGIN + at(value), |value: f64| SIDE - MARGIN - at(value));
    let mut svg = format!(
        "<div><h3>Answers over gold scores</h3>\n<svg class=\"square\" viewBox=\"0 0 {SIDE} {SIDE}\" role=\"img\" aria-label=\"Predicted scores over gold scores\">\n"
    );
    for tick in &ticks {
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{MARGIN} {1:.1}H{2}\"/><text class=\"y\" x=\"{3}\" y=\"{4:.1}\">{0}</text>\
             <text class=\"x\" x=\"{5:.1}\" y=\"{6}\">{0}</text>",
            number(*tick),
            y(*tick),
            SIDE - 10.0,
            MARGIN - 8.0,
            y(*tick) + 4.0,
            x(*tick),
            SIDE - MARGIN + 18.0
        );
    }
    let _ = writeln!(
        svg,
        "<path class=\"diagonal\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/><text class=\"x axis\" x=\"{}\" y=\"{}\">gold</text>",
        x(low),
        y(low),
        x(high),
        y(high),
        (SIDE + MARGIN) / 2.0,
        SIDE - 4.0
    );
    for (gold, score) in points.iter().step_by(points.len().div_ceil(MOST_POINTS)) {
        let _ = writeln!(
            svg,
            "<circle class=\"point\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>",
            x(*gold),
            y(*score)
        );
    }
    svg + "</svg>\n</div>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_says_which_classes_whatever_they_are_called() {
        let names = ["<a>\u{2069}\u{202e}", "b"];
        let html = confusion_matrix(&names, &[vec![1.0, 2.0, 3.0], vec![4.0]]);
        let title = "title=\"\u{2068}&lt;a&gt;\u{2069}, answered \u{2068}b\u{2069}: 2 (33.3 %)\"";
        assert!(html.contains(title), "{html}");
        assert_eq!(html.matches("<td class").count(), 4, "a row of any length");
    }
}
