//! The works that can be asked for; what is loaded for one stays loaded for the next request.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use emberlab_bench::{encodings, endless_recipe, open};
use emberlab_core::model::Classifier;
use emberlab_core::train::Trainer;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::matmul::matmul;

/// One line of input.
#[derive(Deserialize)]
#[serde(tag = "work", rename_all = "lowercase")]
pub enum Request {
    /// Logits of one batch, in inference mode.
    Forward { model: PathBuf, ids: Vec<Vec<u32>>, iterations: usize },
    /// Optimizer steps, each on `batch` of the rows.
    Train {
        model: PathBuf,
        ids: Vec<Vec<u32>>,
        labels: Vec<usize>,
        batch: usize,
        iterations: usize,
    },
    /// `[m, k] · [k, n]` in f32.
    Matmul { m: usize, k: usize, n: usize, iterations: usize },
}

#[derive(Default)]
pub struct Works {
    classifiers: HashMap<PathBuf, Classifier>,
    trainers: HashMap<PathBuf, Trainer>,
}

impl Works {
    /// Does what is asked for; `ms` in the answer is the time of each iteration.
    pub fn answer(&mut self, request: &Request) -> Result<Value> {
        match request {
            Request::Forward { model, ids, iterations } => self.forward(model, ids, *iterations),
            Request::Train { model, ids, labels, batch, iterations } => {
                self.train(model, ids, labels, *batch, *iterations)
            }
            Request::Matmul { m, k, n, iterations } => Ok(multiply([*m, *k, *n], *iterations)),
        }
    }

    fn forward(&mut self, model: &Path, ids: &[Vec<u32>], iterations: usize) -> Result<Value> {
        let classifier = self.classifier(model)?;
        let rows = encodings(ids);
        let mut predictions = Vec::new();
        let ms = timed(iterations, || {
            predictions = pollster::block_on(classifier.predict(&rows, rows.len(), |_| {}))?;
            Ok(())
        })?;
        let logits: Vec<Vec<f32>> = predictions.into_iter().map(|row| row.logits).collect();
        Ok(json!({ "ms": ms, "logits": logits }))
    }

    fn train(
        &mut self,
        model: &Path,
        ids: &[Vec<u32>],
        labels: &[usize],
        batch: usize,
        iterations: usize,
    ) -> Result<Value> {
        if !self.trainers.contains_key(model) {
            let recipe = endless_recipe(ids.len(), batch)?;
            let trainer = Trainer::new(open(model)?, encodings(ids), labels.to_vec(), recipe)?;
            self.trainers.insert(model.to_path_buf(), trainer);
        }
        let trainer = self.trainers.get_mut(model).context("the trainer was just made")?;
        let mut loss = None;
        let ms = timed(iterations, || {
            trainer.step()?;
            loss = pollster::block_on(trainer.read_loss())?;
            Ok(())
        })?;
        Ok(json!({ "ms": ms, "loss": loss }))
    }

    fn classifier(&mut self, model: &Path) -> Result<&Classifier> {
        if !self.classifiers.contains_key(model) {
            self.classifiers.insert(model.to_path_buf(), open(model)?);
        }
        self.classifiers.get(model).context("the classifier was just opened")
    }
}

fn multiply(shape: [usize; 3], iterations: usize) -> Value {
    let [m, k, n] = shape;
    let ramp = |len: usize| (0..len).map(|i| (i % 17) as f32 / 17.0 - 0.5).collect::<Vec<_>>();
    let (left, right, mut out) = (ramp(m * k), ramp(k * n), vec![0.0; m * n]);
    let mut ms = Vec::with_capacity(iterations);
    for _ in 0..iterations {
        let started = Instant::now();
        matmul(&left, &right, &mut out, shape);
        ms.push(started.elapsed().as_secs_f64() * 1e3);
    }
    json!({ "ms": ms, "sum": out.iter().sum::<f32>() })
}

/// Milliseconds of each of `iterations` calls.
fn timed(iterations: usize, mut work: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    let mut ms = Vec::with_capacity(iterations);
    for _ in 0..iterations {
        let started = Instant::now();
        work()?;
        ms.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(ms)
}
