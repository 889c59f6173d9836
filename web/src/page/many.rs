//! Many texts at once: pasted lines or a file in, a table and a CSV file out.

use super::{
    Page,
    dom::{all, append, by_id, on, set, settle, show},
    download,
    text::{counted, decimal, digits, fill, number, percent, text},
};
use crate::messages::{Example, ModelInfo, Prediction, Request, Response};
use js_sys::Promise;
use std::{
    cell::{Cell, RefCell},
    future::ready,
    rc::Rc,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    Element, Event, File, HtmlButtonElement, HtmlElement, HtmlInputElement, HtmlProgressElement,
    HtmlTextAreaElement,
};

/// Texts to a request: between two of them the page draws, and another text can be classified.
const PORTION: usize = 32;
/// Rows that the table shows; the file has all.
const SHOWN: usize = 100;

pub struct Many {
    text: HtmlTextAreaElement,
    classify: HtmlButtonElement,
    stop: HtmlButtonElement,
    download: HtmlButtonElement,
    progress: HtmlProgressElement,
    said: Element,
    results: HtmlElement,
    rows: Element,
    stopped: Cell<bool>,
    csv: RefCell<String>,
}

impl Many {
    pub fn new() -> Self {
        Self {
            text: by_id("many-text"),
            classify: by_id("many-classify"),
            stop: by_id("many-stop"),
            download: by_id("many-download"),
            progress: by_id("many-progress"),
            said: by_id("many-said"),
            results: by_id("many-results"),
            rows: by_id("many-rows"),
            stopped: Cell::new(false),
            csv: RefCell::default(),
        }
    }

    pub fn listen(page: &Rc<Page>) {
        let many = &page.many;
        let clicked = page.clone();
        on(&many.classify, "click", move |_: Event| {
            let text = clicked.many.text.value();
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let rows = lines.map(|line| Example { text: line.into(), label: None }).collect();
            begin(&clicked, ready(Ok(rows)));
        });
        let picked = page.clone();
        on_file("many-file", move |file| {
            let page = picked.clone();
            begin(&picked, async move {
                page.engines.read_rows(Request::ReadFile { name: file.name() }, Some(file)).await
            });
        });
        let stopped = page.clone();
        on(&many.stop, "click", move |_: Event| stopped.many.stopped.set(true));
        let saved = page.clone();
        on(&many.download, "click", move |_: Event| {
            download::save("classified.csv", &download::text_file(&saved.many.csv.borrow()));
        })
    }

    pub fn say(&self, what: &str) {
        self.said.set_text_content(Some(what));
    }

    /// Writes again what depends on the language; what was said is not said again.
    pub fn render(&self) {
        self.say("");
        for cell in all("#many-rows [data-score]") {
            if let Some(score) = cell.get_attribute("data-score").and_then(|it| number(&it)) {
                cell.set_text_content(Some(&percent(score, 1)));
            }
        }
    }

    /// Nothing else can be begun while texts are being classified.
    fn busy(&self, busy: bool) {
        self.classify.set_disabled(busy);
        by_id::<HtmlInputElement>("many-file").set_disabled(busy);
        self.stop.set_disabled(!busy);
        self.download.set_disabled(busy || self.csv.borrow().is_empty());
    }

    fn add(&self, model: &ModelInfo, text: &str, prediction: &Prediction) {
        let (answer, score) = answered(model, prediction);
        if self.rows.child_element_count() < SHOWN as u32 {
            let row = append(&self.rows, "tr", "", "");
            append(&row, "td", "text", text);
            append(&row, "td", "", answer.as_deref().unwrap_or_default());
            let shown = |score: f32| match &*model.task {
                REGRESSION => decimal(score.into(), 4),
                _ => percent(score.into(), 1),
            };
            let cell = append(&row, "td", "number", &score.map_or_else(String::new, shown));
            // What is told again in another language.
            if let Some(score) = score.filter(|_| model.task != REGRESSION) {
                set(&cell, &[("data-score", &digits(score.into()))]);
            }
        }
        let answer = answer.map(|answer| download::csv_cell(&answer));
        let numbers = score.iter().chain(&prediction.probabilities);
        let numbers = numbers.map(|&number| digits(number.into()));
        let cells = std::iter::once(download::csv_cell(text)).chain(answer).chain(numbers);
        let line = cells.collect::<Vec<_>>().join(",");
        self.csv.borrow_mut().push_str(&[&line, "\n"].concat());
    }

    /// The columns of `emberlab predict --output …csv`.
    fn reset(&self, model: &ModelInfo) {
        self.rows.set_text_content(None);
        let own: &[&str] = match &*model.task {
            MULTI_LABEL => &["text", "labels"],
            REGRESSION => &["text", "score"],
            _ => &["text", "label", "score"],
        };
        let classes = model.labels.iter().filter(|_| model.task != REGRESSION);
        let classes = classes.map(|label| download::csv_cell(&["p_", label].concat()));
        let columns: Vec<String> = own.iter().copied().map(String::from).chain(classes).collect();
        *self.csv.borrow_mut() = columns.join(",") + "\n";
    }
}

const MULTI_LABEL: &str = "multi_label_classification";
const REGRESSION: &str = "regression";

/// What a model says of a text: a class with its probability, all labels that are more probable than
/// not, or a score.
fn answered(model: &ModelInfo, prediction: &Prediction) -> (Option<String>, Option<f32>) {
    let probabilities = &prediction.probabilities;
    match &*model.task {
        REGRESSION => (None, prediction.logits.first().copied()),
        MULTI_LABEL => {
            let labels = model.labels.iter().zip(&prediction.logits);
            let given: Vec<&str> =
                labels.filter(|(_, logit)| **logit > 0.0).map(|(label, _)| &**label).collect();
            (Some(given.join("|")), None)
        }
        _ => {
            let labels = model.labels.iter().zip(probabilities);
            let best = labels.reduce(|best, next| if next.1 > best.1 { next } else { best });
            (best.map(|(label, _)| label.clone()), best.map(|(_, score)| *score))
        }
    }
}

/// Calls `take` with each file that is picked with this input.
pub fn on_file(id: &str, take: impl Fn(File) + 'static) {
    let input: HtmlInputElement = by_id(id);
    on(&input.clone(), "change", move |_: Event| {
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            take(file);
        }
        input.set_value(""); // so that the same file can be picked again
    })
}

fn begin(page: &Rc<Page>, rows: impl Future<Output = Result<Vec<Example>, String>> + 'static) {
    let page = page.clone();
    spawn_local(async move {
        page.many.busy(true);
        page.many.stopped.set(false);
        let done = match rows.await {
            Ok(rows) => classify(&page, &rows).await,
            Err(message) => Err(message),
        };
        if let Err(message) = done {
            page.many.say(&message);
        }
        page.many.busy(false);
    });
}

async fn classify(page: &Page, rows: &[Example]) -> Result<(), String> {
    let many = &page.many;
    let open = page.engines.opened()?;
    if rows.is_empty() {
        return Err(text("many.nothing"));
    }
    many.reset(&open.info);
    show(&many.results, true);
    let so_far = |key: &str, done: usize| {
        fill(key, &[("done", &done.to_string()), ("all", &rows.len().to_string())])
    };
    let (mut milliseconds, mut cut, mut done) = (0.0, 0, 0);
    for portion in rows.chunks(PORTION) {
        if many.stopped.get() {
            break;
        }
        let texts = portion.iter().map(|row| row.text.clone()).collect();
        let answer = page.engines.ask(&Request::Classify { texts }).await;
        if !Rc::ptr_eq(&page.engines.opened()?, &open) {
            return Err(so_far("many.another", done));
        }
        let Response::Classified(answer) = answer? else { return Err(text("engine.odd")) };
        for (row, prediction) in portion.iter().zip(&answer.predictions) {
            cut += usize::from(prediction.truncated);
            many.add(&open.info, &row.text, prediction);
        }
        milliseconds += answer.milliseconds;
        done += portion.len();
        many.progress.set_value(done as f64 / rows.len() as f64);
        many.say(&so_far("many.so_far", done));
        // The engine's lock is not fair: whoever waits for it comes next. A timer would do, too, but fires
        // once a second in a tab that nobody looks at.
        let _ = settle(Promise::resolve(&JsValue::UNDEFINED)).await;
    }
    let each = decimal(milliseconds / done.max(1) as f64, 1);
    let mut said =
        [counted("many.done", done), " ".into(), fill("many.each", &[("ms", &each)])].concat();
    if cut > 0 {
        said = [said, " ".into(), counted("many.cut", cut)].concat();
    }
    many.say(&said);
    Ok(())
}
