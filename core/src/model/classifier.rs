//! A model with its tokenizer and labels on one device: what predicts, and what is trained.

use std::sync::Arc;

use burn::{module::Module, tensor::Device};

use super::{
    BertConfig, BertForSequenceClassification, LoadReport, ModelFiles, Pass, StorageDtype, limits,
    names, readback, storage, weights::Weights,
};
use crate::{
    Error, Result,
    data::LabelMap,
    kernels::Kernels,
    text::{Batch, Encoding, Tokenizer, plan_by_tokens, plan_in_order},
};

/// Tokens of a row that a batch has room for: enough for the matrix products to run at full speed.
const USUAL_LENGTH: usize = 64;

/// A classifier ready to predict. Cloning shares everything.
#[derive(Clone)]
pub struct Classifier {
    pub(crate) model: BertForSequenceClassification,
    pub(crate) setup: Setup,
}

/// A classifier but for its weights: what training does not change.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) device: Device,
    pub(crate) kernels: Kernels,
    about: Arc<About>,
}

struct About {
    config: BertConfig,
    label_map: LabelMap,
    tokenizer: Tokenizer,
    tokenizer_config: Vec<u8>,
}

/// What the model says of one text.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// One for each class, in id order.
    pub logits: Vec<f32>,
    /// Softmax of `logits`; sums to 1.
    pub probabilities: Vec<f32>,
}

impl Prediction {
    fn new(logits: Vec<f32>) -> Self {
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exponentials: Vec<f32> = logits.iter().map(|logit| (logit - most).exp()).collect();
        let sum: f32 = exponentials.iter().sum();
        let probabilities = exponentials.into_iter().map(|value| value / sum).collect();
        Self { logits, probabilities }
    }

    /// The most probable class; the first of equals.
    pub fn label(&self) -> usize {
        let ids = 0..self.logits.len();
        ids.reduce(|best, id| if self.logits[id] > self.logits[best] { id } else { best })
            .unwrap_or(0)
    }
}

impl Classifier {
    /// Opens a fine-tuned folder to predict with.
    ///
    /// # Errors
    /// [`Error::NoHead`] for a folder that was never fine-tuned, and whatever is wrong with a
    /// file, by name.
    pub fn open(files: &ModelFiles, device: &Device) -> Result<(Self, LoadReport)> {
        let config = files.config()?;
        let name = files.path(ModelFiles::WEIGHTS);
        let weights = Weights::open(&name, files.weights(), names::of_parameter)?;
        let Some(&[num_labels, _]) = weights.shape("classifier.weight") else {
            return Err(Error::NoHead { name, folder: files.folder().into() });
        };
        let label_map = stored_labels(files, &config, num_labels)?;
        let load =
            || weights.load(BertForSequenceClassification::new(&config, num_labels, device), &[]);
        let (loaded, tokenizer) = both(load, || files.tokenizer(&config));
        let (model, report) = loaded?;
        if let Some(key) = report.initialized.first() {
            return Err(Error::TensorMissing { name, key: key.clone() });
        }
        Ok((Self::new(files, config, label_map, tokenizer?, model, device), report))
    }

    /// Opens a folder to fine-tune it for these classes: its head is kept if it was trained for
    /// the same ones, and starts anew otherwise, as does a missing pooler.
    ///
    /// # Errors
    /// Whatever is wrong with a file, by name.
    pub fn for_training(
        files: &ModelFiles,
        label_map: LabelMap,
        seed: u64,
        device: &Device,
    ) -> Result<(Self, LoadReport)> {
        let config = files.config()?;
        let name = files.path(ModelFiles::WEIGHTS);
        let weights = Weights::open(&name, files.weights(), names::of_parameter)?;
        let same_head = match weights.shape("classifier.weight") {
            Some(&[rows, _]) if rows == label_map.len() => {
                config.label_map(&files.path("config.json"))?.as_ref() == Some(&label_map)
            }
            _ => false,
        };
        let fresh: &[&str] =
            if same_head { &[] } else { &["classifier.weight", "classifier.bias"] };
        let load = || {
            device.seed(seed);
            let model = BertForSequenceClassification::new(&config, label_map.len(), device);
            weights.load(model, fresh)
        };
        let (loaded, tokenizer) = both(load, || files.tokenizer(&config));
        let (model, report) = loaded?;
        Ok((Self::new(files, config, label_map, tokenizer?, model, device), report))
    }

    fn new(
        files: &ModelFiles,
        config: BertConfig,
        label_map: LabelMap,
        tokenizer: Tokenizer,
        model: BertForSequenceClassification,
        device: &Device,
    ) -> Self {
        let tokenizer_config = files.tokenizer_config(config.max_position_embeddings);
        let about = Arc::new(About { config, label_map, tokenizer, tokenizer_config });
        let kernels = Kernels::for_device(device);
        Self { model, setup: Setup { device: device.clone(), kernels, about } }
    }

    /// The same classifier, computing with Burn's own operations: slower, and the reference for
    /// our kernels.
    pub fn without_kernels(self) -> Self {
        let setup = Setup { kernels: Kernels::Burn, ..self.setup };
        Self { setup, ..self }
    }

    pub fn config(&self) -> &BertConfig {
        &self.setup.about.config
    }

    pub fn label_map(&self) -> &LabelMap {
        &self.setup.about.label_map
    }

    pub fn tokenizer(&self) -> &Tokenizer {
        &self.setup.about.tokenizer
    }

    /// The longest text it takes, in tokens.
    pub fn max_length(&self) -> usize {
        self.setup.max_length()
    }

    /// The number of weights.
    pub fn num_parameters(&self) -> usize {
        self.model.num_params()
    }

    /// Predicts texts in order, `batch_size` at a time; of texts shorter than 64 tokens, as
    /// many as have as many tokens where our kernels run. `progress` is told after each batch how many are done.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a text that is too long, [`Error::Device`] if the device fails.
    pub async fn predict(
        &self,
        encodings: &[Encoding],
        batch_size: usize,
        mut progress: impl FnMut(usize),
    ) -> Result<Vec<Prediction>> {
        let Setup { device, kernels, .. } = &self.setup;
        self.setup.check(encodings)?;
        let lengths: Vec<usize> = encodings.iter().map(|encoding| encoding.ids.len()).collect();
        let mut predictions = vec![None; encodings.len()];
        let mut done = 0;
        let plan = match kernels {
            Kernels::Burn => plan_in_order(&lengths, batch_size, self.max_length()),
            #[cfg(feature = "kernels")]
            Kernels::Own => plan_by_tokens(&lengths, batch_size.saturating_mul(USUAL_LENGTH)),
        };
        for planned in plan {
            let batch = self.setup.collate(encodings, &planned.rows, planned.seq_len);
            let batch = batch.to_device(*kernels, device);
            let logits = self.model.forward(&batch, Pass::inference(*kernels));
            let data = logits.into_data_async().await.map_err(|e| Error::Device(e.to_string()))?;
            let logits = data.try_into_vec::<f32>().map_err(|e| Error::Device(format!("{e:?}")))?;
            let classes = self.label_map().len();
            for (&row, logits) in planned.rows.iter().zip(logits.chunks(classes)) {
                predictions[row] = Some(Prediction::new(logits.to_vec()));
            }
            done += planned.rows.len();
            progress(done);
        }
        Ok(predictions.into_iter().flatten().collect())
    }

    /// The files of a Hugging Face folder that transformers opens unchanged, by name.
    ///
    /// # Errors
    /// [`Error::Device`] when the weights cannot be read back.
    pub async fn to_files(&self, dtype: StorageDtype) -> Result<Vec<(String, Vec<u8>)>> {
        let weights = readback::weights(&self.model).await?;
        let mut files = self.files_beside_weights(dtype)?;
        files.push((ModelFiles::WEIGHTS.into(), storage::encode(&weights, dtype)?));
        Ok(files)
    }

    /// The same but for the weights, which are stored as `dtype`.
    ///
    /// # Errors
    /// [`Error::BadTokenizer`] where the tokenizer cannot be written.
    pub fn files_beside_weights(&self, dtype: StorageDtype) -> Result<Vec<(String, Vec<u8>)>> {
        let about = &self.setup.about;
        Ok(vec![
            ("config.json".into(), about.config.to_json(&about.label_map, dtype.name())),
            ("tokenizer.json".into(), about.tokenizer.to_json()?),
            ("tokenizer_config.json".into(), about.tokenizer_config.clone()),
        ])
    }
}

impl Setup {
    pub(crate) fn num_labels(&self) -> usize {
        self.about.label_map.len()
    }

    /// The longest text the model takes, in tokens.
    pub(crate) fn max_length(&self) -> usize {
        self.about.config.max_position_embeddings
    }

    /// See [`limits::check`].
    pub(crate) fn check(&self, encodings: &[Encoding]) -> Result<()> {
        limits::check(encodings, &self.about.config)
    }

    /// A batch of rows of `encodings`, padded to `seq_len` where it must be.
    pub(crate) fn collate(&self, encodings: &[Encoding], rows: &[usize], seq_len: usize) -> Batch {
        Batch::collate(encodings, rows, seq_len, self.about.config.pad_token_id())
    }
}

/// Both, at the same time where there are threads: to read a tokenizer takes half as long as to read
/// the weights of a small model. `here` runs on this thread, whose random numbers are seeded.
fn both<A, B: Send>(here: impl FnOnce() -> A, other: impl FnOnce() -> B + Send) -> (A, B) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        let mut found = None;
        let first = rayon::in_place_scope(|scope| {
            scope.spawn(|_| found = Some(other()));
            here()
        });
        #[expect(clippy::expect_used)]
        (first, found.expect("a scope ends when all of it has"))
    }
    #[cfg(target_arch = "wasm32")]
    (here(), other())
}

/// The classes a fine-tuned folder names, `LABEL_0 …` where it names none, as transformers does.
fn stored_labels(files: &ModelFiles, config: &BertConfig, num_labels: usize) -> Result<LabelMap> {
    let name = files.path("config.json");
    let label_map = match config.label_map(&name)? {
        Some(map) => map,
        None => LabelMap::new(&name, (0..num_labels).map(|id| format!("LABEL_{id}")).collect())?,
    };
    if label_map.len() != num_labels {
        let found = label_map.len();
        let reason = format!("id2label names {found} labels, but the head has {num_labels}");
        return Err(Error::BadLabels { name, reason });
    }
    Ok(label_map)
}
