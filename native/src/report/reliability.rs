//! The reliability diagram (Guo, Pleiss, Sun and Weinberger 2017): how often what is said with a
//! confidence is right, beside how often it would have to be.

use std::fmt::Write;

use serde_json::Value;

use super::run::{Run, numbers};
use crate::terminal::{counted, escape};

const SIDE: f64 = 360.0;
/// Below the diagram, for how much is said with each confidence.
const COUNTS: f64 = 56.0;
const MARGIN: f64 = 44.0;
const TOP: f64 = 10.0;

pub fn section(run: &Run) -> String {
    let Some(measured) = run.shown() else { return String::new() };
    let Some(calibration) = measured.metrics.get("calibration") else { return String::new() };
    let bins = calibration["bins"].as_array().map_or(&[][..], |bins| &bins[..]);
    let error = measured.expected_calibration_error().unwrap_or_default();
    format!(
        "<section>\n<h2>Calibration <small>{}</small></h2>\n<div class=\"pair\">\n<div>{}</div>\n<div>{}</div>\n</div>\n</section>\n",
        escape(&measured.split),
        diagram(bins),
        words(run, &measured.split, error)
    )
}

fn diagram(bins: &[Value]) -> String {
    let plot = SIDE - MARGIN - TOP;
    let x = |value: f64| MARGIN + value * plot;
    let y = |value: f64| TOP + (1.0 - value) * plot;
    let mut svg = format!(
        "<svg class=\"square\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Accuracy over confidence\">\n",
        SIDE + 10.0,
        SIDE + COUNTS
    );
    // Writing to a String cannot fail.
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{MARGIN} {0:.1}H{1:.1}\"/><text class=\"y\" x=\"{2}\" y=\"{3:.1}\">{tick}</text>",
            y(tick),
            x(1.0),
            MARGIN - 8.0,
            y(tick) + 4.0
        );
        let _ = writeln!(
            svg,
            "<text class=\"x\" x=\"{:.1}\" y=\"{:.1}\">{tick}</text>",
            x(tick),
            SIDE + COUNTS - 18.0
        );
    }
    let number = |bin: &Value, key: &str| bin[key].as_f64().unwrap_or_default();
    let all: f64 = bins.iter().map(|bin| number(bin, "count")).sum();
    let most = bins.iter().map(|bin| number(bin, "count")).fold(1.0, f64::max);
    for bin in bins {
        let [from, to, count, confidence, accuracy] =
            ["from", "to", "count", "confidence", "accuracy"].map(|key| number(bin, key));
        let (left, width) = (x(from) + 1.0, (x(to) - x(from) - 2.0).max(1.0));
        let _ = write!(
            svg,
            "<g><title>{:.0} to {:.0} % sure: {} of {all}, {:.1} % right, {:.1} % sure on average</title>",
            from * 100.0,
            to * 100.0,
            count,
            accuracy * 100.0,
            confidence * 100.0
        );
        let bar = |class: &str, top: f64, bottom: f64| {
            let (top, height) = (y(top), (y(bottom) - y(top)).max(0.0));
            format!(
                "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
            )
        };
        svg.push_str(&bar("accuracy", accuracy, 0.0));
        svg.push_str(&bar("gap", accuracy.max(confidence), accuracy.min(confidence)));
        let height = count / most * (COUNTS - 26.0);
        let _ = writeln!(
            svg,
            "<rect class=\"count\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/></g>",
            SIDE - MARGIN + 10.0 + (COUNTS - 26.0) - height
        );
    }
    let _ = writeln!(
        svg,
        "<path class=\"diagonal\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/><text class=\"x axis\" x=\"{:.1}\" y=\"{:.1}\">confidence</text>",
        x(0.0),
        y(0.0),
        x(1.0),
        y(1.0),
        x(0.5),
        SIDE + COUNTS - 4.0
    );
    svg + "</svg>\n<p class=\"key\"><span class=\"accuracy\"><i></i>how often it is right</span> \
           <span class=\"gap\"><i></i>too sure, or not sure enough</span></p>\n"
}

fn words(run: &Run, split: &str, error: f64) -> String {
    let mut html = format!(
        "<p>A calibrated model is right as often as it says: its bars end on the diagonal. The \
         <b>expected calibration error</b> is their mean distance from it, weighted by how much is said \
         with each confidence (the small bars below): <b>{error:.4}</b>.</p>\n"
    );
    let calibration = &run.record["calibration"];
    let Some(temperature) = calibration["temperature"].as_f64() else {
        html.push_str("<p class=\"quiet\">No temperature was fitted; <code>--calibrate</code> fits one on the evaluation rows.</p>\n");
        return html;
    };
    let before = numbers(&calibration["expected_calibration_error"][split]);
    let rows = calibration["rows"].as_u64().unwrap_or_default() as usize;
    let _ = writeln!(
        html,
        "<p>Logits are divided by a <b>temperature of {temperature:.3}</b>, fitted on {} of {}. {}No answer changes by it.</p>",
        counted(rows, "row"),
        escape(calibration["fitted_on"].as_str().unwrap_or_default()),
        match before.first() {
            Some(before) => format!("Without it the error was {before:.4}. "),
            None => String::new(),
        }
    );
    html
}
