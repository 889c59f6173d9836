//! Line charts as SVG, in the colours of the page's style.

use std::fmt::Write;

use crate::terminal::escape;

/// In units of the drawing, which are pixels where there is room for them.
pub const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 240.0;
/// Left, top, right, bottom.
const MARGIN: [f64; 4] = [52.0, 10.0, 14.0, 38.0];
/// Lines of more points are drawn by the means of as many neighbours as it takes.
const MOST_POINTS: usize = 400;

/// One line.
pub struct Series<'a> {
    pub name: String,
    /// A class of the style.
    pub class: &'a str,
    /// `(x, y)` with ascending x.
    pub points: Vec<(f64, f64)>,
    /// Whether each point is marked.
    pub marked: bool,
}

/// Lines over one axis.
pub struct Chart<'a> {
    /// What it shows, for those who do not see it.
    pub label: &'a str,
    pub x: &'a str,
    pub series: Vec<Series<'a>>,
    pub from_zero: bool,
}

impl Chart<'_> {
    /// The chart with its key; nothing where there are no points.
    pub fn render(&self) -> String {
        let all = || self.series.iter().flat_map(|series| &series.points);
        let finite = || all().filter(|(_, y)| y.is_finite());
        if finite().next().is_none() {
            return String::new();
        }
        let (x_low, x_high) = range(finite().map(|(x, _)| *x));
        let (mut y_low, y_high) = range(finite().map(|(_, y)| *y));
        if self.from_zero {
            y_low = y_low.min(0.0);
        }
        let (y_ticks, x_ticks) = (ticks(y_low, y_high, 5), ticks(x_low, x_high, 6));
        let (y_low, y_high) = (y_ticks[0].min(y_low), y_ticks[y_ticks.len() - 1].max(y_high));
        let [left, top, right, bottom] = MARGIN;
        let part =
            |value: f64, low: f64, high: f64| (value - low) / (high - low).max(f64::MIN_POSITIVE);
        let at_x = |x: f64| left + part(x, x_low, x_high) * (WIDTH - left - right);
        let at_y = |y: f64| HEIGHT - bottom - part(y, y_low, y_high) * (HEIGHT - top - bottom);

        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
            escape(self.label)
        );
        // Writing to a String cannot fail.
        for y in &y_ticks {
            let (to, at) = (WIDTH - right, at_y(*y));
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{left} {at:.1}H{to}\"/><text class=\"y\" x=\"{}\" y=\"{:.1}\">{}</text>",
                left - 8.0,
                at + 4.0,
                number(*y)
            );
        }
        // x counts something.
        for x in x_ticks.iter().filter(|x| **x >= x_low && **x <= x_high && x.fract() == 0.0) {
            let (at, y) = (at_x(*x), HEIGHT - bottom + 16.0);
            let _ =
                writeln!(svg, "<text class=\"x\" x=\"{at:.1}\" y=\"{y}\">{}</text>", number(*x));
        }
        let middle = (left + WIDTH - right) / 2.0;
        let _ = writeln!(
            svg,
            "<text class=\"x axis\" x=\"{middle}\" y=\"{}\">{}</text>",
            HEIGHT - 4.0,
            escape(self.x)
        );
        for series in &self.series {
            svg.push_str(&series.render(&at_x, &at_y));
        }
        svg + "</svg>\n" + &self.key()
    }

    /// Which line is which, where there are several.
    fn key(&self) -> String {
        if self.series.len() < 2 {
            return String::new();
        }
        let entry = |series: &Series| {
            format!("<span class=\"{}\"><i></i>{}</span> ", series.class, escape(&series.name))
        };
        format!("<p class=\"key\">{}</p>\n", self.series.iter().map(entry).collect::<String>())
    }
}

impl Series<'_> {
    fn render(&self, at_x: &impl Fn(f64) -> f64, at_y: &impl Fn(f64) -> f64) -> String {
        let points = thinned(&self.points);
        let mut path = String::new();
        let mut is_drawing = false;
        for (x, y) in &points {
            let command = if is_drawing { 'L' } else { 'M' };
            is_drawing = y.is_finite();
            if is_drawing {
                let _ = write!(path, "{command}{:.1} {:.1}", at_x(*x), at_y(*y));
            }
        }
        let mut svg = format!("<path class=\"line {}\" d=\"{path}\"/>\n", self.class);
        if self.marked {
            for (x, y) in points.iter().filter(|(_, y)| y.is_finite()) {
                let _ = writeln!(
                    svg,
                    "<circle class=\"{}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\"><title>{} {y:.4} at {}</title></circle>",
                    self.class,
                    at_x(*x),
                    at_y(*y),
                    escape(&self.name),
                    number(*x)
                );
            }
        }
        svg
    }
}

/// The mean of each run of neighbours.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let together = points.len().div_ceil(MOST_POINTS).max(1);
    let mean = |run: &[(f64, f64)]| {
        let sum = run.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (sum.0 / run.len() as f64, sum.1 / run.len() as f64)
    };
    points.chunks(together).map(mean).collect()
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}

/// Round numbers (1, 2 or 5 times a power of ten apart) around `low` to `high`, about `count` of them.
pub fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let span = if high > low { high - low } else { low.abs().max(1e-6) };
    let rough = span / count as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * power >= rough * 0.999);
    let step = step.unwrap_or(10.0) * power;
    let (first, last) = ((low / step + 1e-9).floor() as i64, (high / step - 1e-9).ceil() as i64);
    (first..=last.max(first + 1)).map(|tick| tick as f64 * step).collect()
}

/// A number of an axis, as short as it can be.
pub fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 1e-3 => format!("{value:.1e}").replace(".0e", "e"),
        size if size >= 1e4 => format!("{}k", trimmed(value / 1e3, 1)),
        _ => trimmed(value, 4),
    }
}

fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_all() {
        let shown = |low, high| ticks(low, high, 5).iter().map(|t| number(*t)).collect::<Vec<_>>();
        assert_eq!(shown(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(shown(0.83, 0.93), ["0.82", "0.84", "0.86", "0.88", "0.9", "0.92", "0.94"]);
        assert_eq!(shown(0.0, 1e-4), ["0", "2e-5", "4e-5", "6e-5", "8e-5", "1e-4"]);
        assert_eq!(shown(0.0, 12_000.0), ["0", "5000", "10k", "15k"]);
        assert!(ticks(0.5, 0.5, 5).len() >= 2);
    }

    #[test]
    fn a_long_line_is_thinned_and_keeps_its_mean() {
        let points: Vec<(f64, f64)> = (0..4000).map(|x| (f64::from(x), 2.0)).collect();
        let thin = thinned(&points);
        assert_eq!((thin.len(), thin[7].1), (400, 2.0));
    }
}
