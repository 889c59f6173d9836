//! One training, in a worker of its own: the open model goes on answering meanwhile, and whatever a
//! training needed is given back when its worker ends.

use super::{
    super::{
        dom::{now, sleep},
        engine::{Engine, Failure, Kind},
        engines::PATIENCE,
        model::Model,
        text::text,
    },
    recipe::Part,
    rows::Labelled,
};
use crate::messages::{Evaluated, ModelInfo, Request, Response, TrainSettings, Trained};
use js_sys::Array;
use std::cell::Cell;
use wasm_bindgen::JsValue;

/// Time that one request for steps shall take, in milliseconds: short enough to stop at once.
const PORTION: f64 = 200.0;
const MOST_STEPS: usize = 50;
/// Time after which the state is kept again, in milliseconds: what a reload makes do again at most.
const KEEP_EVERY: f64 = 10_000.0;
/// Share of the time that keeping may take: a large model's state is hundreds of megabytes.
const KEEPING: f64 = 0.05;
/// Looks at the held-out rows, beside those before and after.
const LOOKS: usize = 8;

/// What a person wants of a training that runs.
#[derive(Clone, Copy, PartialEq)]
pub enum Wish {
    GoOn,
    Pause,
    Stop,
    /// Stop, and keep nothing.
    Drop,
}

pub struct Plan {
    pub kind: Kind,
    /// Opened for the labels of all rows.
    pub model: Model,
    pub train: Labelled,
    pub held_out: Labelled,
    /// States of this training, to go on from the newest that can be read.
    pub states: Vec<JsValue>,
}

/// What happens while a training runs.
pub enum News {
    Opened {
        new_head: bool,
        part: Part,
    },
    Begun {
        total_steps: usize,
        steps_per_epoch: usize,
        learning_rate: f64,
        settings: TrainSettings,
        /// Steps taken before an interruption.
        step: usize,
    },
    Trained(Trained),
    Measured {
        step: usize,
        accuracy: f64,
    },
    /// All of the training as it is now, as a `Blob`.
    State {
        step: usize,
        state: JsValue,
    },
}

/// What has come of it.
pub struct Outcome {
    pub labels: Vec<String>,
    pub before: Evaluated,
    pub after: Evaluated,
    /// A `Blob`
    pub zip: JsValue,
    /// Time in training steps, in milliseconds.
    pub milliseconds: f64,
    pub steps: usize,
}

pub struct Run<'a> {
    engine: Engine,
    plan: Plan,
    model: ModelInfo,
    wish: &'a Cell<Wish>,
    tell: &'a dyn Fn(News),
    settings: TrainSettings,
}

/// Trains as planned; nothing where it was dropped. `choose` says what of the opened model is trained.
pub async fn train(
    plan: Plan,
    wish: &Cell<Wish>,
    choose: impl Fn(&ModelInfo) -> (Part, TrainSettings),
    tell: &dyn Fn(News),
) -> Result<Option<Outcome>, String> {
    let engine = Engine::spawn(plan.kind)?;
    engine.ready(PATIENCE).await?;
    let opened = engine.ask(&plan.model.request(), Some(&plan.model.files), PATIENCE).await?;
    let Response::Opened { model, new_head } = opened else { return Err(text("engine.odd")) };
    let (part, settings) = choose(&model);
    tell(News::Opened { new_head, part });
    Run { engine, plan, model, wish, tell, settings }.run().await
}

impl Run<'_> {
    async fn run(self) -> Result<Option<Outcome>, String> {
        let before = self.measure(0).await?;
        let (texts, labels) = (self.plan.train.texts.clone(), self.ids(&self.plan.train));
        let request = Request::TrainStart { texts, labels, config: self.settings.clone() };
        let Response::TrainStarted { total_steps, steps_per_epoch, learning_rate, step } =
            self.start(&request).await?
        else {
            return Err(text("engine.odd"));
        };
        let settings = self.settings.clone();
        (self.tell)(News::Begun { total_steps, steps_per_epoch, learning_rate, settings, step });
        (self.tell)(News::Measured { step: 0, accuracy: before.accuracy });
        let (steps, milliseconds) = self.steps(step, total_steps).await?;
        if self.wish.get() == Wish::Drop {
            return Ok(None);
        }
        let after = self.measure(steps).await?;
        let zip = saved(self.ask(&Request::Save {}).await?)?;
        let labels = self.model.labels.clone();
        Ok(Some(Outcome { labels, before, after, zip, milliseconds, steps }))
    }

    /// Begins the training, from the newest state that can be read. A torn one, or one of another
    /// version of the page, costs what came after the one before it.
    async fn start(&self, request: &Request) -> Result<Response, String> {
        for state in &self.plan.states {
            let file = Array::of1(&Array::of2(&"state".into(), state));
            match self.engine.ask(request, Some(&file), PATIENCE).await {
                Err(Failure::Refused(_)) => {}
                answer => return Ok(answer?),
            }
        }
        self.ask(request).await
    }

    /// Takes all steps from `taken` on, or as many as are wished for; their number and their time.
    async fn steps(&self, taken: usize, total_steps: usize) -> Result<(usize, f64), String> {
        let look_every = total_steps.div_ceil(LOOKS).max(1);
        let (mut taken, mut milliseconds, mut count) = (taken, 0.0, 1);
        let (mut kept, mut kept_step, mut keep_every) = (now(), taken, KEEP_EVERY);
        while taken < total_steps {
            match self.wish.get() {
                Wish::GoOn => {}
                Wish::Pause if kept_step == taken => {
                    sleep(50).await;
                    continue;
                }
                Wish::Pause => kept = f64::NEG_INFINITY, // whoever pauses may close the lid
                Wish::Stop | Wish::Drop => break,
            }
            if now() - kept > keep_every && taken > kept_step {
                let began = now();
                let state = saved(self.ask(&Request::State {}).await?)?;
                (self.tell)(News::State { step: taken, state });
                (kept, kept_step) = (now(), taken);
                keep_every = KEEP_EVERY.max((kept - began) / KEEPING);
                continue;
            }
            // A portion ends where the held-out rows are looked at.
            let count_now = count.min(look_every - taken % look_every);
            let Response::Trained(trained) =
                self.ask(&Request::TrainSteps { count: count_now }).await?
            else {
                return Err(text("engine.odd"));
            };
            taken = trained.step;
            milliseconds += trained.milliseconds;
            let each = trained.milliseconds / count_now as f64;
            count = ((PORTION / each.max(0.1)) as usize).clamp(1, MOST_STEPS);
            (self.tell)(News::Trained(trained));
            if taken.is_multiple_of(look_every) && taken < total_steps {
                self.measure(taken).await?;
            }
        }
        Ok((taken, milliseconds))
    }

    /// How the present weights do on the held-out rows.
    async fn measure(&self, step: usize) -> Result<Evaluated, String> {
        let held_out = &self.plan.held_out;
        let request = Request::Evaluate {
            texts: held_out.texts.clone(),
            labels: self.ids(held_out),
            max_length: self.settings.max_length,
        };
        let Response::Evaluated(evaluated) = self.ask(&request).await? else {
            return Err(text("engine.odd"));
        };
        if step > 0 {
            (self.tell)(News::Measured { step, accuracy: evaluated.accuracy });
        }
        Ok(evaluated)
    }

    /// The ids that the opened model gives the labels of these rows.
    fn ids(&self, rows: &Labelled) -> Vec<usize> {
        let id = |label: &String| self.model.labels.iter().position(|known| known == label);
        rows.labels.iter().map(|label| id(label).unwrap_or(usize::MAX)).collect()
    }

    async fn ask(&self, request: &Request) -> Result<Response, String> {
        Ok(self.engine.ask(request, None, PATIENCE).await?)
    }
}

fn saved(response: Response) -> Result<JsValue, String> {
    match response {
        Response::Saved { file } => Ok(file),
        _ => Err(text("engine.odd")),
    }
}

/// How fast a training is, and how long it will take: over the last portions, without pauses.
#[derive(Default)]
pub struct Pace {
    /// Steps, rows and milliseconds of the last portions.
    last: Vec<(usize, usize, f64)>,
    told: f64,
}

impl Pace {
    const PORTIONS: usize = 20;

    pub fn add(&mut self, steps: usize, trained: &Trained) {
        self.last.push((steps, trained.rows, trained.milliseconds));
        if self.last.len() > Self::PORTIONS {
            self.last.remove(0);
        }
    }

    fn total(&self) -> (f64, f64, f64) {
        let add = |sum: (f64, f64, f64), &(steps, rows, ms): &(usize, usize, f64)| {
            (sum.0 + steps as f64, sum.1 + rows as f64, sum.2 + ms)
        };
        self.last.iter().fold((0.0, 0.0, 0.0), add)
    }

    pub fn rows_per_second(&self) -> f64 {
        let (_, rows, ms) = self.total();
        1000.0 * rows / ms.max(1.0)
    }

    pub fn seconds_for(&self, steps: usize) -> f64 {
        let (taken, _, ms) = self.total();
        steps as f64 * ms / taken.max(1.0) / 1000.0
    }

    /// Whether it is time to tell again: numbers that flicker cannot be read.
    pub fn is_due(&mut self) -> bool {
        let due = now() - self.told > 250.0;
        if due {
            self.told = now();
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_is_that_of_the_last_portions() {
        let trained = |rows, milliseconds| Trained {
            step: 0,
            epoch: 0,
            loss: None,
            done: false,
            rows,
            tokens: 0,
            milliseconds,
        };
        let mut pace = Pace::default();
        pace.add(1, &trained(8, 1e6));
        (0..Pace::PORTIONS).for_each(|_| pace.add(2, &trained(16, 100.0)));
        assert_eq!((pace.rows_per_second(), pace.seconds_for(40)), (160.0, 2.0));
    }
}
