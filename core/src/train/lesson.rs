//! One batch taken through a fine-tuning, with all numbers on the way: what a course draws on slides.
//!
//! There is no dropout, so that each number follows from the one before it.

mod parts;
mod run;

use burn::module::Module;
use serde::Serialize;

pub use self::{parts::PartGradient, run::LessonStep};
use self::{
    parts::{parts, squares},
    run::Run,
};
use super::{LabelledRows, TrainConfig, gradients, targets::checked};
use crate::{
    Error, Result,
    data::{Dataset, Targets},
    model::{
        BertForSequenceClassification, Classifier, HostTensor, Prediction, Reads, some_weights,
    },
    text::Tokenized,
};

/// Rows of the batch at most, and tokens of a row: what can be looked at.
const MAX_ROWS: usize = 64;
const MAX_LENGTH: usize = 128;
/// Values of a tensor that are quoted.
const QUOTED: usize = 6;

/// Everything that happens to a batch, in this order.
#[derive(Clone, Debug, Serialize)]
pub struct Lesson {
    /// The classes in id order.
    pub labels: Vec<String>,
    pub rows: Vec<LessonRow>,
    /// The mean of the rows' losses.
    pub loss: f32,
    /// The gradient's L2 norm in each part of the model, from the embeddings to the classifier.
    pub gradients: Vec<PartGradient>,
    /// That of all parts together.
    pub gradient_norm: f32,
    /// Weights of the classifier before and after one optimizer step at the highest learning rate.
    pub weights: Vec<WeightChange>,
    /// A run from the same start, each step on the same batch.
    pub steps: Vec<LessonStep>,
}

/// A text, and what becomes of it.
#[derive(Clone, Debug, Serialize)]
pub struct LessonRow {
    pub text: String,
    pub label: usize,
    /// Padded to the longest row, as are the two below.
    pub tokens: Vec<String>,
    pub input_ids: Vec<u32>,
    pub attention_mask: Vec<u32>,
    pub before: Prediction,
    pub predicted: usize,
    /// Cross-entropy, in nats.
    pub loss: f32,
    /// After all steps.
    pub after: Prediction,
    pub predicted_after: usize,
}

/// Some values of a parameter, under the name that PyTorch has for them.
#[derive(Clone, Debug, Serialize)]
pub struct WeightChange {
    /// `classifier.bias[:6]`
    pub name: String,
    pub before: Vec<f32>,
    pub gradient: Vec<f32>,
    pub after: Vec<f32>,
}

/// Takes the rows of `dataset`, as one batch, through `config.epochs` steps. Without `zero_grad` the
/// gradients of all steps so far add up, as PyTorch's do where nobody calls `optimizer.zero_grad()`.
/// The classifier stays as it is.
///
/// # Errors
/// [`Error::BadSetting`] for a recipe, rows or labels out of range; [`Error::Device`] if the device fails.
pub async fn lesson(
    classifier: &Classifier,
    dataset: &Dataset,
    config: &TrainConfig,
    zero_grad: bool,
) -> Result<Lesson> {
    config.check()?;
    let texts = &dataset.texts.first;
    let (tables, rows) = tokenized(classifier, dataset)?;
    let LabelledRows { encodings, targets } = &rows;
    let before = classifier.predict(encodings, encodings.len(), |_| {}).await?;
    let (loss, tensors) = gradients(classifier, encodings, targets).await?;
    let total: f64 = tensors.iter().map(squares).sum();

    let mut once = Run::new(classifier, encodings, targets, config);
    once.step(config.learning_rate, true).await?;
    let weights = changes(classifier, &once.model, &tensors, targets.ids()[0]).await?;
    drop(once);

    let mut run = Run::new(classifier, encodings, targets, config);
    let mut steps = Vec::with_capacity(config.epochs);
    for step in 0..config.epochs {
        let learning_rate = config.learning_rate_at(step, config.epochs);
        steps.push(run.step(learning_rate, zero_grad).await?);
    }
    let after = Classifier { model: run.model.valid(), setup: classifier.setup.clone() };
    let after = after.predict(encodings, encodings.len(), |_| {}).await?;

    let longest = tables.iter().map(Tokenized::len).max().unwrap_or(0);
    let pad = classifier.setup.pad_token_id();
    let pad_token = classifier.tokenizer().token(pad).unwrap_or_default();
    let mut told = Vec::with_capacity(texts.len());
    for (index, (mut table, (before, after))) in
        tables.into_iter().zip(before.into_iter().zip(after)).enumerate()
    {
        table.pad(longest, &pad_token, pad);
        let label = targets.ids()[index];
        told.push(LessonRow {
            text: texts[index].clone(),
            label,
            tokens: table.tokens,
            input_ids: table.input_ids,
            attention_mask: table.attention_mask,
            loss: cross_entropy(&before.logits, label),
            predicted: before.label(),
            before,
            predicted_after: after.label(),
            after,
        });
    }
    Ok(Lesson {
        labels: classifier.label_map().names().to_vec(),
        rows: told,
        loss,
        gradients: parts(&tensors),
        gradient_norm: total.sqrt() as f32,
        weights,
        steps,
    })
}

fn tokenized(classifier: &Classifier, dataset: &Dataset) -> Result<(Vec<Tokenized>, LabelledRows)> {
    let texts = &dataset.texts.first;
    let bad = |value: usize, reason: &str| {
        Err(Error::BadSetting { name: "rows", value: value.to_string(), reason: reason.into() })
    };
    if texts.len() > MAX_ROWS {
        return bad(texts.len(), &format!("a lesson is one batch of at most {MAX_ROWS}"));
    }
    if !matches!(dataset.targets, Targets::Labels(_)) || !dataset.texts.second.is_empty() {
        return bad(texts.len(), "a lesson is about single texts with one label each");
    }
    let max_length = classifier.max_length().min(MAX_LENGTH);
    let table = |text: &String| classifier.tokenizer().explain(text, None, max_length);
    let tables = texts.iter().map(table).collect::<Result<Vec<_>>>()?;
    let encodings = tables.iter().map(Tokenized::encoding).collect();
    let rows = LabelledRows { encodings, targets: dataset.targets.clone() };
    Ok((tables, checked(rows, &classifier.setup)?))
}

/// `ln Σ exp(logits) − logits[label]`
fn cross_entropy(logits: &[f32], label: usize) -> f32 {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|logit| (logit - highest).exp()).sum();
    highest + sum.ln() - logits[label]
}

/// What one step does to the classifier's bias, and to the weights of the class `label`.
async fn changes(
    classifier: &Classifier,
    after: &BertForSequenceClassification,
    gradients: &[HostTensor],
    label: usize,
) -> Result<Vec<WeightChange>> {
    let family = classifier.config().family;
    let keys = ["classifier.bias", "classifier.weight"].map(|path| family.key(path, Reads::Text));
    let wanted = |key: &str| keys.iter().any(|known| known == key);
    let before = some_weights(&classifier.model, &wanted).await?;
    let after = some_weights(&after.valid(), &wanted).await?;
    let quoted = |tensors: &[HostTensor], key: &String| -> Vec<f32> {
        let Some(tensor) = tensors.iter().find(|tensor| tensor.key == *key) else {
            return Vec::new();
        };
        let width = tensor.shape.get(1).copied().unwrap_or(0);
        tensor.values.iter().skip(label * width).take(QUOTED).copied().collect()
    };
    let named = [format!("{}[:{QUOTED}]", keys[0]), format!("{}[{label}, :{QUOTED}]", keys[1])];
    let change = |(key, name): (&String, String)| WeightChange {
        name,
        before: quoted(&before, key),
        gradient: quoted(gradients, key),
        after: quoted(&after, key),
    };
    Ok(keys.iter().zip(named).map(change).collect())
}
