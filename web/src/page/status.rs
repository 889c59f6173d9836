//! The status region: model, backend and timing in one line, and below it what else a person should
//! know.

use super::{dom::by_id, engine::Kind};
use crate::messages::{ModelInfo, Prediction};
use wasm_bindgen::JsValue;
use web_sys::Element;

pub struct Status {
    line: Element,
    note: Element,
    problem: Element,
}

impl Status {
    pub fn new() -> Result<Self, JsValue> {
        Ok(Self {
            line: by_id("status-line")?,
            note: by_id("status-note")?,
            problem: by_id("status-problem")?,
        })
    }

    pub fn busy(&self, what: &str) {
        self.line.set_text_content(Some(what));
    }

    /// The model is open and waits for a text.
    pub fn ready(&self, model: &ModelInfo, kind: Kind) {
        self.busy(&format!("{} · {kind} · ready", summary(model)));
    }

    pub fn classified(
        &self,
        model: &ModelInfo,
        kind: Kind,
        prediction: &Prediction,
        milliseconds: f64,
    ) {
        let timing = timing(prediction, milliseconds);
        self.busy(&format!("{} · {kind} · {timing}", summary(model)));
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
    format!("{} ({architecture}, {} parameters)", model.name, count(model.parameters))
}

/// `12 ms for 9 tokens`
fn timing(prediction: &Prediction, milliseconds: f64) -> String {
    let cut =
        if prediction.truncated { " (the text is longer; the rest was not read)" } else { "" };
    format!("{milliseconds:.0} ms for {} tokens{cut}", prediction.tokens)
}

/// `4.4 M`, `22.7 M`, `950 k`, `12`
fn count(number: usize) -> String {
    match number {
        1_000_000.. => format!("{:.1} M", number as f64 / 1e6),
        10_000.. => format!("{} k", number / 1000),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_short() {
        assert_eq!(count(4_386_178), "4.4 M");
        assert_eq!(count(22_713_216), "22.7 M");
        assert_eq!(count(950_123), "950 k");
        assert_eq!(count(12), "12");
    }

    #[test]
    fn a_cut_text_is_said() {
        let prediction =
            Prediction { logits: vec![], probabilities: vec![], tokens: 512, truncated: true };
        assert_eq!(
            timing(&prediction, 12.3),
            "12 ms for 512 tokens (the text is longer; the rest was not read)"
        );
    }
}
