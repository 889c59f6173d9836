//! Another model beside the open one, on the same text: before and after a training, or any two.

use super::{
    Page,
    bars::Bars,
    dom::{append, by_id, on, set, show},
    engine::{Engine, Kind},
    engines::{PATIENCE, first, opened},
    folder, gallery,
    model::Model,
    one,
    text::{fill, text},
};
use crate::messages::{ModelInfo, Prediction, Request, Response};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlElement, HtmlSelectElement};

/// Choices that are no folder of the site: the strings that they are called by.
const BEFORE: &str = "compare.before";
const PREVIOUS: &str = "compare.previous";

pub struct Compare {
    controls: HtmlElement,
    choice: HtmlSelectElement,
    side: HtmlElement,
    open_name: HtmlElement,
    other_name: Element,
    said: Element,
    bars: Bars,
    /// What the last training began with, and what was open before the open model.
    before: RefCell<Option<Model>>,
    previous: RefCell<Option<Model>>,
    other: RefCell<Option<Rc<Other>>>,
    choices: Cell<u32>,
}

/// The other model, in an engine of its own for as long as it is chosen.
struct Other {
    engine: Engine,
    info: ModelInfo,
}

impl Compare {
    pub fn new() -> Self {
        Self {
            controls: by_id("compare-controls"),
            choice: by_id("compare"),
            side: by_id("other"),
            open_name: by_id("open-name"),
            other_name: by_id("other-name"),
            said: by_id("other-said"),
            bars: Bars::new("other-probabilities"),
            before: RefCell::default(),
            previous: RefCell::default(),
            other: RefCell::default(),
            choices: Cell::new(0),
        }
    }

    pub fn listen(page: &Rc<Page>) {
        let changed = page.clone();
        on(&page.compare.choice, "change", move |_: Event| choose(&changed));
    }

    /// Offers the model that was open until now, unless it comes with the page.
    pub fn offer_previous(&self, model: Option<Model>) {
        let is_own = |model: &Model| gallery::folders().all(|it| folder::name(&it) != model.name);
        *self.previous.borrow_mut() = model.filter(is_own);
    }

    /// Offers the model that a training began with; `start` has the name of what came of it.
    pub fn offer_before(&self, start: Model) {
        *self.before.borrow_mut() = Some(start);
    }

    /// Chooses what was offered with [`Compare::offer_before`].
    pub fn see_before(page: &Rc<Page>) {
        page.compare.choice.set_value(BEFORE);
        choose(page);
    }

    /// Opens again what is chosen, which may mean another model now.
    pub fn renew(page: &Rc<Page>) {
        if !page.compare.choice.value().is_empty() || page.compare.other.borrow().is_some() {
            choose(page);
        }
    }

    /// The choices there are beside the model with the name `open`.
    pub fn render(&self, open: &str) {
        let chosen = self.choice.value();
        self.choice.set_text_content(None);
        self.option("", &text("compare.none"));
        for folder in gallery::folders().filter(|folder| folder::name(folder) != open) {
            self.option(&folder, folder::name(&folder));
        }
        for (value, model) in [(BEFORE, &self.before), (PREVIOUS, &self.previous)] {
            if let Some(model) = &*model.borrow() {
                self.option(value, &called(value, &model.name));
            }
        }
        self.choice.set_value(&chosen);
        if self.choice.selected_index() < 0 {
            self.choice.set_value("");
        }
        show(&self.controls, self.choice.length() > 1);
        self.open_name.set_text_content(Some(open));
        self.name_other();
    }

    fn name_other(&self) {
        let choice = self.choice.value();
        let name = self.other.borrow().as_ref().map(|other| called(&choice, &other.info.name));
        self.other_name.set_text_content(name.as_deref());
    }

    fn option(&self, value: &str, name: &str) {
        set(&append(&self.choice, "option", "", name), &[("value", value)]);
    }

    /// Empties the list.
    pub fn clear(&self) {
        if let Some(other) = &*self.other.borrow() {
            self.bars.clear(other.info.labels.len());
        }
    }

    /// Has the other model, if there is one, classify a text, and shows its answer if that `is_due` by then.
    pub async fn classify(&self, text: &str, is_due: impl Fn() -> bool) {
        let Some(other) = self.other.borrow().clone() else { return };
        match other.classify(text).await {
            Ok(prediction) if is_due() && self.shows(&other) => {
                self.bars.show(&other.info.labels, &prediction.probabilities);
            }
            Ok(_) => {}
            Err(message) => self.say(&message),
        }
    }

    /// Has the other model answer a request.
    pub async fn ask(&self, request: &Request) -> Result<Response, String> {
        let other = self.other.borrow().clone().ok_or_else(|| text("status.no_model"))?;
        Ok(other.engine.ask(request, None, PATIENCE).await?)
    }

    fn shows(&self, other: &Rc<Other>) -> bool {
        self.other.borrow().as_ref().is_some_and(|shown| Rc::ptr_eq(shown, other))
    }

    fn say(&self, what: &str) {
        self.said.set_text_content(Some(what));
    }

    /// The model that is chosen; nothing where none is.
    async fn chosen(&self) -> Result<Option<Model>, String> {
        match &*self.choice.value() {
            "" => Ok(None),
            BEFORE => Ok(self.before.borrow().clone()),
            PREVIOUS => Ok(self.previous.borrow().clone()),
            folder => folder::open(folder).await.map(Some),
        }
    }
}

impl Other {
    async fn open(model: &Model) -> Result<Self, String> {
        let engine = Engine::spawn(Kind::Cpu)?;
        engine.ready(PATIENCE).await?;
        let answer = engine.ask(&model.request(), Some(&model.files), PATIENCE).await?;
        Ok(Self { engine, info: opened(answer)? })
    }

    async fn classify(&self, text: &str) -> Result<Prediction, String> {
        let request = Request::Classify { texts: vec![text.into()] };
        Ok(first(self.engine.ask(&request, None, PATIENCE).await?)?.0)
    }
}

/// What a model is called where it is this choice.
fn called(choice: &str, name: &str) -> String {
    match choice {
        BEFORE | PREVIOUS => fill(choice, &[("name", name)]),
        _ => name.into(),
    }
}

/// Opens what is chosen in place of what was chosen before.
fn choose(page: &Rc<Page>) {
    let page = page.clone();
    let choice = page.compare.choices.get() + 1;
    page.compare.choices.set(choice);
    spawn_local(async move {
        let compare = &page.compare;
        compare.other.take();
        compare.bars.clear(0);
        show(&compare.side, !compare.choice.value().is_empty());
        show(&compare.open_name, !compare.choice.value().is_empty());
        compare.say(&text("status.opening"));
        let opened = match compare.chosen().await {
            Ok(Some(model)) => Other::open(&model).await.map(Some),
            Ok(None) => Ok(None),
            Err(message) => Err(message),
        };
        if compare.choices.get() != choice {
            return; // another choice was made meanwhile
        }
        match opened {
            Ok(other) => {
                compare.say("");
                *compare.other.borrow_mut() = other.map(Rc::new);
                compare.name_other();
                one::classify(&page);
            }
            Err(message) => compare.say(&message),
        }
    });
}
