//! The page: views that know the document, engines that know the workers, and this module between
//! them.

mod adapter;
mod bars;
mod check;
mod compare;
mod dom;
mod download;
mod engine;
mod engines;
mod fine_tune;
mod folder;
mod gallery;
mod many;
mod model;
mod most;
mod one;
mod pick;
mod status;
mod teach;
mod text;
mod views;

use crate::messages::ModelInfo;
use compare::Compare;
use dom::{by_id, on};
use engines::Engines;
use fine_tune::FineTune;
use gallery::Gallery;
use many::Many;
use model::Model;
use one::One;
use status::Status;
use std::rc::Rc;
use text::{fill, text};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, HtmlSelectElement};

/// What all views share, and the views that classify.
pub struct Page {
    status: Status,
    engines: Engines,
    backend: HtmlSelectElement,
    one: One,
    compare: Compare,
    many: Many,
    gallery: Gallery,
}

/// Wires up the page and opens the first model.
pub fn start() {
    std::panic::set_hook(Box::new(|panic| web_sys::console::error_1(&panic.to_string().into())));
    spawn_local(async {
        for code in [text::preferred(), text::LANGUAGES[0]] {
            match text::speak(code).await {
                Ok(()) => break,
                Err(message) => web_sys::console::error_1(&message.into()),
            }
        }
        Page::new().begin();
    });
}

impl Page {
    fn new() -> Rc<Self> {
        Rc::new(Self {
            status: Status::new(),
            engines: Engines::default(),
            backend: by_id("backend"),
            one: One::new(),
            compare: Compare::new(),
            many: Many::new(),
            gallery: Gallery::new(),
        })
    }

    fn begin(self: Rc<Self>) {
        self.listen();
        teach::listen(&self);
        views::listen();
        FineTune::listen(&self);
        self.render();
        let page = self.clone();
        spawn_local(async move { page.engines.warm_up().await });
        self.open(folder::wished());
    }

    fn listen(self: &Rc<Self>) {
        One::listen(self);
        Compare::listen(self);
        Many::listen(self);
        Gallery::listen(self);
        pick::listen(self);
        let page = self.clone();
        on(&self.backend, "change", move |_: Event| {
            page.start_webgpu();
            one::classify(&page);
        });
        let language: HtmlSelectElement = by_id("language");
        language.set_value(&text::spoken());
        let (page, chosen) = (self.clone(), language.clone());
        on(&language, "change", move |_: Event| {
            let (page, chosen) = (page.clone(), chosen.clone());
            spawn_local(async move {
                let code = chosen.value();
                page.status.problem("");
                if let Err(why) = text::choose(&code).await {
                    let file = [&*code, ".json"].concat();
                    let values = [("file", &*file), ("why", &*why)];
                    page.status.problem(&fill("model.not_loaded", &values));
                    chosen.set_value(&text::spoken());
                }
            });
        });
        let page = self.clone();
        text::on_change(move || {
            page.many.render();
            page.render();
            one::classify(&page);
        });
    }

    /// What depends on the language and on the open model.
    fn render(&self) {
        let open = self.engines.model().map(|model| model.name).unwrap_or_default();
        self.gallery.render(&open);
        self.compare.render(&open);
        self.status.render();
    }

    /// Opens a model once its files are found. What is wrong with it is said, and then the model
    /// from before stays.
    fn open(self: &Rc<Self>, model: impl Future<Output = Result<Model, String>> + 'static) {
        let page = self.clone();
        spawn_local(async move {
            page.status.problem("");
            page.status.busy(&text("status.opening"));
            let previous = page.engines.open_files().ok();
            let opened = match model.await {
                Ok(model) => page.engines.open(model).await,
                Err(message) => Err(message),
            };
            match opened {
                Ok(model) => {
                    page.compare.offer_previous(previous);
                    page.welcome(&model)
                }
                Err(message) => page.status.problem(&message),
            }
            if page.engines.model().is_none() {
                page.status.busy(&text("status.no_model"));
            }
            one::classify(&page);
        });
    }

    fn welcome(self: &Rc<Self>, model: &ModelInfo) {
        self.one.clear(model.labels.len());
        self.render();
        Compare::renew(self);
        self.start_webgpu();
    }

    /// Brings up WebGPU where the choice `Backend` allows it, lets it take over, and says when and
    /// why it is not in use.
    fn start_webgpu(self: &Rc<Self>) {
        let attempt = self.engines.stop_webgpu();
        self.status.note("", "");
        let backend = self.backend.value();
        if backend == "cpu" || self.engines.model().is_none() {
            return;
        }
        let page = self.clone();
        spawn_local(async move {
            page.status.note("webgpu.looking", "");
            let ending = match page.engines.start_webgpu(attempt, backend == "webgpu").await {
                Ok(engine) => {
                    page.status.note("", "");
                    one::classify(&page);
                    engine.died().await
                }
                Err(reason) => reason,
            };
            if page.engines.is_present(attempt) {
                page.engines.stop_webgpu();
                page.status.note("webgpu.cpu_answers", &ending);
                one::classify(&page);
            }
        });
    }
}
