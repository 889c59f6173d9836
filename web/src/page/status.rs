//! The status region: model, engine and timing in one line, and below it what else a person should
//! know.

use super::{
    dom::by_id,
    engine::Kind,
    text::{decimal, fill, text},
};
use crate::messages::{ModelInfo, Prediction};
use web_sys::Element;

pub struct Status {
    line: Element,
    note: Element,
    problem: Element,
}

impl Status {
    pub fn new() -> Self {
        Self {
            line: by_id("status-line"),
            note: by_id("status-note"),
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

    /// Something worth knowing that stops nothing; empty for nothing.
    pub fn note(&self, text: &str) {
        self.note.set_text_content(Some(text));
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
