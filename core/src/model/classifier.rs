//! A model with its tokenizer and labels on one device: what predicts, and what is trained.

mod to_files;

use std::sync::Arc;

use burn::{module::Module, tensor::Device};

use super::{
    BertConfig, BertForSequenceClassification, Head, LoadReport, LoraConfig, ModelFiles, Pass,
    Prediction,
    head::{Reads, check_family},
    limits, names,
    readback::floats,
};
use crate::{
    Error, Result,
    data::{LabelMap, Task},
    kernels::Kernels,
    text::{Batch, Encoding, InputFormat, Tokenizer, plan_by_tokens, plan_in_order},
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
    /// Where adapters are trained.
    pub(crate) lora: Option<LoraConfig>,
    /// What logits are divided by before they become probabilities; 1 changes nothing.
    temperature: f32,
    about: Arc<About>,
}

struct About {
    config: BertConfig,
    head: Head,
    tokenizer: Tokenizer,
    tokenizer_config: Vec<u8>,
    /// What adapters of the model call it.
    name: String,
}

impl Classifier {
    /// Opens a fine-tuned folder to predict with.
    ///
    /// # Errors
    /// [`Error::NoHead`] for a folder that was never fine-tuned, and whatever is wrong with a
    /// file, by name.
    pub fn open(files: &ModelFiles, device: &Device) -> Result<(Self, LoadReport)> {
        let config = files.config()?;
        let name = files.weights_name();
        let weights = files.weights(|key| names::of_parameter(config.family, key))?;
        let reads = Reads::stated(&config);
        if reads == Reads::Tokens {
            check_family(&config, &files.path("config.json"))?;
        }
        let key = config.family.key("classifier.weight", reads);
        let Some(&[num_labels, _]) = weights.shape(&key) else {
            return Err(Error::NoHead { name, key, folder: files.folder().into() });
        };
        let head = Head::stored(&config, &files.path("config.json"), num_labels)?;
        let load = || weights.load(new_model(&config, &head, device), &[]);
        let (loaded, tokenizer) = both(load, || files.tokenizer(&config));
        let (model, report) = loaded?;
        if let Some(key) = report.initialized.first() {
            return Err(Error::TensorMissing { name, key: key.clone() });
        }
        let temperature = config.temperature(&files.path("config.json"))?;
        let classifier = Self::new(files, config, head, tokenizer?, model, device);
        Ok((classifier.with_temperature(temperature), report))
    }

    /// Opens a folder to fine-tune it for these classes, or for another task: its head is kept if it
    /// was trained for the same, and starts anew otherwise, as does a missing pooler.
    ///
    /// # Errors
    /// Whatever is wrong with a file, by name.
    pub fn for_training(
        files: &ModelFiles,
        head: impl Into<Head>,
        seed: u64,
        device: &Device,
    ) -> Result<(Self, LoadReport)> {
        let (config, head) = (files.config()?, head.into());
        let name = files.path("config.json");
        let weights = files.weights(|key| names::of_parameter(config.family, key))?;
        if head.task == Task::QuestionAnswering {
            check_family(&config, &name)?;
        }
        let reads = Reads::of(head.task);
        let keys =
            ["classifier.weight", "classifier.bias"].map(|path| config.family.key(path, reads));
        let same_head = match weights.shape(&keys[0]) {
            Some(&[rows, _]) if rows == head.label_map.len() => {
                Head::stored(&config, &name, rows)? == head
            }
            _ => false,
        };
        let fresh: &[String] = if same_head { &[] } else { &keys };
        let load = || {
            device.seed(seed);
            weights.load(new_model(&config, &head, device), fresh)
        };
        let (loaded, tokenizer) = both(load, || files.tokenizer(&config));
        let (model, report) = loaded?;
        Ok((Self::new(files, config, head, tokenizer?, model, device), report))
    }

    pub(super) fn new(
        files: &ModelFiles,
        config: BertConfig,
        head: Head,
        tokenizer: Tokenizer,
        model: BertForSequenceClassification,
        device: &Device,
    ) -> Self {
        let tokenizer_config = files.tokenizer_config(&config);
        let name = files.name().to_owned();
        let about = Arc::new(About { config, head, tokenizer, tokenizer_config, name });
        let kernels = Kernels::for_device(device);
        let setup = Setup { device: device.clone(), kernels, lora: None, temperature: 1.0, about };
        Self { model, setup }
    }

    /// The same classifier, computing with Burn's own operations: slower, and the reference for
    /// our kernels.
    pub fn without_kernels(self) -> Self {
        let setup = Setup { kernels: Kernels::Burn, ..self.setup };
        Self { setup, ..self }
    }

    /// The same classifier with the probabilities of its logits divided by `temperature`, which
    /// `config.json` will state.
    pub fn with_temperature(self, temperature: f32) -> Self {
        Self { setup: Setup { temperature, ..self.setup }, ..self }
    }

    /// What its logits are divided by; 1 unless it was calibrated.
    pub fn temperature(&self) -> f32 {
        self.setup.temperature
    }

    pub fn config(&self) -> &BertConfig {
        &self.setup.about.config
    }

    pub fn label_map(&self) -> &LabelMap {
        &self.setup.about.head.label_map
    }

    /// What it says of a text.
    pub fn task(&self) -> Task {
        self.setup.task()
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
    /// many as have as many tokens where our kernels run. Questions are predicted window by window (see
    /// [`answers`](super::answers)). `progress` is told after each batch how many are done.
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
            done += planned.rows.len();
            if self.task() == Task::TokenClassification && batch.words() == 0 {
                progress(done);
                continue;
            }
            let batch = batch.to_device(*kernels, device);
            let logits = floats(self.model.forward(&batch, Pass::inference(*kernels))).await?;
            let mut logits = logits.chunks(self.label_map().len());
            for &row in &planned.rows {
                let prediction = Prediction::new(self.task(), &mut logits, &encodings[row]);
                predictions[row] = Some(match self.temperature() {
                    1.0 => prediction,
                    temperature => prediction.at_temperature(self.task(), temperature),
                });
            }
            progress(done);
        }
        Ok(predictions.into_iter().map(Option::unwrap_or_default).collect())
    }
}

impl Setup {
    pub(crate) fn num_labels(&self) -> usize {
        self.about.head.label_map.len()
    }

    pub(crate) fn task(&self) -> Task {
        self.about.head.task
    }

    /// The layers of the encoder.
    pub(crate) fn num_layers(&self) -> usize {
        self.about.config.num_hidden_layers
    }

    /// The id that stands for no word.
    pub(crate) fn pad_token_id(&self) -> u32 {
        self.about.config.pad_token_id()
    }

    /// The longest text the model takes, in tokens.
    pub(crate) fn max_length(&self) -> usize {
        self.about.config.max_length()
    }

    /// See [`limits::check`].
    pub(crate) fn check(&self, encodings: &[Encoding]) -> Result<()> {
        limits::check(encodings, &self.about.config)
    }

    /// A batch of rows of `encodings`, padded to `seq_len` where it must be.
    pub(crate) fn collate(&self, encodings: &[Encoding], rows: &[usize], seq_len: usize) -> Batch {
        Batch::collate(encodings, rows, seq_len, self.input_format())
    }

    /// What the model is given beside ids.
    pub(crate) fn input_format(&self) -> InputFormat {
        let every_token = self.task() == Task::QuestionAnswering;
        InputFormat { every_token, ..self.about.config.input_format() }
    }
}

fn new_model(config: &BertConfig, head: &Head, device: &Device) -> BertForSequenceClassification {
    let model = BertForSequenceClassification::new(config, head.label_map.len(), device);
    model.reading(Reads::of(head.task), config)
}

/// Both, at the same time where there are threads: to read a tokenizer takes half as long as to read
/// the weights of a small model. `here` runs on this thread, whose random numbers are seeded.
pub(super) fn both<A, B: Send>(
    here: impl FnOnce() -> A,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
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
