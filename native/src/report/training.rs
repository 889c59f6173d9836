//! How training went: the curves of `metrics.jsonl`.

use serde_json::Value;

use super::charts::{Chart, Series};
use super::run::Run;
use crate::terminal::figures::in_words;

/// How much of a smoothed line is what it was before.
const SMOOTHING: f64 = 0.85;
/// Fewer points need no smoothing.
const FEW: usize = 20;

pub fn section(run: &Run) -> String {
    let charts = [
        ("Loss", loss(run)),
        ("On the evaluation rows", figures(run)),
        ("Learning rate", learning_rate(run)),
    ];
    let charts = charts.into_iter().filter(|(_, chart)| !chart.is_empty());
    let charts: String =
        charts.map(|(title, chart)| format!("<div><h3>{title}</h3>\n{chart}</div>\n")).collect();
    if charts.is_empty() {
        return String::new();
    }
    format!("<section>\n<h2>Training</h2>\n<div class=\"trio\">\n{charts}</div>\n</section>\n")
}

fn points(run: &Run, key: &str, of_split: Option<&str>) -> Vec<(f64, f64)> {
    let lines = run.log.iter().filter(|line| line["split"].as_str() == of_split);
    lines.filter_map(|line: &Value| Some((line["step"].as_f64()?, line[key].as_f64()?))).collect()
}

fn loss(run: &Run) -> String {
    let points = points(run, "loss", None);
    let mut series = Vec::new();
    let mut chart = |name: &str, class, points| {
        series.push(Series { name: name.to_owned(), class, points, marked: false });
    };
    if points.len() < FEW {
        chart("training loss", "first", points);
    } else {
        let smooth = smoothed(&points);
        chart("training loss", "faint", points);
        chart("smoothed", "first", smooth);
    }
    Chart { label: "Training loss by step", x: "step", series, from_zero: true }.render()
}

/// The exponential mean, without the pull of a first value.
fn smoothed(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let (mut sum, mut weight) = (0.0, 0.0);
    let next = |&(x, y): &(f64, f64)| {
        sum = SMOOTHING * sum + (1.0 - SMOOTHING) * y;
        weight = SMOOTHING * weight + (1.0 - SMOOTHING);
        (x, sum / weight)
    };
    points.iter().map(next).collect()
}

/// The two most telling figures at each evaluation.
fn figures(run: &Run) -> String {
    let is_eval = |line: &&Value| line["split"] == "eval";
    let Some(first) = run.log.iter().find(is_eval).and_then(Value::as_object) else {
        return String::new();
    };
    let other = ["split", "step", "epoch", "rows", "learning_rate"];
    let names = first.keys().filter(|name| !other.contains(&name.as_str())).take(2);
    let series = names.zip(["first", "second"]).map(|(name, class)| Series {
        name: in_words(name),
        class,
        points: points(run, name, Some("eval")),
        marked: true,
    });
    let series = series.collect();
    Chart { label: "Figures on the evaluation rows by step", x: "step", series, from_zero: false }
        .render()
}

fn learning_rate(run: &Run) -> String {
    let points = points(run, "learning_rate", None);
    let series =
        vec![Series { name: "learning rate".into(), class: "second", points, marked: false }];
    Chart { label: "Learning rate by step", x: "step", series, from_zero: true }.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_a_level_and_follows_a_step() {
        let level: Vec<(f64, f64)> = (0..9).map(|x| (f64::from(x), 3.0)).collect();
        assert!(smoothed(&level).iter().all(|(_, y)| (y - 3.0).abs() < 1e-12));
        let step = smoothed(&[(0.0, 0.0), (1.0, 1.0), (2.0, 1.0)]);
        assert!(step[0].1 == 0.0 && step[1].1 > 0.4 && step[1].1 < step[2].1 && step[2].1 < 1.0);
    }
}
