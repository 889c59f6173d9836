//! The text box and the list of probabilities.

use super::dom::{append, by_id, document};
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlButtonElement, HtmlElement, HtmlTextAreaElement};

pub struct ClassifyView {
    pub text: HtmlTextAreaElement,
    pub button: HtmlButtonElement,
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

impl ClassifyView {
    pub fn new() -> Result<Self, JsValue> {
        Ok(Self {
            text: by_id("text")?,
            button: by_id("classify")?,
            list: by_id("probabilities")?,
            rows: RefCell::default(),
        })
    }

    /// Empties the list and keeps its place on the page for this many classes.
    pub fn clear(&self, classes: usize) -> Result<(), JsValue> {
        self.rows.borrow_mut().clear();
        self.list.set_text_content(None);
        self.list.style().set_property("--rows", &classes.to_string())
    }

    /// Shows every class with its probability. Rows stay when only the numbers change, so that the
    /// bars glide.
    pub fn show(&self, labels: &[String], probabilities: &[f32]) -> Result<(), JsValue> {
        if !self.shows(labels) {
            self.clear(labels.len())?;
            *self.rows.borrow_mut() =
                labels.iter().map(|label| Row::new(&self.list, label)).collect::<Result<_, _>>()?;
        }
        let highest = probabilities.iter().copied().fold(0.0, f32::max);
        for (row, &probability) in self.rows.borrow().iter().zip(probabilities) {
            row.show(probability, probability == highest)?;
        }
        Ok(())
    }

    fn shows(&self, labels: &[String]) -> bool {
        let rows = self.rows.borrow();
        rows.len() == labels.len() && rows.iter().zip(labels).all(|(row, label)| row.name == *label)
    }
}

impl Row {
    fn new(list: &Element, label: &str) -> Result<Self, JsValue> {
        let item = append(list, "li", "")?;
        append(&item, "span", "label")?.set_text_content(Some(label));
        item.append_child(&document()?.create_text_node(" "))?;
        let percent = append(&item, "span", "percent")?;
        let bar = append(&item, "span", "bar")?;
        bar.set_attribute("aria-hidden", "true")?;
        Ok(Self { name: label.into(), item, percent, bar: bar.unchecked_into() })
    }

    fn show(&self, probability: f32, highest: bool) -> Result<(), JsValue> {
        self.item.class_list().toggle_with_force("highest", highest)?;
        self.percent.set_text_content(Some(&format!("{:.2}%", probability * 100.0)));
        self.bar.style().set_property("--share", &probability.to_string())
    }
}
