//! What the buttons of a training do.

use super::{
    super::{
        dom::{by_id, on},
        folder,
        model::Model,
        text::{fill, percent, text},
    },
    FineTune,
    kept::{self, Kept, Note},
    progress::duration,
    recipe::{Part, Start},
    rows::Labelled,
    run::{self, News, Outcome, Plan, Wish},
};
use std::{cell::RefCell, future::ready, rc::Rc};
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

impl FineTune {
    pub fn listen_for_training(self: &Rc<Self>) {
        let Buttons { train, pause, stop, back } = &self.buttons;
        let clicked = self.clone();
        on(train, "click", move |_: Event| clicked.train(None));
        let clicked = self.clone();
        on(pause, "click", move |_: Event| {
            let pausing = clicked.wish.get() == Wish::GoOn;
            clicked.wish.set(if pausing { Wish::Pause } else { Wish::GoOn });
            clicked.progress.say(&text(if pausing { "training.paused" } else { "training.runs" }));
            clicked.show_buttons();
        });
        let clicked = self.clone();
        on(stop, "click", move |_: Event| clicked.end(Wish::Stop));
        let clicked = self.clone();
        on(back, "click", move |_: Event| clicked.back_to_the_start())
    }

    fn end(&self, wish: Wish) {
        self.wish.set(wish);
        self.show_buttons();
    }

    /// Where the training stands.
    pub fn state(&self) -> String {
        match (self.running.get(), self.wish.get()) {
            (false, _) => self.done().unwrap_or_default(),
            (true, Wish::Pause) => text("training.paused"),
            (true, _) => text("training.runs"),
        }
    }

    pub fn show_buttons(&self) {
        let Buttons { train, pause, stop, back } = &self.buttons;
        let running = self.running.get();
        train.set_disabled(running);
        // What is about to end cannot be paused: it would go on.
        pause.set_disabled(!running || matches!(self.wish.get(), Wish::Stop | Wish::Drop));
        stop.set_disabled(!running);
        back.set_disabled(!running && self.last.borrow().is_none());
        let paused = running && self.wish.get() == Wish::Pause;
        pause.set_text_content(Some(&text(if paused {
            "training.resume"
        } else {
            "training.pause"
        })));
        self.outcome.train_on.set_disabled(running);
        self.interrupted.go_on.set_disabled(running);
    }

    /// Trains as the page says, or goes on with what an interruption has left.
    pub fn train(self: &Rc<Self>, kept: Option<Kept>) {
        let is_valid = kept.is_some() || self.recipe.is_valid();
        if !is_valid || self.running.replace(true) {
            return;
        }
        self.wish.set(Wish::GoOn);
        self.show_buttons();
        let fine_tune = self.clone();
        spawn_local(async move {
            let ended = fine_tune.train_once(kept).await;
            fine_tune.running.set(false);
            fine_tune.show_buttons();
            if let Err(message) = ended {
                // The engine's sentences have no full stop, the page's have one.
                let stop = if message.ends_with(['.', '?']) { "" } else { "." };
                let why = [&*message, stop].concat();
                fine_tune.progress.say(&fill("training.failed", &[("why", &why)]));
            }
        });
    }

    async fn train_once(self: &Rc<Self>, kept: Option<Kept>) -> Result<(), String> {
        self.review().await?;
        let settings = kept.as_ref().map(|kept| kept.note.settings.clone());
        let plan = self.plan(kept).await?;
        let (kind, start) = (plan.kind, plan.model.clone());
        self.measured.borrow_mut().clone_from(&plan.held_out);
        let started_from_open = settings.is_none() && matches!(self.recipe.start(), Start::Open);
        self.progress.clear();
        self.progress.say(&text("training.opening"));
        let recipe = self.recipe.clone();
        let goes_on = settings.is_some();
        let choose = move |model: &_| match settings.clone() {
            Some(settings) => (Part::of(&settings), settings),
            None => {
                let part = recipe.part(model, kind);
                (part, recipe.settings(part))
            }
        };
        let rows = self.rows.borrow().list.clone();
        // What the training begins with, until it is kept.
        let first = RefCell::new(None);
        let tell = |news| {
            self.progress.tell(&news);
            match news {
                News::Begun { total_steps, settings, .. } if !goes_on => {
                    let (rows, model_name) = (rows.clone(), start.name.clone());
                    let note = Note { rows, settings, total_steps, model_name };
                    *first.borrow_mut() = Some((note, start.files.clone()));
                }
                News::State { step, state } => {
                    let first = first.take();
                    if first.is_some() {
                        self.interrupted.take(); // this one is kept in its place
                    }
                    kept::keep(first, step, &state)
                }
                _ => {}
            }
        };
        let outcome = run::train(plan, &self.wish, choose, &tell).await?;
        if let Some(outcome) = outcome {
            let held_out = self.measured.take();
            self.finish(Last { outcome, held_out, start, started_from_open });
        } else {
            self.progress.clear();
            self.progress.say(&text("training.at_start"));
        }
        // Not after a failure, such as a GPU that is lost: a reload offers what is kept.
        if first.take().is_none() {
            spawn_local(kept::forget());
        }
        Ok(())
    }

    /// What is said of a training that has ended.
    fn done(&self) -> Option<String> {
        let last = self.last.borrow();
        let Outcome { before, after, milliseconds, steps, .. } = &last.as_ref()?.outcome;
        let values = [
            ("before", percent(before.accuracy, 0)),
            ("after", percent(after.accuracy, 0)),
            ("steps", steps.to_string()),
            ("time", duration(milliseconds / 1000.0)),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        Some(fill("training.done", &values))
    }

    /// The trained model is opened like any other, so that what answers from now on is what is saved.
    fn finish(self: &Rc<Self>, last: Last) {
        let name = self.name();
        self.page.compare.offer_before(Model { name: name.clone(), ..last.start.clone() });
        self.page.open(ready(Ok(Model::zip(&name, last.outcome.zip.clone()))));
        self.outcome.render(&last.outcome, &self.rows.borrow(), &last.held_out);
        *self.last.borrow_mut() = Some(last);
        self.progress.say(&self.done().unwrap_or_default());
    }

    /// Fetched once a visit.
    async fn base(&self) -> Result<Model, String> {
        if let Some(model) = self.base.borrow().clone() {
            return Ok(model);
        }
        let model = folder::open(BASE).await?;
        *self.base.borrow_mut() = Some(model.clone());
        Ok(model)
    }

    async fn plan(&self, kept: Option<Kept>) -> Result<Plan, String> {
        let (train, held_out) = (self.rows.borrow().train(), self.rows.borrow().held_out());
        if self.rows.borrow().counts().len() < 2 || held_out.texts.is_empty() {
            return Err(text("training.too_few"));
        }
        let (model, states) = match (kept, self.recipe.start()) {
            (Some(Kept { model, states, .. }), _) => (model, states),
            (None, Start::Base) => (self.base().await?, vec![]),
            (None, Start::Open) => (self.page.engines.open_files()?, vec![]),
            (None, Start::Picked(model)) => (model, vec![]),
        };
        let states = states.into_iter().map(|(_, state)| state).collect();
        let labels = [&train.labels[..], &held_out.labels].concat();
        let model = model.for_training(labels, self.recipe.seed());
        Ok(Plan { kind: self.page.engines.kind(), model, train, held_out, states })
    }

    /// Ends the training that runs; where none does, forgets what the last one brought, and opens again
    /// what it began with.
    fn back_to_the_start(self: &Rc<Self>) {
        if self.running.get() {
            return self.end(Wish::Drop);
        }
        if let Some(last) = self.last.borrow_mut().take() {
            if last.started_from_open {
                self.page.open(ready(Ok(last.start.for_predicting())));
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
