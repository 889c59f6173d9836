//! A finished classifier, opened for `predict` and `evaluate`.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use emberlab_core::data::Task;
use emberlab_core::model::{Classifier, Prediction};
use emberlab_core::text::{Encoding, Texts};

use crate::cli::{DEFAULT_MAX_LENGTH, InferenceArgs};
use crate::hub::{self, Kind};
use crate::report::{counted, note, short};
use crate::{device, embedded, files, progress, run_folder};

/// A classifier on its device, with the lengths that texts and batches are to have.
pub struct Inference {
    pub classifier: Classifier,
    max_length: usize,
    batch_size: usize,
}

impl Inference {
    /// Opens the classifier in `model`, or the embedded one.
    pub fn open(model: Option<&Path>, args: &InferenceArgs) -> Result<Self> {
        let chosen = device::choose(args.device.device)?;
        let folder = model.map_or_else(
            || embedded::find(embedded::CLASSIFIER, "--model DIR"),
            |dir| hub::folder(dir, Kind::Model),
        )?;
        let (classifier, _) = Classifier::open(&files::read_model(&folder)?, &chosen.device)?;
        let classifier = args.device.apply(classifier);
        note(format_args!("model   {}", folder.display()));
        note(format_args!("device  {chosen}"));
        let usual = run_folder::max_length(&folder).unwrap_or(DEFAULT_MAX_LENGTH);
        let max_length = max_length(args.max_length, usual, &classifier)?;
        Ok(Self { classifier, max_length, batch_size: args.batch_size })
    }

    /// Tokens at which a text is cut.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// The predictions for `texts`, in their order.
    pub fn predict(&self, texts: &Texts) -> Result<Vec<Prediction>> {
        let started = Instant::now();
        let encodings = encode(&self.classifier, texts, self.max_length)?;
        let cut = encodings.iter().filter(|encoding| encoding.truncated).count();
        if cut > 0 {
            note(format_args!("cut     {} at {} tokens", counted(cut, "text"), self.max_length));
        }
        let bar = progress::texts(texts.len());
        let predicting = self
            .classifier
            .predict(&encodings, self.batch_size, |done| bar.set_position(done as u64));
        let predictions = pollster::block_on(predicting);
        bar.finish_and_clear();
        let predictions = predictions?;
        let rate = texts.len() as f64 / started.elapsed().as_secs_f64();
        let (texts, took) = (counted(texts.len(), "text"), short(started.elapsed()));
        note(format_args!("done    {texts} in {took}, {rate:.0} a second"));
        Ok(predictions)
    }
}

/// Texts or pairs as token ids of a classifier's tokenizer.
///
/// # Errors
/// The model has no embedding for what pairs need.
pub fn encode(classifier: &Classifier, texts: &Texts, max_length: usize) -> Result<Vec<Encoding>> {
    let tokenizer = classifier.tokenizer();
    if classifier.task() == Task::TokenClassification && texts.words.is_empty() {
        return Ok(tokenizer.encode_with_words(&texts.first, max_length)?);
    }
    let encodings = tokenizer.encode_texts(texts, max_length)?;
    // Single texts are checked when a model is opened.
    let config = classifier.config();
    let beyond = |ids: &[u32], rows| ids.iter().any(|&id| id as usize >= rows);
    if let Some(first) = encodings.first().filter(|_| !texts.second.is_empty()) {
        let types = config.token_types().unwrap_or(usize::MAX);
        ensure!(
            !beyond(&first.type_ids, types) && !beyond(&first.ids, config.vocab_size),
            "this model takes no pairs of texts (type_vocab_size is {}); name one column with --text-column",
            config.type_vocab_size
        );
    }
    Ok(encodings)
}

/// Tokens at which a text is cut: as asked for, else as usual or what the model can read if that is
/// less.
///
/// # Errors
/// More was asked for than the model can read.
pub fn max_length(asked: Option<usize>, usual: usize, classifier: &Classifier) -> Result<usize> {
    let limit = classifier.max_length();
    match asked {
        Some(length) if length > limit => {
            bail!("max_length = {length}: the model reads at most {limit} tokens")
        }
        Some(length) => Ok(length),
        None => Ok(usual.min(limit)),
    }
}
