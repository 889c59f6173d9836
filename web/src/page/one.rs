//! One text, classified as it is typed.

use super::{
    Page,
    bars::Bars,
    dom::{by_id, on, sleep},
    teach,
};
use std::{cell::Cell, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, EventTarget, HtmlElement, HtmlTextAreaElement};

/// Time without a keystroke after which a text is classified, in milliseconds.
const DEBOUNCE: i32 = 150;

pub struct One {
    text: HtmlTextAreaElement,
    bars: Bars,
    hint: HtmlElement,
    keystrokes: Cell<u32>,
    /// Whether a text waits to be classified, and whether one is being classified.
    wanted: Cell<bool>,
    busy: Cell<bool>,
}

impl One {
    pub fn new() -> Self {
        Self {
            text: by_id("text"),
            bars: Bars::new("probabilities"),
            hint: by_id("probabilities-hint"),
            keystrokes: Cell::new(0),
            wanted: Cell::new(false),
            busy: Cell::new(false),
        }
    }

    pub fn listen(page: &Rc<Page>) {
        let on_input = page.clone();
        on(&page.one.text, "input", move |_: Event| classify_soon(&on_input));
        let on_click = page.clone();
        on(&by_id::<EventTarget>("classify"), "click", move |_: Event| classify(&on_click))
    }

    /// Puts a text into the box where there is none.
    pub fn suggest(&self, text: &str) {
        if self.text.value().trim().is_empty() {
            self.text.set_value(text);
        }
    }

    /// Empties the list and keeps its place for this many classes.
    pub fn clear(&self, classes: usize) {
        self.hint.set_hidden(false);
        self.bars.clear(classes)
    }
}

fn classify_soon(page: &Rc<Page>) {
    let keystroke = page.one.keystrokes.get() + 1;
    page.one.keystrokes.set(keystroke);
    let page = page.clone();
    spawn_local(async move {
        sleep(DEBOUNCE).await;
        if page.one.keystrokes.get() == keystroke {
            classify(&page);
        }
    });
}

/// Classifies the text in the box, after the one that is being classified now; those in between are
/// skipped.
pub fn classify(page: &Rc<Page>) {
    page.one.wanted.set(true);
    if page.one.busy.replace(true) {
        return;
    }
    let page = page.clone();
    spawn_local(async move {
        while page.one.wanted.replace(false) {
            if let Err(message) = classify_once(&page).await {
                page.status.busy(&message);
            }
            if page.engines.model().is_some() {
                teach::tell_answered();
            }
        }
        page.one.busy.set(false);
    });
}

async fn classify_once(page: &Page) -> Result<(), String> {
    let Some(model) = page.engines.model() else { return Ok(()) };
    let one = &page.one;
    let text = one.text.value();
    if text.trim().is_empty() {
        page.status.ready(&model, page.engines.kind());
        one.clear(model.labels.len());
        page.compare.clear();
        return Ok(());
    }
    let answer = page.engines.classify(&text).await?;
    if one.text.value() != text {
        return Ok(()); // the newest text wins
    }
    page.status.classified(&answer.model, answer.kind, &answer.prediction, answer.milliseconds);
    one.hint.set_hidden(true);
    match &answer.prediction.probabilities[..] {
        [] => one.bars.score(answer.prediction.logits[0]),
        probabilities => one.bars.show(&answer.model.labels, probabilities),
    }
    page.compare.classify(&text, || one.text.value() == text).await;
    Ok(())
}
