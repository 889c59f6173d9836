//! The status region: model, engine and timing in one line, and below it what else a person should
//! know.

use super::{
    dom::by_id,
    engine::Kind,
    text::{decimal, fill, text},
};
use crate::messages::{ModelInfo, Prediction};
use std::cell::RefCell;
use web_sys::Element;

pub struct Status {
    line: Element,
    note: Element,
    /// What the note says: a string, and its reason.
    noted: RefCell<(&'static str, String)>,
    problem: Element,
}

impl Status {
    pub fn new() -> Self {
        Self {
            line: by_id("status-line"),
            note: by_id("status-note"),
            noted: RefCell::default(),
            problem: by_id("status-problem"),
        }
    }

    pub fn busy(&self, what: &str) {
        self.line.set_text_content(Some(what));
    }

    /// The model is open and waits for a text.
    pub fn ready(&self, model: &ModelInfo, kind: Kind) {
        self.about(model, kind, &text("status.ready"));
    }

    pub fn classified(
        &self,
        model: &ModelInfo,
        kind: Kind,
        prediction: &Prediction,
        milliseconds: f64,
    ) {
        self.about(model, kind, &timing(prediction, milliseconds));
    }

    fn about(&self, model: &ModelInfo, kind: Kind, what: &str) {
        self.busy(&[&summary(model), " · ", &kind.name(), " · ", what].concat());
    }

    /// Something worth knowing that stops nothing: the string with this key, for a reason in words or with a
    /// key of its own; both empty for nothing.
    pub fn note(&self, key: &'static str, reason: &str) {
        *self.noted.borrow_mut() = (key, reason.into());
        self.render();
    }

    /// Says the note in the present language.
    pub fn render(&self) {
        let (key, reason) = &*self.noted.borrow();
        let reason = text(reason);
        let said = fill(key, &[("reason", reason.trim_end_matches('.'))]);
        self.note.set_text_content(Some(&said));
    }

    /// Something that failed; empty for nothing.
    pub fn problem(&self, text: &str) {
        self.problem.set_text_content(Some(text));
    }
}

/// `emotions (BERT, 4.4 M parameters)`
fn summary(model: &ModelInfo) -> String {
    let architecture = model.architecture.to_ascii_uppercase();
    let parameters = count(model.parameters);
    let values =
        [("name", &*model.name), ("architecture", &architecture), ("parameters", &parameters)];
    fill("status.model", &values)
}

/// `12 ms for 9 tokens`
fn timing(prediction: &Prediction, milliseconds: f64) -> String {
    let key = if prediction.truncated { "status.timing_cut" } else { "status.timing" };
    let tokens = prediction.tokens.to_string();
    fill(key, &[("ms", &decimal(milliseconds, 0)), ("tokens", &tokens)])
}

/// `4.4 M`, `22.7 M`, `950 k`, `12`
pub fn count(number: usize) -> String {
    match number {
        1_000_000.. => fill("number.million", &[("n", &decimal(number as f64 / 1e6, 1))]),
        10_000.. => fill("number.thousand", &[("n", &(number / 1000).to_string())]),
        _ => number.to_string(),
    }
}
