//! candle's side of the forward rows: candle-transformers' BERT with the pooler and the head that
//! it leaves out, on the CPU. Requests and answers as of every peer; see `bench/README.md`.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use candle::{DType, Device, Tensor};
use candle_nn::{Linear, Module, VarBuilder, linear};
use candle_transformers::models::bert::{BertModel, Config};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(tag = "work", rename_all = "lowercase")]
enum Request {
    Forward { model: PathBuf, ids: Vec<Vec<u32>>, iterations: usize },
}

struct Classifier {
    bert: BertModel,
    pooler: Linear,
    head: Linear,
}

impl Classifier {
    fn open(folder: &Path) -> Result<Self> {
        let config = fs::read(folder.join("config.json")).context("config.json")?;
        let labels = serde_json::from_slice::<Value>(&config)?["id2label"]
            .as_object()
            .context("config.json has no id2label")?
            .len();
        let config: Config = serde_json::from_slice(&config)?;
        let weights = fs::read(folder.join("model.safetensors")).context("model.safetensors")?;
        let vb = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
        let hidden = config.hidden_size;
        Ok(Self {
            bert: BertModel::load(vb.pp("bert"), &config)?,
            pooler: linear(hidden, hidden, vb.pp("bert.pooler.dense"))?,
            head: linear(hidden, labels, vb.pp("classifier"))?,
        })
    }

    /// Logits `[batch, classes]` of ids `[batch, seq]` without padding.
    fn forward(&self, ids: &Tensor, type_ids: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let hidden = self.bert.forward(ids, type_ids, Some(mask))?;
        let first = hidden.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?;
        Ok(self.head.forward(&self.pooler.forward(&first)?.tanh()?)?)
    }
}

fn main() -> Result<()> {
    let mut models = HashMap::new();
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = answer(&line?, &mut models)
            .unwrap_or_else(|error| json!({ "error": format!("{error:#}") }));
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn answer(line: &str, models: &mut HashMap<PathBuf, Classifier>) -> Result<Value> {
    let Request::Forward { model, ids, iterations } = serde_json::from_str(line)?;
    if !models.contains_key(&model) {
        models.insert(model.clone(), Classifier::open(&model)?);
    }
    let classifier = models.get(&model).context("the model was just opened")?;
    let ids = Tensor::new(ids, &Device::Cpu)?;
    let (type_ids, mask) = (ids.zeros_like()?, ids.ones_like()?);
    let (mut ms, mut logits) = (Vec::new(), Vec::new());
    for _ in 0..iterations {
        let started = Instant::now();
        logits = classifier.forward(&ids, &type_ids, &mask)?.to_vec2::<f32>()?;
        ms.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(json!({ "ms": ms, "logits": logits }))
}
