//! The page: views that know the document, engines that know the workers, and this module between
//! them.

mod adapter;
mod check;
mod classify;
mod dom;
mod engine;
mod engines;
mod model;
mod status;

use crate::messages::{ModelInfo, describe};
use classify::ClassifyView;
use dom::{by_id, document, on, sleep};
use engines::Engines;
use model::Model;
use status::Status;
use std::{cell::Cell, future::ready, rc::Rc};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{DragEvent, Event, HtmlInputElement, HtmlSelectElement};

/// Time without a keystroke after which a text is classified, in milliseconds.
const DEBOUNCE: i32 = 150;

struct Page {
    view: ClassifyView,
    status: Status,
    backend: HtmlSelectElement,
    engines: Engines,
    keystrokes: Cell<u32>,
    /// Whether a text waits to be classified, and whether one is being classified.
    wanted: Cell<bool>,
    busy: Cell<bool>,
}

/// Wires up the page and opens the first model.
pub fn start() {
    std::panic::set_hook(Box::new(|panic| web_sys::console::error_1(&panic.to_string().into())));
    if let Err(error) = Page::new().and_then(|page| page.begin()) {
        web_sys::console::error_1(&error);
    }
}

impl Page {
    fn new() -> Result<Rc<Self>, JsValue> {
        Ok(Rc::new(Self {
            view: ClassifyView::new()?,
            status: Status::new()?,
            backend: by_id("backend")?,
            engines: Engines::default(),
            keystrokes: Cell::new(0),
            wanted: Cell::new(false),
            busy: Cell::new(false),
        }))
    }

    fn begin(self: Rc<Self>) -> Result<(), JsValue> {
        self.listen()?;
        let page = self.clone();
        spawn_local(async move { page.engines.warm_up().await });
        self.open(Model::fetch());
        Ok(())
    }

    fn listen(self: &Rc<Self>) -> Result<(), JsValue> {
        let page = self.clone();
        on(&self.view.text, "input", move |_: Event| page.classify_soon())?;
        let page = self.clone();
        on(&self.view.button, "click", move |_: Event| page.classify())?;
        let page = self.clone();
        on(&self.backend, "change", move |_: Event| {
            page.start_webgpu();
            page.classify();
        })?;
        self.listen_for_files("open-files")?;
        self.listen_for_files("open-folder")?;
        self.listen_for_drops()
    }

    fn listen_for_files(self: &Rc<Self>, id: &str) -> Result<(), JsValue> {
        let input: HtmlInputElement = by_id(id)?;
        let page = self.clone();
        on(&input.clone(), "change", move |_: Event| {
            if let Some(model) =
                input.files().filter(|files| files.length() > 0).map(|files| Model::picked(&files))
            {
                page.open(ready(Ok(model)));
            }
            input.set_value(""); // so that the same files can be picked again
        })
    }

    fn listen_for_drops(self: &Rc<Self>) -> Result<(), JsValue> {
        let root = document()?.document_element().ok_or("no document")?;
        for (event, over) in [("dragover", true), ("dragleave", false), ("drop", false)] {
            let classes = root.class_list();
            on(&root, event, move |event: DragEvent| {
                event.prevent_default();
                let _ = classes.toggle_with_force("dropping", over);
            })?;
        }
        let page = self.clone();
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

    /// Opens a model once its files are found. What is wrong with it is said, and then the model
    /// from before stays.
    fn open(self: &Rc<Self>, model: impl Future<Output = Result<Model, String>> + 'static) {
        let page = self.clone();
        spawn_local(async move {
            page.status.problem("");
            page.status.busy("Opening the model …");
            let opened = match model.await {
                Ok(model) => page.engines.open(model).await,
                Err(message) => Err(message),
            };
            match opened {
                Ok(model) => page.welcome(&model),
                Err(message) => page.status.problem(&message),
            }
            if page.engines.model().is_none() {
                page.status.busy("No model is open.");
            }
            page.classify();
        });
    }

    fn welcome(self: &Rc<Self>, model: &ModelInfo) {
        let _ = self.view.clear(model.labels.len());
        self.start_webgpu();
    }

    /// Brings up WebGPU where the choice `Backend` allows it, lets it take over, and says when and
    /// why it is not in use.
    fn start_webgpu(self: &Rc<Self>) {
        let attempt = self.engines.stop_webgpu();
        self.status.note("");
        let backend = self.backend.value();
        if backend == "cpu" || self.engines.model().is_none() {
            return;
        }
        let page = self.clone();
        spawn_local(async move {
            page.status.note("Looking for a GPU; the CPU engine answers meanwhile.");
            let ending = match page.engines.start_webgpu(attempt, backend == "webgpu").await {
                Ok(engine) => {
                    page.status.note("");
                    page.classify();
                    engine.died().await
                }
                Err(reason) => reason,
            };
            if page.engines.is_present(attempt) {
                page.engines.stop_webgpu();
                let ending = ending.trim_end_matches('.');
                page.status.note(&format!("{ending}. The CPU engine answers."));
                page.classify();
            }
        });
    }

    fn classify_soon(self: &Rc<Self>) {
        let keystroke = self.keystrokes.get() + 1;
        self.keystrokes.set(keystroke);
        let page = self.clone();
        spawn_local(async move {
            sleep(DEBOUNCE).await;
            if page.keystrokes.get() == keystroke {
                page.classify();
            }
        });
    }

    /// Classifies the text in the box, after the one that is being classified now; those in between
    /// are skipped.
    fn classify(self: &Rc<Self>) {
        self.wanted.set(true);
        if self.busy.replace(true) {
            return;
        }
        let page = self.clone();
        spawn_local(async move {
            while page.wanted.replace(false) {
                if let Err(message) = page.classify_once().await {
                    page.status.busy(&message);
                }
            }
            page.busy.set(false);
        });
    }

    async fn classify_once(&self) -> Result<(), String> {
        let Some(model) = self.engines.model() else { return Ok(()) };
        let text = self.view.text.value();
        if text.trim().is_empty() {
            self.status.ready(&model, self.engines.kind());
            return self.view.clear(model.labels.len()).map_err(|error| describe(&error));
        }
        let answer = self.engines.classify(&text).await?;
        if self.view.text.value() != text {
            return Ok(()); // the newest text wins
        }
        self.status.classified(&answer.model, answer.kind, &answer.prediction, answer.milliseconds);
        self.view
            .show(&answer.model.labels, &answer.prediction.probabilities)
            .map_err(|error| describe(&error))
    }
}
