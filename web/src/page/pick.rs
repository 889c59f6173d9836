//! A model that is picked or dropped: files, a folder, or a zip of one.

use super::{
    Page,
    dom::{by_id, on, root},
    model::{self, Model},
};
use std::{future::ready, rc::Rc};
use web_sys::{DragEvent, Event, HtmlInputElement};

pub fn listen(page: &Rc<Page>) {
    for id in ["open-files", "open-folder"] {
        let page = page.clone();
        on_model(id, move |model| page.open(ready(Ok(model))));
    }
    listen_for_drops(page)
}

/// Calls `take` with each model that is picked with this input.
pub fn on_model(id: &str, take: impl Fn(Model) + 'static) {
    let input: HtmlInputElement = by_id(id);
    on(&input.clone(), "change", move |_: Event| {
        if let Some(files) = input.files().filter(|files| files.length() > 0) {
            take(Model::picked(&files));
        }
        input.set_value(""); // so that the same files can be picked again
    })
}

fn listen_for_drops(page: &Rc<Page>) {
    let root = root();
    for (event, over) in [("dragover", true), ("dragleave", false), ("drop", false)] {
        let classes = root.class_list();
        on(&root, event, move |event: DragEvent| {
            event.prevent_default();
            let _ = classes.toggle_with_force("dropping", over);
        });
    }
    let page = page.clone();
    on(&root, "drop", move |event: DragEvent| {
        let Some(data) = event.data_transfer() else { return };
        let entries = model::entries(&data.items());
        match data.files().filter(|files| files.length() > 0) {
            _ if !entries.is_empty() => page.open(Model::dropped(entries)),
            Some(files) => page.open(ready(Ok(Model::picked(&files)))),
            None => {}
        }
    })
}
