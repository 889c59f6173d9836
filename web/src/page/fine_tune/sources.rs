//! The ways in which rows come: typed, pasted, from a file, or a set that comes with the page.

use super::{
    super::{
        dom::{by_id, number_at, on, settle, window},
        many::on_file,
        text::{counted, fill, text},
    },
    FineTune,
};
use crate::messages::{Example, Request, describe};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    Blob, Element, Event, EventTarget, File, HtmlInputElement, HtmlTextAreaElement, MouseEvent,
    Response,
};

/// Sets that come with the page.
const READY: [(&str, &str); 2] =
    [("ready-emotions", "data/emotions/train.jsonl"), ("ready-spam", "data/spam/train.jsonl")];

pub fn listen(fine_tune: &Rc<FineTune>) {
    listen_for_typing(fine_tune);
    listen_for_pasting(fine_tune);
    let picked = fine_tune.clone();
    on_file("rows-file", move |file| read(&picked, async { Ok(file) }));
    for (id, address) in READY {
        let clicked = fine_tune.clone();
        on(&by_id::<EventTarget>(id), "click", move |_: Event| read(&clicked, fetch(address)));
    }
    let cleared = fine_tune.clone();
    on(&by_id::<EventTarget>("rows-clear"), "click", move |_: Event| {
        cleared.change_rows(|rows| {
            rows.list.clear();
            rows.unsplit = true;
        });
        cleared.table.say("");
    });
    listen_for_changes(fine_tune)
}

/// A row is typed above the table; Enter adds it and the next text can be typed.
fn listen_for_typing(fine_tune: &Rc<FineTune>) {
    let (text_input, label_input): (HtmlInputElement, HtmlInputElement) =
        (by_id("row-text"), by_id("row-label"));
    let typed = fine_tune.clone();
    on(&by_id::<EventTarget>("row-form"), "submit", move |event: Event| {
        event.prevent_default();
        let (typed_text, label) = (text_input.value(), label_input.value());
        if typed_text.trim().is_empty() || label.trim().is_empty() {
            typed.table.say(&text("rows.both"));
            let missing = if typed_text.trim().is_empty() { &text_input } else { &label_input };
            let _ = missing.focus();
            return;
        }
        let row = Example { text: typed_text.trim().into(), label: Some(label.trim().into()) };
        typed.add(vec![row]);
        text_input.set_value("");
        let _ = text_input.focus();
    })
}

fn listen_for_pasting(fine_tune: &Rc<FineTune>) {
    let area: HtmlTextAreaElement = by_id("paste");
    let label: HtmlInputElement = by_id("paste-label");
    let clicked = fine_tune.clone();
    on(&by_id::<EventTarget>("paste-add"), "click", move |_: Event| {
        let (fine_tune, area, label) = (clicked.clone(), area.clone(), label.value());
        spawn_local(async move {
            let request = Request::ReadPasted { text: area.value() };
            match fine_tune.page.engines.read_rows(request, None).await {
                Ok(rows) => {
                    let label = Some(label.trim().to_string()).filter(|label| !label.is_empty());
                    let labelled = |row: Example| Example {
                        label: row.label.or_else(|| label.clone()),
                        ..row
                    };
                    fine_tune.add(rows.into_iter().map(labelled).collect());
                    area.set_value("");
                }
                Err(message) => fine_tune.table.say(&message),
            }
        });
    })
}

/// Typing into the table, and turning its pages.
fn listen_for_changes(fine_tune: &Rc<FineTune>) {
    let changed = fine_tune.clone();
    on(&fine_tune.table.body, "change", move |event: Event| {
        let Some(row) = number_at(event.target(), "data-row") else { return };
        let Some(input) = event.target().and_then(|it| it.dyn_into::<HtmlInputElement>().ok())
        else {
            return;
        };
        match input.get_attribute("data-part").as_deref() {
            Some("text") => changed.edit_rows(|rows| rows.set_text(row, input.value())),
            Some("label") => changed.edit_rows(|rows| rows.set_label(row, &input.value())),
            _ => {}
        }
    });
    let clicked = fine_tune.clone();
    on(&fine_tune.table.body, "click", move |event: MouseEvent| {
        let target: Option<Element> = event.target().and_then(|it| it.dyn_into().ok());
        let part = target.and_then(|target| target.get_attribute("data-part"));
        if let (Some("remove"), Some(row)) =
            (part.as_deref(), number_at(event.target(), "data-row"))
        {
            clicked.remove(row);
        }
    });
    for (button, back) in [(&fine_tune.table.before, true), (&fine_tune.table.after, false)] {
        let turned = fine_tune.clone();
        on(button, "click", move |_: Event| {
            turned.table.turn(back);
            turned.render();
        });
    }
}

/// Adds the rows of a file, once it is there.
fn read(fine_tune: &Rc<FineTune>, file: impl Future<Output = Result<File, String>> + 'static) {
    let fine_tune = fine_tune.clone();
    spawn_local(async move {
        fine_tune.table.say(&text("rows.reading"));
        let rows = match file.await {
            Ok(file) => {
                let request = Request::ReadFile { name: file.name() };
                fine_tune.page.engines.read_rows(request, Some(file)).await
            }
            Err(message) => Err(message),
        };
        match rows {
            Ok(rows) => fine_tune.add(rows),
            Err(message) => fine_tune.table.say(&message),
        }
    });
}

async fn fetch(address: &'static str) -> Result<File, String> {
    let failed = |why: String| fill("model.not_loaded", &[("file", address), ("why", &why)]);
    let response: Response =
        settle(window().fetch_with_str(address)).await.map_err(failed)?.unchecked_into();
    if !response.ok() {
        let status = response.status().to_string();
        return Err(failed(fill("model.status", &[("n", &status)])));
    }
    let blob = settle(response.blob().map_err(|error| describe(&error))?).await.map_err(failed)?;
    let parts = js_sys::Array::of1(blob.unchecked_ref::<Blob>());
    let name = address.rsplit('/').next().unwrap_or(address);
    File::new_with_blob_sequence(&parts, name).map_err(|error| describe(&error))
}

/// `60 rows were added.`
pub fn added(rows: usize) -> String {
    counted("rows.added", rows)
}
