//! What is offered after a reload in the middle of a training.

use super::{
    super::{
        dom::{by_id, on, show, window},
        text::{fill, text},
    },
    FineTune,
    kept::{self, Kept},
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, EventTarget, HtmlButtonElement, HtmlElement};

pub struct Interrupted {
    pub go_on: HtmlButtonElement,
    card: HtmlElement,
    offered: RefCell<Option<Kept>>,
}

impl Interrupted {
    pub fn new() -> Self {
        Self { go_on: by_id("go-on"), card: by_id("interrupted"), offered: RefCell::default() }
    }

    /// What is offered, and from now on is not any more.
    pub fn take(&self) -> Option<Kept> {
        show(&self.card, false);
        self.offered.take()
    }

    fn offer(&self, kept: Kept) {
        let Some(&(step, _)) = kept.states.first() else { return };
        let (step, total) = (step.to_string(), kept.note.total_steps.to_string());
        let said = fill("interrupted.said", &[("step", &step), ("total", &total)]);
        by_id::<HtmlElement>("interrupted-said").set_text_content(Some(&said));
        show(&self.card, true);
        *self.offered.borrow_mut() = Some(kept);
    }
}

/// Looks for a training that was interrupted, and offers to go on with it.
pub fn listen(fine_tune: &Rc<FineTune>) {
    let clicked = fine_tune.clone();
    on(&fine_tune.interrupted.go_on, "click", move |_: Event| clicked.go_on());
    let clicked = fine_tune.clone();
    on(&by_id::<EventTarget>("discard"), "click", move |_: Event| {
        clicked.interrupted.take();
        spawn_local(kept::forget());
    });
    let fine_tune = fine_tune.clone();
    spawn_local(async move {
        if let Some(kept) = kept::find().await {
            fine_tune.interrupted.offer(kept);
        }
    });
}

impl FineTune {
    /// Goes on with a training as if nothing had interrupted it: its rows take the place of others.
    fn go_on(self: &Rc<Self>) {
        let has_rows = !self.rows.borrow().list.is_empty();
        let ask = || window().confirm_with_message(&text("interrupted.replaces")).unwrap_or(true);
        if has_rows && !ask() {
            return;
        }
        let Some(kept) = self.interrupted.take() else { return };
        self.edit_rows(|rows| {
            rows.list.clone_from(&kept.note.rows);
            rows.unsplit = false;
        });
        self.table.turn_to_end(&self.rows.borrow());
        self.render();
        self.recipe.show(&kept.note.settings);
        self.train(Some(kept));
    }
}
