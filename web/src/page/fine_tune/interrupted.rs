//! What is offered after a reload in the middle of a training.

use super::{
    super::{
        dom::{by_id, on, show},
        model::Model,
        text::fill,
    },
    FineTune,
    kept::{self, Note},
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, Event, EventTarget, HtmlElement};

/// Looks for a training that was interrupted, and offers to go on with it.
pub fn listen(fine_tune: &Rc<FineTune>) {
    let found: Rc<RefCell<Option<(Note, Blob)>>> = Rc::default();
    let (offered, clicked) = (found.clone(), fine_tune.clone());
    on(&by_id::<EventTarget>("go-on"), "click", move |_: Event| {
        show(&by_id::<HtmlElement>("interrupted"), false);
        if let Some((note, weights)) = offered.take() {
            clicked.go_on(note, weights);
        }
    });
    on(&by_id::<EventTarget>("discard"), "click", move |_: Event| {
        show(&by_id::<HtmlElement>("interrupted"), false);
        spawn_local(kept::forget());
    });
    spawn_local(async move {
        let Some((note, weights)) = kept::find().await else { return };
        let (step, total) = (note.step.to_string(), note.total_steps.to_string());
        let said = fill("interrupted.said", &[("step", &step), ("total", &total)]);
        by_id::<HtmlElement>("interrupted-said").set_text_content(Some(&said));
        show(&by_id::<HtmlElement>("interrupted"), true);
        *found.borrow_mut() = Some((note, weights));
    });
}

impl FineTune {
    /// Trains the kept weights on the kept rows for the steps that were left.
    fn go_on(self: &Rc<Self>, note: Note, weights: Blob) {
        self.edit_rows(|rows| {
            rows.list = note.rows;
            rows.unsplit = false;
        });
        self.table.turn_to_end(&self.rows.borrow());
        self.render();
        let left = (note.total_steps - note.step.min(note.total_steps)).max(1);
        let epochs = left.div_ceil(note.steps_per_epoch.max(1));
        let model = Model::zip(&self.name(), weights.into());
        self.recipe.restore(&note.settings, epochs, model);
        self.train();
    }
}
