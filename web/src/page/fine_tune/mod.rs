//! The view that fine-tunes: rows, a recipe, a training, and what has come of it.

mod curve;
mod interrupted;
mod kept;
mod outcome;
mod progress;
mod recipe;
mod rows;
mod run;
mod sources;
mod table;
mod training;

use super::{
    Page,
    compare::Compare,
    dom::{by_id, focus, number_at, on, sleep},
    download,
    model::Model,
    text::{self, fill},
};
use crate::messages::{Example, Finding, Request};
use interrupted::Interrupted;
use outcome::OutcomeView;
use progress::Progress;
use recipe::Recipe;
use rows::{Labelled, Rows};
use run::Wish;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use table::Table;
use training::{Buttons, Last};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, EventTarget, HtmlSelectElement};

/// Share of each label's rows that is measured on rather than trained on.
const HELD_OUT: f64 = 0.2;
/// Time without a change after which the rows are looked over, in milliseconds.
const DEBOUNCE: i32 = 300;
pub struct FineTune {
    page: Rc<Page>,
    rows: RefCell<Rows>,
    findings: RefCell<Vec<Finding>>,
    table: Table,
    recipe: Rc<Recipe>,
    progress: Progress,
    outcome: OutcomeView,
    buttons: Buttons,
    interrupted: Interrupted,
    wish: Cell<Wish>,
    running: Cell<bool>,
    changes: Cell<u32>,
    /// The model that a fresh start begins with, once it was fetched.
    base: RefCell<Option<Model>>,
    /// The rows that the training which runs is measured on.
    measured: RefCell<Labelled>,
    /// What the last training has brought, the rows it was measured on, and the model it began with.
    last: RefCell<Option<Last>>,
}

impl FineTune {
    pub fn listen(page: &Rc<Page>) {
        let fine_tune = Rc::new(Self {
            page: page.clone(),
            rows: RefCell::default(),
            findings: RefCell::default(),
            table: Table::new(),
            recipe: Recipe::new(),
            progress: Progress::new(),
            outcome: OutcomeView::new(),
            buttons: Buttons::new(),
            interrupted: Interrupted::new(),
            wish: Cell::new(Wish::GoOn),
            running: Cell::new(false),
            changes: Cell::new(0),
            base: RefCell::default(),
            measured: RefCell::default(),
            last: RefCell::default(),
        });
        sources::listen(&fine_tune);
        interrupted::listen(&fine_tune);
        fine_tune.listen_for_training();
        fine_tune.listen_for_outcome();
        let spoken = fine_tune.clone();
        text::on_change(move || {
            spoken.table.say("");
            spoken.progress.say(&spoken.state());
            spoken.render();
        });
        fine_tune.render();
    }

    fn listen_for_outcome(self: &Rc<Self>) {
        let clicked = self.clone();
        on(&self.outcome.save, "click", move |_: Event| clicked.save());
        let clicked = self.clone();
        on(&by_id::<EventTarget>("see-both"), "click", move |_: Event| clicked.compare());
        let corrected = self.clone();
        on(&self.outcome.mistakes, "change", move |event: Event| {
            let choice = event.target().and_then(|it| it.dyn_into::<HtmlSelectElement>().ok());
            let place = number_at(event.target(), "data-place").unwrap_or(1);
            if let (Some(row), Some(choice)) = (number_at(event.target(), "data-row"), choice) {
                corrected.change_rows(|rows| rows.set_label(row, &choice.value()));
                corrected.table.say(&fill("mistakes.corrected", &[("n", &(row + 1).to_string())]));
                // What is no mistake any more is gone. The next one's choice does not get the focus: one more
                // arrow key would correct it, too.
                let same = ["#mistakes [data-row='", &row.to_string(), "']"].concat();
                let next = ["#mistakes li:nth-child(", &place.to_string(), ")"].concat();
                focus(&[&same, &next, "#train-on"]);
            }
        });
        let clicked = self.clone();
        on(&self.outcome.train_on, "click", move |_: Event| {
            clicked.recipe.start_from_open();
            clicked.train(None);
        })
    }

    /// The open model beside what the training began with, on a text that neither has learned.
    fn compare(&self) {
        if let Some(last) = &*self.last.borrow() {
            self.page.one.suggest(last.held_out.texts.first().map_or("", String::as_str));
            Compare::see_before(&self.page);
        }
    }

    fn add(self: &Rc<Self>, examples: Vec<Example>) {
        let added = examples.len();
        self.edit_rows(|rows| rows.add(examples));
        self.table.turn_to_end(&self.rows.borrow());
        self.render();
        self.table.say(&sources::added(added));
    }

    /// Removes a row; whatever knows the others by number follows.
    fn remove(self: &Rc<Self>, row: usize) {
        self.measured.borrow_mut().follow(row);
        if let Some(last) = &mut *self.last.borrow_mut() {
            last.held_out.follow(row);
        }
        self.change_rows(|rows| rows.remove(row));
        self.table.say(&fill("rows.removed", &[("n", &(row + 1).to_string())]));
        let same = ["#rows [data-row='", &row.to_string(), "'] .bare"].concat();
        focus(&[&same, "#rows tr:last-child .bare", "#row-text"]);
    }

    /// A change of the rows after which the table is drawn anew.
    fn change_rows(self: &Rc<Self>, change: impl FnOnce(&mut Rows)) {
        self.edit_rows(change);
        self.render();
    }

    /// A change that the table shows already: drawing it anew would take the focus away.
    fn edit_rows(self: &Rc<Self>, change: impl FnOnce(&mut Rows)) {
        change(&mut self.rows.borrow_mut());
        self.table.render_labels(&self.rows.borrow());
        self.recipe.suit(self.rows.borrow().list.len());
        self.review_soon();
    }

    fn review_soon(self: &Rc<Self>) {
        let change = self.changes.get() + 1;
        self.changes.set(change);
        let fine_tune = self.clone();
        spawn_local(async move {
            sleep(DEBOUNCE).await;
            let is_due = fine_tune.changes.get() == change && !fine_tune.running.get();
            if is_due && let Err(message) = fine_tune.review().await {
                fine_tune.table.say(&message);
            }
        });
    }

    /// Has the rows looked over, and split where that is due.
    async fn review(&self) -> Result<(), String> {
        let complete = self.rows.borrow().complete();
        let change = self.changes.get();
        let request = Request::Review {
            texts: complete.texts,
            labels: complete.labels,
            held_out: HELD_OUT,
            seed: self.recipe.seed(),
        };
        let reviewed = self.page.engines.review(&request).await?;
        if self.changes.get() != change {
            return Ok(()); // the rows have changed meanwhile; another look is on its way
        }
        let mut rows = self.rows.borrow_mut();
        if rows.unsplit {
            rows.split(&complete.rows, &reviewed);
        }
        *self.findings.borrow_mut() = reviewed.findings;
        let findings = self.findings.borrow();
        self.table.render_findings(&rows, &findings);
        self.table.show_use(&rows);
        Ok(())
    }

    fn render(&self) {
        let rows = self.rows.borrow();
        self.table.render(&rows);
        self.table.render_findings(&rows, &self.findings.borrow());
        self.progress.render();
        self.show_buttons();
        if let Some(last) = &*self.last.borrow() {
            self.outcome.render(&last.outcome, &rows, &last.held_out);
        }
    }

    fn save(&self) {
        if let Some(last) = &*self.last.borrow() {
            let name = [&self.name(), ".zip"].concat();
            download::save(&name, last.outcome.zip.unchecked_ref());
        }
    }

    /// A name that every file system takes.
    fn name(&self) -> String {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let typed = self.outcome.save_name.value();
        let name: String = typed.trim().chars().map(|c| if fits(c) { c } else { '-' }).collect();
        let name = name.trim_matches('.');
        if name.is_empty() { "my-model".into() } else { name.into() }
    }
}
