//! What a person chooses about a training: where it starts, what is trained, and the recipe.

use super::super::{
    dom::{by_id, on, show},
    engine::Kind,
    model::Model,
    pick::on_model,
    text::{self, short},
};
use crate::messages::{ModelInfo, TrainSettings};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use web_sys::{Event, HtmlElement, HtmlInputElement, HtmlSelectElement};

/// Weights that a device trains as a whole in a time worth waiting for: on the CPU twice bert-tiny's,
/// and less than MiniLM's; on a GPU BERT-base's.
const WHOLE_ON_CPU: usize = 10_000_000;
const WHOLE_ON_GPU: usize = 120_000_000;
/// Rows that a training goes over by default, some more than once, and the epochs that bound it.
const ROWS_TO_SEE: usize = 1000;
const EPOCHS: (usize, usize) = (3, 15);
/// Layers of [`Part::LastLayers`].
const LAST_LAYERS: usize = 2;
const SEED: u64 = 42;

/// What of a model is trained.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Part {
    Whole,
    LastLayers,
    Head,
}

impl Part {
    fn trainable_layers(self) -> Option<usize> {
        match self {
            Part::Whole => None,
            Part::LastLayers => Some(LAST_LAYERS),
            Part::Head => Some(0),
        }
    }

    /// What these settings train.
    pub fn of(settings: &TrainSettings) -> Self {
        match settings.trainable_layers {
            None => Part::Whole,
            Some(0) => Part::Head,
            Some(_) => Part::LastLayers,
        }
    }

    /// The value of its option in `index.html`.
    fn value(self) -> &'static str {
        match self {
            Part::Whole => "whole",
            Part::LastLayers => "last",
            Part::Head => "head",
        }
    }

    /// The string that names it.
    pub fn key(self) -> &'static str {
        match self {
            Part::Whole => "recipe.part.whole",
            Part::LastLayers => "recipe.part.last",
            Part::Head => "recipe.part.head",
        }
    }
}

/// What a training starts from.
pub enum Start {
    /// The pretrained model that comes with the page.
    Base,
    Open,
    Picked(Model),
}

pub struct Recipe {
    start: HtmlSelectElement,
    part: HtmlSelectElement,
    epochs: HtmlInputElement,
    batch_size: HtmlInputElement,
    learning_rate: HtmlInputElement,
    max_length: HtmlInputElement,
    picked: RefCell<Option<Model>>,
    /// Whether the number of epochs was typed: then more rows do not change it.
    typed: Cell<bool>,
}

impl Recipe {
    pub fn new() -> Rc<Self> {
        let recipe = Rc::new(Self {
            start: by_id("start-from"),
            part: by_id("part"),
            epochs: by_id("epochs"),
            batch_size: by_id("batch-size"),
            learning_rate: by_id("learning-rate"),
            max_length: by_id("max-length"),
            picked: RefCell::default(),
            typed: Cell::new(false),
        });
        let typed = recipe.clone();
        on(&recipe.epochs, "input", move |_: Event| typed.typed.set(true));
        for id in ["start-folder", "start-files"] {
            let picked = recipe.clone();
            on_model(id, move |model| picked.pick(model));
        }
        recipe
    }

    /// Sets the number of epochs that suits so many rows, unless one was typed.
    pub fn suit(&self, rows: usize) {
        if !self.typed.get() {
            self.epochs.set_value(&epochs(rows).to_string());
        }
    }

    pub fn start(&self) -> Start {
        match (&*self.start.value(), self.picked.borrow().clone()) {
            ("open", _) => Start::Open,
            ("picked", Some(model)) => Start::Picked(model),
            _ => Start::Base,
        }
    }

    /// Starts from the open model from now on.
    pub fn start_from_open(&self) {
        self.start.set_value("open");
    }

    fn pick(&self, model: Model) {
        let option: HtmlElement = by_id("start-picked");
        option.set_text_content(Some(&model.name));
        show(&option, true);
        self.start.set_value("picked");
        *self.picked.borrow_mut() = Some(model);
    }

    /// What is trained of this model: as chosen, or what the device can do.
    pub fn part(&self, model: &ModelInfo, kind: Kind) -> Part {
        match &*self.part.value() {
            "whole" => Part::Whole,
            "last" => Part::LastLayers,
            "head" => Part::Head,
            _ => feasible(model.parameters, kind),
        }
    }

    /// Whether all numbers are such; the browser says what is wrong with the first that is none.
    pub fn is_valid(&self) -> bool {
        let numbers = [&self.epochs, &self.batch_size, &self.learning_rate, &self.max_length];
        numbers.into_iter().all(|number| number.report_validity())
    }

    /// What is left open is left to the engine's presets.
    pub fn settings(&self, part: Part) -> TrainSettings {
        let number = |input: &HtmlInputElement| input.value().trim().parse().ok();
        let learning_rate = self.learning_rate.value().replace(',', ".");
        TrainSettings {
            epochs: number(&self.epochs),
            batch_size: number(&self.batch_size),
            learning_rate: text::number(&learning_rate),
            seed: Some(SEED),
            max_length: number(&self.max_length),
            trainable_layers: part.trainable_layers(),
        }
    }

    /// Shows what an interrupted training has.
    pub fn show(&self, settings: &TrainSettings) {
        self.typed.set(true);
        for (input, value) in [
            (&self.epochs, settings.epochs),
            (&self.batch_size, settings.batch_size),
            (&self.max_length, settings.max_length),
        ] {
            input.set_value(&value.map(|value| value.to_string()).unwrap_or_default());
        }
        self.learning_rate.set_value(&settings.learning_rate.map(short).unwrap_or_default());
        self.part.set_value(Part::of(settings).value());
    }

    pub fn seed(&self) -> u64 {
        SEED
    }
}

fn epochs(rows: usize) -> usize {
    (ROWS_TO_SEE / rows.max(1)).clamp(EPOCHS.0, EPOCHS.1)
}

fn feasible(parameters: usize, kind: Kind) -> Part {
    let whole = if kind == Kind::Cpu { WHOLE_ON_CPU } else { WHOLE_ON_GPU };
    if parameters <= whole { Part::Whole } else { Part::Head }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_are_gone_over_more_often() {
        assert_eq!([60, 200, 3000].map(epochs), [15, 5, 3]);
    }

    #[test]
    fn the_cpu_trains_small_models_as_a_whole() {
        assert_eq!(feasible(4_400_000, Kind::Cpu), Part::Whole);
        assert_eq!(feasible(22_700_000, Kind::Cpu), Part::Head);
        assert_eq!(feasible(22_700_000, Kind::WebGpu), Part::Whole);
    }
}
