//! `emberlab train --live`: what the page shows of a run under way. The training tells it, the server's
//! connections ask it.
//!
//! ```text
//! live/state.json      where the run stands, and the rows it was last wrong about
//! live/metrics.jsonl   its history, as in the run folder
//! live/newest.json     the folder with the weights of now, once the next step is done
//! live/120/…           that folder: a model as the page opens any
//! ```

mod state;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use emberlab_core::train::StepInfo;
use serde_json::{Value, json};

use self::state::State;
use crate::files::{self, METRICS};
use crate::run::record::{RunRecord, Status};
use crate::run::results::Measured;
use crate::terminal::progress::Speed;
use crate::train::plan::Plan;

/// Below this path stands all of it.
pub const FOLDER: &str = "live";
/// Weights are taken off the device no more often than this, however many ask.
const FRESH: Duration = Duration::from_secs(2);
/// How long a step may take before whoever waits for weights is told that there are none.
const PATIENCE: Duration = Duration::from_secs(60);
/// The page asks once a second: who asked this lately is told the end before the process goes.
const WATCHING: Duration = Duration::from_secs(3);

/// A run under way; clones are the same one.
#[derive(Clone)]
pub struct Live(Arc<Shared>);

struct Shared {
    metrics: PathBuf,
    state: Mutex<State>,
    /// Whether somebody waits for the weights of now.
    wanted: AtomicBool,
    newest: Mutex<Option<Model>>,
    given: Condvar,
    last_asked: Mutex<Option<Instant>>,
}

/// The model after a step, as files of a folder.
struct Model {
    step: usize,
    files: HashMap<String, Bytes>,
    since: Instant,
}

impl Live {
    /// Of the run in `folder`.
    pub fn new(folder: &Path, plan: &Plan, record: &RunRecord) -> Self {
        Self(Arc::new(Shared {
            metrics: folder.join(METRICS),
            state: Mutex::new(State::new(folder, plan, record)),
            wanted: AtomicBool::new(false),
            newest: Mutex::new(None),
            given: Condvar::new(),
            last_asked: Mutex::new(None),
        }))
    }

    /// One step is done, at this speed.
    pub fn step(&self, step: &StepInfo, speed: &Speed, loss: Option<f32>) {
        locked(&self.0.state).step(step, speed, loss);
    }

    /// Rows were measured.
    pub fn measured(&self, plan: &Plan, measured: &Measured) {
        locked(&self.0.state).measured(plan, measured);
    }

    /// Whether somebody waits for the weights.
    pub fn wants_model(&self) -> bool {
        self.0.wanted.load(SeqCst)
    }

    /// The model after `step`.
    pub fn give_model(&self, step: usize, files: Vec<(String, Vec<u8>)>) {
        let files = files.into_iter().map(|(name, bytes)| (name, bytes.into())).collect();
        *locked(&self.0.newest) = Some(Model { step, files, since: Instant::now() });
        self.0.wanted.store(false, SeqCst);
        self.0.given.notify_all();
    }

    /// The run is over; whoever watches hears of it before this returns.
    pub fn end(&self, status: Status) {
        locked(&self.0.state).status = status;
        drop(locked(&self.0.newest)); // whoever was about to wait waits by now
        self.0.given.notify_all();
        let is_watched = |asked: &Option<Instant>| asked.is_some_and(|it| it.elapsed() < WATCHING);
        let ended = Instant::now();
        while is_watched(&locked(&self.0.last_asked)) && ended.elapsed() < WATCHING {
            if locked(&self.0.last_asked).is_some_and(|asked| asked > ended) {
                thread::sleep(Duration::from_millis(100)); // for the answer to arrive
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// What stands at a path below the folder; nothing where there is no such thing.
    pub fn find(&self, path: &str) -> Option<Bytes> {
        match path {
            "state.json" => {
                let state = json_bytes(&*locked(&self.0.state));
                *locked(&self.0.last_asked) = Some(Instant::now());
                state
            }
            METRICS => files::read(&self.0.metrics).ok().map(Bytes::from),
            "newest.json" => json_bytes(&self.newest()),
            _ => {
                let (step, file) = path.split_once('/')?;
                let newest = locked(&self.0.newest);
                let model = newest.as_ref().filter(|model| model.step.to_string() == step)?;
                model.files.get(file).cloned()
            }
        }
    }

    /// Waits for the weights of now.
    fn newest(&self) -> Value {
        let is_over = || locked(&self.0.state).status != Status::Running;
        let is_fresh = |model: &Option<Model>| {
            model.as_ref().is_some_and(|model| model.since.elapsed() < FRESH)
        };
        let mut newest = locked(&self.0.newest);
        if !is_fresh(&newest) && !is_over() {
            self.0.wanted.store(true, SeqCst);
            let waits = |model: &mut Option<Model>| !is_fresh(model) && !is_over();
            let waited = self.0.given.wait_timeout_while(newest, PATIENCE, waits);
            newest = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        match &*newest {
            Some(Model { step, .. }) => {
                json!({ "folder": format!("{FOLDER}/{step}"), "step": step })
            }
            None => Value::Null,
        }
    }
}

fn json_bytes(value: &impl serde::Serialize) -> Option<Bytes> {
    serde_json::to_vec(value).ok().map(Bytes::from)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
