//! A curve over the steps of a training, drawn as SVG.

use super::super::{
    dom::{by_id, document, set},
    text::decimal,
};
use std::cell::RefCell;
use wasm_bindgen::UnwrapThrowExt;
use web_sys::Element;

const SVG: &str = "http://www.w3.org/2000/svg";
/// Size of the drawing and the room around the plot, in its own units.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 180.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 22.0;
/// Points that are kept: neighbours become their mean beyond that.
const POINTS: usize = 240;
/// Points that weigh most in a smoothed value: a sixth of all, so that short curves do not lag.
const WINDOW: f64 = 6.0;

pub struct Curve {
    faint: Option<Element>,
    line: Element,
    marks: [Element; 3],
    last: Element,
    data: RefCell<Data>,
    /// The highest value, where it is known beforehand.
    most: Option<f64>,
}

#[derive(Default)]
struct Data {
    points: Vec<(f64, f64)>,
    steps: f64,
    /// Values that make one point by now, and those that wait for the next.
    stride: usize,
    waiting: Vec<(f64, f64)>,
}

impl Curve {
    /// A curve in the element with this id. `most` fixes the scale; `noisy` values get a smoothed
    /// line through them.
    pub fn new(id: &str, most: Option<f64>, noisy: bool) -> Self {
        let figure: Element = by_id(id);
        let view = ["0 0 ", &short(WIDTH), " ", &short(HEIGHT)].concat();
        let svg = draw(&figure, "svg", &[("viewBox", &view), ("aria-hidden", "true")]);
        let grid = |share: f64| {
            let y = short(y_of(share));
            let ends =
                [("x1", &*short(LEFT)), ("x2", &short(WIDTH - RIGHT)), ("y1", &y), ("y2", &y)];
            draw(&svg, "line", &[&[("class", "grid")], &ends[..]].concat())
        };
        let mark = |share: f64| {
            grid(share);
            let place = [("x", &*short(LEFT - 6.0)), ("y", &short(y_of(share) + 4.0))];
            draw(&svg, "text", &[&[("class", "mark end")], &place[..]].concat())
        };
        let marks = [mark(0.0), mark(0.5), mark(1.0)];
        let faint = noisy.then(|| draw(&svg, "polyline", &[("class", "faint")]));
        let line = draw(&svg, "polyline", &[("class", "line")]);
        let place = [("x", &*short(WIDTH - RIGHT)), ("y", &short(HEIGHT - 6.0))];
        let last = draw(&svg, "text", &[&[("class", "mark end")], &place[..]].concat());
        let curve = Self { faint, line, marks, last, data: RefCell::default(), most };
        curve.render();
        curve
    }

    /// Starts anew, for so many steps.
    pub fn clear(&self, steps: usize) {
        *self.data.borrow_mut() = Data { steps: steps as f64, ..Data::default() };
        self.render()
    }

    pub fn add(&self, step: usize, value: f64) {
        self.data.borrow_mut().add(step as f64, value);
        self.render()
    }

    pub fn render(&self) {
        let data = self.data.borrow();
        let most = self.most.unwrap_or_else(|| data.most());
        for (mark, share) in self.marks.iter().zip([0.0, 0.5, 1.0]) {
            mark.set_text_content(Some(&decimal(share * most, if most >= 10.0 { 0 } else { 1 })));
        }
        let steps = if data.steps > 0.0 { short(data.steps) } else { String::new() };
        self.last.set_text_content(Some(&steps));
        let place = |&(step, value): &(f64, f64)| {
            let x = LEFT + step / data.steps.max(1.0) * (WIDTH - LEFT - RIGHT);
            [short(x), short(y_of((value / most).min(1.0)))].join(",")
        };
        let path = |points: &[(f64, f64)]| points.iter().map(place).collect::<Vec<_>>().join(" ");
        match &self.faint {
            Some(faint) => {
                set(faint, &[("points", &path(&data.points))]);
                set(&self.line, &[("points", &path(&smoothed(&data.points)))])
            }
            None => set(&self.line, &[("points", &path(&data.points))]),
        }
    }
}

impl Data {
    fn add(&mut self, step: f64, value: f64) {
        self.waiting.push((step, value));
        if self.waiting.len() < self.stride {
            return;
        }
        self.points.push(mean(&std::mem::take(&mut self.waiting)));
        if self.points.len() > POINTS {
            self.points = self.points.chunks(2).map(mean).collect();
            self.stride = 2 * self.stride.max(1);
        }
    }

    /// A round number that no value exceeds.
    fn most(&self) -> f64 {
        let most = self.points.iter().map(|point| point.1).fold(0.0, f64::max);
        let round = [0.2, 0.4, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 20.0, 40.0, 100.0];
        round.into_iter().find(|&round| round >= most).unwrap_or(most)
    }
}

fn mean(points: &[(f64, f64)]) -> (f64, f64) {
    let sum = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    (sum.0 / points.len() as f64, sum.1 / points.len() as f64)
}

fn smoothed(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let weight = (WINDOW / points.len() as f64).clamp(0.1, 0.6);
    let mut level = points.first().map_or(0.0, |point| point.1);
    let smooth = |&(step, value): &(f64, f64)| {
        level += weight * (value - level);
        (step, level)
    };
    points.iter().map(smooth).collect()
}

fn y_of(share: f64) -> f64 {
    TOP + (1.0 - share) * (HEIGHT - TOP - BOTTOM)
}

/// A coordinate: half a unit is finer than a pixel.
fn short(number: f64) -> String {
    let halves = (number * 2.0).round() as i64;
    [(halves / 2).to_string(), if halves % 2 == 0 { "" } else { ".5" }.to_string()].concat()
}

fn draw(parent: &Element, tag: &str, attributes: &[(&str, &str)]) -> Element {
    let element = document().create_element_ns(Some(SVG), tag).unwrap_throw();
    set(&element, attributes);
    parent.append_child(&element).unwrap_throw();
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_trainings_keep_few_points() {
        let mut data = Data::default();
        (0..1000).for_each(|step| data.add(f64::from(step), 2.0));
        assert!(data.points.len() <= POINTS);
        assert!(data.points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 == 2.0));
    }

    #[test]
    fn scales_are_round() {
        let mut data = Data::default();
        assert_eq!(data.most(), 0.2);
        data.add(0.0, 1.79);
        assert_eq!(data.most(), 2.0);
    }

    #[test]
    fn coordinates_are_short() {
        assert_eq!([short(12.0), short(12.26), short(0.74)], ["12", "12.5", "0.5"]);
    }
}
