//! What is offered after a reload in the middle of a training.

use super::{
    super::{
        dom::{by_id, on, show},
        text::fill,
    },
    FineTune,
    kept::{self, Kept},
};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, EventTarget, HtmlElement};

/// Looks for a training that was interrupted, and offers to go on with it.
pub fn listen(fine_tune: &Rc<FineTune>) {
    let found: Rc<RefCell<Option<Kept>>> = Rc::default();
    let (offered, clicked) = (found.clone(), fine_tune.clone());
    on(&by_id::<EventTarget>("go-on"), "click", move |_: Event| {
        show(&by_id::<HtmlElement>("interrupted"), false);
        if let Some(kept) = offered.take() {
            clicked.go_on(kept);
        }
    });
    on(&by_id::<EventTarget>("discard"), "click", move |_: Event| {
        show(&by_id::<HtmlElement>("interrupted"), false);
        spawn_local(kept::forget());
    });
    spawn_local(async move {
        let Some(kept) = kept::find().await else { return };
        let Some(&(step, _)) = kept.states.first() else { return };
        let (step, total) = (step.to_string(), kept.note.total_steps.to_string());
        let said = fill("interrupted.said", &[("step", &step), ("total", &total)]);
        by_id::<HtmlElement>("interrupted-said").set_text_content(Some(&said));
        show(&by_id::<HtmlElement>("interrupted"), true);
        *found.borrow_mut() = Some(kept);
    });
}

impl FineTune {
    /// Goes on with a training as if nothing had interrupted it.
    fn go_on(self: &Rc<Self>, kept: Kept) {
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
