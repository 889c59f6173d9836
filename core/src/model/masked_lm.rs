//! A masked language model with its tokenizer: what is adapted to a domain, and fills masks.
//!
//! It is a classifier of tokens whose classes are the pieces of its vocabulary, and which sees the
//! masked tokens alone.

use burn::tensor::Device;
use serde::Serialize;

use super::{
    BertConfig, BertForSequenceClassification, Classifier, Family, Head, HostTensor, LoadReport,
    ModelFiles, Pass, StorageDtype,
    classifier::both,
    names,
    readback::{self, floats},
    storage,
};
use crate::{
    Error, Result,
    data::{LabelMap, Task},
    text::{Encoding, Tokenizer, Word, plan_in_order},
    train::{LabelledRows, gradients, surprise},
};

/// transformers' `BertForMaskedLM`. Cloning shares everything.
#[derive(Clone)]
pub struct MaskedLm(pub(crate) Classifier);

/// A guess for a mask.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Guess {
    pub token_id: u32,
    /// `##ing`
    pub token: String,
    pub probability: f32,
}

impl MaskedLm {
    /// Opens a folder that has such a head.
    ///
    /// # Errors
    /// [`Error::NoMaskedLmHead`] where there is none, [`Error::BadConfig`] for another family than
    /// BERT, and whatever is wrong with a file, by name.
    pub fn open(files: &ModelFiles, device: &Device) -> Result<Self> {
        let (model, report) = Self::for_training(files, 0, device)?;
        match report.initialized.into_iter().find(|key| key.starts_with("cls.")) {
            None => Ok(model),
            Some(key) => {
                let (name, folder) = (files.weights_name(), files.folder().into());
                Err(Error::NoMaskedLmHead { name, key, folder })
            }
        }
    }

    /// Opens a folder to train it: a missing head starts anew. A pooler is kept as it is, where there
    /// is one, for classifiers that begin with this model.
    ///
    /// # Errors
    /// [`Error::BadConfig`] for another family than BERT, and whatever is wrong with a file, by name.
    pub fn for_training(
        files: &ModelFiles,
        seed: u64,
        device: &Device,
    ) -> Result<(Self, LoadReport)> {
        let config = checked(files)?;
        let weights = files.weights(|key| names::of_parameter(config.family, key))?;
        let load = || {
            device.seed(seed);
            weights.load(new_model(&config, device), &[])
        };
        let (loaded, tokenizer) = both(load, || files.tokenizer(&config));
        let (mut model, mut report) = loaded?;
        let is_pooler = |key: &String| key.starts_with("bert.pooler.");
        if report.initialized.iter().any(is_pooler) {
            model = model.without_pooler();
            report.initialized.retain(|key| !is_pooler(key));
        }
        // The same tensors under another name.
        report.ignored.retain(|key| !key.starts_with("cls.predictions.decoder."));
        Ok((Self::new(files, config, tokenizer?, model, device)?, report))
    }

    /// A model of the folder's `config.json` and tokenizer with new weights.
    ///
    /// # Errors
    /// [`Error::BadConfig`] for another family than BERT; [`Error::BadTokenizer`].
    pub fn from_scratch(files: &ModelFiles, seed: u64, device: &Device) -> Result<Self> {
        let config = checked(files)?;
        let tokenizer = files.tokenizer(&config)?;
        device.seed(seed);
        let model = new_model(&config, device);
        Self::new(files, config, tokenizer, model, device)
    }

    fn new(
        files: &ModelFiles,
        config: BertConfig,
        tokenizer: Tokenizer,
        model: BertForSequenceClassification,
        device: &Device,
    ) -> Result<Self> {
        tokenizer.mask_token_id()?;
        let rows = 0..config.vocab_size as u32;
        let pieces = rows.map(|id| tokenizer.token(id).unwrap_or_default()).collect();
        let label_map = LabelMap::of_vocabulary(pieces);
        let head = Head { task: Task::TokenClassification, label_map };
        Ok(Self(Classifier::new(files, config, head, tokenizer, model, device)))
    }

    /// The same model, computing with Burn's own operations.
    pub fn without_kernels(self) -> Self {
        Self(self.0.without_kernels())
    }

    pub fn config(&self) -> &BertConfig {
        self.0.config()
    }

    pub fn tokenizer(&self) -> &Tokenizer {
        self.0.tokenizer()
    }

    /// The longest text it takes, in tokens.
    pub fn max_length(&self) -> usize {
        self.0.max_length()
    }

    /// The number of weights.
    pub fn num_parameters(&self) -> usize {
        self.0.num_parameters()
    }

    /// The logits of each masked token, `[masks, vocab]`, row after row: where `words` of an encoding
    /// stand.
    ///
    /// # Errors
    /// Those of [`Classifier::predict`].
    pub async fn logits(&self, encodings: &[Encoding], batch_size: usize) -> Result<Vec<f32>> {
        let predictions = self.0.predict(encodings, batch_size, |_| ()).await?;
        Ok(predictions.into_iter().flat_map(|prediction| prediction.logits).collect())
    }

    /// The mean loss of masked rows, without dropout, and its gradient for every parameter that has
    /// one, in Hugging Face's names and layout.
    ///
    /// # Errors
    /// Those of [`gradients`].
    pub async fn gradients(&self, rows: &LabelledRows) -> Result<(f32, Vec<HostTensor>)> {
        gradients(&self.0, &rows.encodings, &rows.targets).await
    }

    /// `-ln p` of what stood at each masked place, row after row; `progress` is told how many rows
    /// are done.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a text that is too long, [`Error::Device`] if the device fails.
    pub async fn surprise(
        &self,
        rows: &LabelledRows,
        batch_size: usize,
        mut progress: impl FnMut(usize),
    ) -> Result<Vec<Vec<f32>>> {
        let setup = &self.0.setup;
        let LabelledRows { encodings, targets } = rows;
        setup.check(encodings)?;
        let lengths: Vec<usize> = encodings.iter().map(|encoding| encoding.ids.len()).collect();
        let mut found = vec![Vec::new(); encodings.len()];
        let mut done = 0;
        for planned in plan_in_order(&lengths, batch_size, self.max_length()) {
            let batch = setup.collate(encodings, &planned.rows, planned.seq_len);
            done += planned.rows.len();
            if batch.words() > 0 {
                let batch = batch.to_device(setup.kernels, &setup.device);
                let logits = self.0.model.forward(&batch, Pass::inference(setup.kernels));
                let truth = targets.select(&planned.rows);
                let mut values = floats(surprise(logits, &truth.ids())).await?.into_iter();
                for &row in &planned.rows {
                    let masks = encodings[row].words.len();
                    found[row] = values.by_ref().take(masks).collect();
                }
            }
            progress(done);
        }
        Ok(found)
    }

    /// The most probable pieces for each `[MASK]` of a text, best first.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a text without a mask, or one that is too long.
    pub async fn fill_mask(&self, text: &str, top_k: usize) -> Result<Vec<Vec<Guess>>> {
        let tokenizer = self.tokenizer();
        let mask = tokenizer.mask_token_id()?;
        let mut encoding = tokenizer.encode(text, self.max_length())?;
        let masks = (0..encoding.ids.len()).filter(|&at| encoding.ids[at] == mask);
        let word = |(index, token)| Word { index, token, start: 0, end: 0 };
        encoding.words = masks.enumerate().map(word).collect();
        if encoding.words.is_empty() {
            let mask = tokenizer.token(mask).unwrap_or_default();
            return Err(Error::BadSetting {
                name: "text",
                value: format!("{text:?}"),
                reason: format!("there is no {mask} to fill among its first tokens"),
            });
        }
        let predictions = self.0.predict(&[encoding], 1, |_| ()).await?;
        let probabilities = predictions.into_iter().flat_map(|it| it.probabilities);
        let probabilities: Vec<f32> = probabilities.collect();
        let of_masks = probabilities.chunks(self.config().vocab_size);
        Ok(of_masks.map(|of_mask| self.best(of_mask, top_k)).collect())
    }

    fn best(&self, probabilities: &[f32], top_k: usize) -> Vec<Guess> {
        let mut ids: Vec<usize> = (0..probabilities.len()).collect();
        ids.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        let guess = |id: usize| {
            let token_id = id as u32;
            let token = self.tokenizer().token(token_id).unwrap_or_default();
            Guess { token_id, token, probability: probabilities[id] }
        };
        ids.into_iter().take(top_k).map(guess).collect()
    }

    /// The files of a Hugging Face folder that transformers opens unchanged, by name.
    ///
    /// # Errors
    /// [`Error::Device`] when the weights cannot be read back.
    pub async fn to_files(&self, dtype: StorageDtype) -> Result<Vec<(String, Vec<u8>)>> {
        let weights = readback::weights(&self.0.model).await?;
        let mut files = self.files_beside_weights(dtype)?;
        files.push((ModelFiles::WEIGHTS.into(), storage::encode(&weights, dtype)?));
        Ok(files)
    }

    /// The same but for the weights, which are stored as `dtype`.
    ///
    /// # Errors
    /// [`Error::BadTokenizer`] where the tokenizer cannot be written.
    pub fn files_beside_weights(&self, dtype: StorageDtype) -> Result<Vec<(String, Vec<u8>)>> {
        let config = self.config().to_json_of("BertForMaskedLM", dtype.name());
        self.0.files_with_config(config)
    }
}

fn new_model(config: &BertConfig, device: &Device) -> BertForSequenceClassification {
    BertForSequenceClassification::new(config, 1, device).for_masked_lm(config, device)
}

/// The configuration, of a family that this head is known of.
fn checked(files: &ModelFiles) -> Result<BertConfig> {
    let config = files.config()?;
    if config.family == Family::Bert {
        return Ok(config);
    }
    let reason = format!(
        "a masked language model with model_type \"{}\" is not supported; only with \"bert\"",
        config.family.model_type()
    );
    Err(Error::BadConfig { name: files.path("config.json"), reason })
}
