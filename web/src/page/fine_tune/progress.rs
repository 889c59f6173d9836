//! What a person sees of a training while it runs: figures and curves, all in places kept for them.

use super::{
    super::{
        dom::by_id,
        text::{counted, decimal, fill, percent, short, text},
    },
    curve::Curve,
    run::{News, Pace},
};
use crate::messages::Trained;
use std::cell::{Cell, RefCell};
use web_sys::{Element, HtmlProgressElement};

pub struct Progress {
    bar: HtmlProgressElement,
    said: Element,
    step: Element,
    epoch: Element,
    loss: Element,
    accuracy: Element,
    speed: Element,
    left: Element,
    losses: Curve,
    accuracies: Curve,
    /// What is trained, which stands there until the end.
    about: RefCell<String>,
    pace: RefCell<Pace>,
    steps: Cell<(usize, usize)>,
    taken: Cell<usize>,
    /// The newest state and accuracy, for the figures to be written again in another language.
    last: RefCell<Option<Trained>>,
    measured: Cell<Option<f64>>,
}

impl Progress {
    pub fn new() -> Self {
        Self {
            bar: by_id("training-progress"),
            said: by_id("training-said"),
            step: by_id("figure-step"),
            epoch: by_id("figure-epoch"),
            loss: by_id("figure-loss"),
            accuracy: by_id("figure-accuracy"),
            speed: by_id("figure-speed"),
            left: by_id("figure-left"),
            losses: Curve::new("curve-loss", None, true),
            accuracies: Curve::new("curve-accuracy", Some(100.0), false),
            about: RefCell::default(),
            pace: RefCell::default(),
            steps: Cell::new((0, 0)),
            taken: Cell::new(0),
            last: RefCell::default(),
            measured: Cell::new(None),
        }
    }

    /// Says where the training stands; read out by screen readers, so the figures are not said here.
    pub fn say(&self, what: &str) {
        self.said.set_text_content(Some(what));
    }

    pub fn clear(&self) {
        for figure in [&self.step, &self.epoch, &self.loss, &self.accuracy, &self.speed, &self.left]
        {
            figure.set_text_content(Some("–"));
        }
        self.bar.set_value(0.0);
        self.last.take();
        self.measured.take();
        self.losses.clear(0);
        self.accuracies.clear(0)
    }

    pub fn tell(&self, news: &News) {
        match news {
            News::Opened { new_head, part } => {
                let head = text(if *new_head { "training.new_head" } else { "training.kept_head" });
                let part = fill("training.part", &[("part", &text(part.key()))]);
                *self.about.borrow_mut() = [part, " ".into(), head].concat();
                self.say(&self.about.borrow());
            }
            News::Begun { total_steps, steps_per_epoch, learning_rate, step, .. } => {
                let rate = short(*learning_rate);
                self.say(
                    &[self.about.take(), " ".into(), fill("training.rate", &[("n", &rate)])]
                        .concat(),
                );
                self.steps.set((*total_steps, *steps_per_epoch));
                self.taken.set(*step);
                *self.pace.borrow_mut() = Pace::default();
                self.losses.clear(*total_steps);
                self.accuracies.clear(*total_steps)
            }
            News::Measured { step, accuracy } => {
                self.measured.set(Some(*accuracy));
                self.show_accuracy();
                self.accuracies.add(*step, accuracy * 100.0)
            }
            News::Trained(trained) => self.trained(trained),
            News::State { .. } => {}
        }
    }

    fn trained(&self, trained: &Trained) {
        let (total, _) = self.steps.get();
        let taken = trained.step - self.taken.replace(trained.step);
        let mut pace = self.pace.borrow_mut();
        pace.add(taken, trained);
        self.bar.set_value(trained.step as f64 / total.max(1) as f64);
        if let Some(loss) = trained.loss {
            self.losses.add(trained.step, loss.into());
        }
        *self.last.borrow_mut() = Some(trained.clone());
        if pace.is_due() || trained.done {
            self.show(trained, &pace);
        }
    }

    fn show(&self, trained: &Trained, pace: &Pace) {
        let (total, per_epoch) = self.steps.get();
        let of = |part: usize, whole: usize| {
            fill("figures.of", &[("part", &part.to_string()), ("whole", &whole.to_string())])
        };
        self.step.set_text_content(Some(&of(trained.step, total)));
        self.epoch.set_text_content(Some(&of(trained.epoch + 1, total / per_epoch.max(1))));
        if let Some(loss) = trained.loss {
            self.loss.set_text_content(Some(&decimal(loss.into(), 3)));
        }
        let speed = decimal(pace.rows_per_second(), 0);
        self.speed.set_text_content(Some(&fill("figures.rows_per_second", &[("n", &speed)])));
        self.left.set_text_content(Some(&duration(pace.seconds_for(total - trained.step))));
    }

    fn show_accuracy(&self) {
        if let Some(accuracy) = self.measured.get() {
            self.accuracy.set_text_content(Some(&percent(accuracy, 0)));
        }
    }

    /// Writes again what depends on the language.
    pub fn render(&self) {
        if let Some(trained) = &*self.last.borrow() {
            self.show(trained, &self.pace.borrow());
        }
        self.show_accuracy();
        self.losses.render();
        self.accuracies.render();
    }
}

/// `45 s`, `3 min`
pub fn duration(seconds: f64) -> String {
    match seconds.round() as usize {
        seconds @ 0..90 => counted("figures.seconds", seconds),
        seconds => counted("figures.minutes", (seconds + 30) / 60),
    }
}
