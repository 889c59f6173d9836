//! What the buttons of a training do.

use super::{
    super::{
        dom::{by_id, on},
        folder,
        model::Model,
        text::{fill, percent, text},
    },
    FineTune,
    kept::{self, Note},
    progress::duration,
    recipe::Start,
    rows::Labelled,
    run::{self, News, Outcome, Plan, Wish},
};
use std::{cell::RefCell, future::ready, rc::Rc};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, HtmlButtonElement};

/// The folder that a fresh start begins with.
const BASE: &str = "models/bert-tiny";

/// What the last training has brought.
pub struct Last {
    pub outcome: Outcome,
    pub held_out: Labelled,
    /// The model that it began with, opened for the labels.
    pub start: Model,
    pub started_from_open: bool,
}

pub struct Buttons {
    train: HtmlButtonElement,
    pause: HtmlButtonElement,
    stop: HtmlButtonElement,
    back: HtmlButtonElement,
}

impl Buttons {
    pub fn new() -> Self {
        Self {
            train: by_id("train"),
            pause: by_id("pause"),
            stop: by_id("stop"),
            back: by_id("back"),
        }
    }
}

/// Keeps what a reload would lose. Where it cannot be kept, only that is lost.
fn keep(note: Option<Note>, step: usize, zip: JsValue) {
    if let Some(note) = note {
        let note = Note { step, ..note };
        spawn_local(async move { drop(kept::keep(&note, zip.unchecked_ref()).await) });
    }
}

impl FineTune {
    pub fn listen_for_training(self: &Rc<Self>) {
        let Buttons { train, pause, stop, back } = &self.buttons;
        let clicked = self.clone();
        on(train, "click", move |_: Event| clicked.train());
        let clicked = self.clone();
        on(pause, "click", move |_: Event| {
            let pausing = clicked.wish.get() == Wish::GoOn;
            clicked.wish.set(if pausing { Wish::Pause } else { Wish::GoOn });
            clicked.progress.say(&text(if pausing { "training.paused" } else { "training.runs" }));
            clicked.show_buttons();
        });
        let clicked = self.clone();
        on(stop, "click", move |_: Event| clicked.wish.set(Wish::Stop));
        let clicked = self.clone();
        on(back, "click", move |_: Event| clicked.back_to_the_start())
    }

    /// Whether a training runs, in a word.
    pub fn state(&self) -> String {
        match (self.running.get(), self.wish.get()) {
            (false, _) => String::new(),
            (true, Wish::Pause) => text("training.paused"),
            (true, _) => text("training.runs"),
        }
    }

    pub fn show_buttons(&self) {
        let Buttons { train, pause, stop, back } = &self.buttons;
        let running = self.running.get();
        train.set_disabled(running);
        pause.set_disabled(!running);
        stop.set_disabled(!running);
        back.set_disabled(!running && self.last.borrow().is_none());
        let paused = running && self.wish.get() == Wish::Pause;
        pause.set_text_content(Some(&text(if paused {
            "training.resume"
        } else {
            "training.pause"
        })));
        self.outcome.train_on.set_disabled(running);
    }

    pub fn train(self: &Rc<Self>) {
        if self.running.replace(true) {
            return;
        }
        self.wish.set(Wish::GoOn);
        self.show_buttons();
        let fine_tune = self.clone();
        spawn_local(async move {
            let ended = fine_tune.train_once().await;
            // After a failure, such as a GPU that is lost, a reload offers what is kept.
            if ended.is_ok() {
                kept::forget().await;
            }
            fine_tune.running.set(false);
            fine_tune.show_buttons();
            if let Err(message) = ended {
                fine_tune.progress.say(&fill("training.failed", &[("why", &message)]));
            }
        });
    }

    async fn train_once(self: &Rc<Self>) -> Result<(), String> {
        self.review().await?;
        let plan = self.plan().await?;
        let (kind, start) = (plan.kind, plan.model.clone());
        let held_out = plan.held_out.clone();
        let started_from_open = matches!(self.recipe.start(), Start::Open);
        self.progress.clear();
        self.progress.say(&text("training.opening"));
        let recipe = self.recipe.clone();
        let choose = move |model: &_| {
            let part = recipe.part(model, kind);
            (part, recipe.settings(part))
        };
        let rows = self.rows.borrow().list.clone();
        let note = RefCell::new(None);
        let tell = |news| {
            self.progress.tell(&news);
            match news {
                News::Begun { total_steps, steps_per_epoch, settings, .. } => {
                    let rows = rows.clone();
                    *note.borrow_mut() =
                        Some(Note { rows, settings, step: 0, total_steps, steps_per_epoch });
                }
                News::Weights { step, zip } => keep(note.borrow().clone(), step, zip),
                _ => {}
            }
        };
        let outcome = run::train(plan, &self.wish, choose, &tell).await?;
        let Some(outcome) = outcome else {
            self.progress.clear();
            self.progress.say(&text("training.at_start"));
            return Ok(());
        };
        self.finish(Last { outcome, held_out, start, started_from_open });
        Ok(())
    }

    /// The trained model is opened like any other, so that what answers from now on is what is saved.
    fn finish(self: &Rc<Self>, last: Last) {
        let Outcome { before, after, zip, milliseconds, steps, .. } = &last.outcome;
        let values = [
            ("before", percent(before.accuracy, 0)),
            ("after", percent(after.accuracy, 0)),
            ("steps", steps.to_string()),
            ("time", duration(milliseconds / 1000.0)),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        self.progress.say(&fill("training.done", &values));
        let name = self.name();
        self.page.compare.offer_before(Model { name: name.clone(), ..last.start.clone() });
        self.page.open(ready(Ok(Model::zip(&name, zip.clone()))));
        self.outcome.render(&last.outcome, &self.rows.borrow(), &last.held_out);
        *self.last.borrow_mut() = Some(last);
    }

    async fn plan(&self) -> Result<Plan, String> {
        let (train, held_out) = (self.rows.borrow().train(), self.rows.borrow().held_out());
        if self.rows.borrow().counts().len() < 2 || held_out.texts.is_empty() {
            return Err(text("training.too_few"));
        }
        let model = match self.recipe.start() {
            Start::Base => folder::open(BASE).await?,
            Start::Open => self.page.engines.open_files()?,
            Start::Picked(model) => model,
        };
        let labels = [&train.labels[..], &held_out.labels].concat();
        let model = model.for_training(labels, self.recipe.seed());
        Ok(Plan { kind: self.page.engines.kind(), model, train, held_out })
    }

    /// Ends a training, forgets what it brought, and opens again what it began with.
    fn back_to_the_start(self: &Rc<Self>) {
        self.wish.set(Wish::Drop);
        if let Some(last) = self.last.borrow_mut().take() {
            if last.started_from_open {
                self.page.open(ready(Ok(last.start.as_it_is())));
            } else {
                self.page.open(folder::wished());
            }
        }
        self.outcome.clear();
        self.progress.clear();
        self.progress.say(&text("training.at_start"));
        self.show_buttons();
    }
}
