//! The list of classes with their probabilities, or the score of a regression.

use super::{
    dom::{append, by_id, document, set, set_style},
    most::most,
    text::{decimal, digits, percent, text},
};
use std::cell::RefCell;
use wasm_bindgen::{JsCast, UnwrapThrowExt};
use web_sys::{Element, HtmlElement};

/// Classes to show: all where there are no more, else the most probable.
const TOP: usize = 10;

pub struct Bars {
    list: HtmlElement,
    rows: RefCell<Vec<Row>>,
}

/// One class: `<li><span>joy</span> <span>97.31%</span><span class="bar"></span></li>`
struct Row {
    name: String,
    item: Element,
    percent: Element,
    bar: HtmlElement,
}

impl Bars {
    /// The list with this id.
    pub fn new(id: &str) -> Self {
        Self { list: by_id(id), rows: RefCell::default() }
    }

    /// Empties the list and keeps its place on the page for this many classes.
    pub fn clear(&self, classes: usize) {
        self.rows.borrow_mut().clear();
        self.list.set_text_content(None);
        set_style(&self.list, "--rows", &classes.min(TOP).to_string());
    }

    /// Shows the classes with their probabilities. Rows stay when only the numbers change, so that
    /// the bars glide.
    pub fn show(&self, labels: &[String], probabilities: &[f32]) {
        let ids = top(probabilities);
        if !self.shows(labels, &ids) {
            self.clear(labels.len());
            let rows = ids.iter().map(|&id| Row::new(&self.list, &labels[id]));
            *self.rows.borrow_mut() = rows.collect();
        }
        let highest = probabilities.iter().copied().fold(0.0, f32::max);
        for (row, probability) in
            self.rows.borrow().iter().zip(ids.iter().map(|&id| probabilities[id]))
        {
            row.show(probability, probability == highest);
        }
    }

    /// Shows the number that a regression gives.
    pub fn score(&self, score: f32) {
        self.clear(1);
        let row = Row::new(&self.list, &text("one.score"));
        row.percent.set_text_content(Some(&decimal(score.into(), 4)));
    }

    fn shows(&self, labels: &[String], ids: &[usize]) -> bool {
        let rows = self.rows.borrow();
        rows.len() == ids.len() && rows.iter().zip(ids).all(|(row, &id)| row.name == labels[id])
    }
}

/// The ids to show: in their own order where all are shown, the most probable first where not.
fn top(probabilities: &[f32]) -> Vec<usize> {
    let ids: Vec<usize> = (0..probabilities.len()).collect();
    if ids.len() <= TOP { ids } else { most(ids, TOP, |&id| probabilities[id]) }
}

impl Row {
    fn new(list: &Element, label: &str) -> Self {
        let item = append(list, "li", "", "");
        append(&item, "span", "label", label);
        item.append_child(&document().create_text_node(" ")).unwrap_throw();
        let percent = append(&item, "span", "percent", "");
        let bar = append(&item, "span", "bar", "");
        set(&bar, &[("aria-hidden", "true")]);
        Self { name: label.into(), item, percent, bar: bar.unchecked_into() }
    }

    fn show(&self, probability: f32, highest: bool) {
        self.item.class_list().toggle_with_force("highest", highest).unwrap_throw();
        self.percent.set_text_content(Some(&percent(probability.into(), 2)));
        set_style(&self.bar, "--share", &digits(probability.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::top;

    #[test]
    fn few_classes_keep_their_order_and_many_are_ranked() {
        assert_eq!(top(&[0.1, 0.7, 0.2]), [0, 1, 2]);
        let many: Vec<f32> = (0..12).map(|id| id as f32 / 66.0).collect();
        assert_eq!(top(&many), [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    }
}
