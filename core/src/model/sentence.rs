//! A sentence encoder: the mean of the states of a text's tokens, as sentence-transformers' mean
//! pooling computes it.

use burn::tensor::Device;

use super::{
    BertForSequenceClassification, Classifier, Family, Head, LoadReport, ModelFiles, Pass, Setup,
    StorageDtype, names,
    readback::{self, floats},
    storage,
};
use crate::{
    Error, Result,
    data::LabelMap,
    text::{Batch, Encoding, InputFormat, Tokenizer, plan_in_order},
};

/// An encoder of texts as vectors. Cloning shares everything.
#[derive(Clone)]
pub struct SentenceEncoder(Classifier);

impl SentenceEncoder {
    /// Opens any folder of an encoder; heads are passed over.
    ///
    /// # Errors
    /// [`Error::BadConfig`] for ModernBERT, and whatever is wrong with a file, by name.
    pub fn open(files: &ModelFiles, device: &Device) -> Result<(Self, LoadReport)> {
        let config = files.config()?;
        if config.family == Family::ModernBert {
            let reason = "a sentence encoder with model_type \"modernbert\" is not supported";
            let name = files.path("config.json");
            return Err(Error::BadConfig { name, reason: reason.into() });
        }
        let weights = files.weights(|key| names::of_parameter(config.family, key))?;
        let model = BertForSequenceClassification::new(&config, 1, device);
        let (model, report) = weights.load(model.without_pooler().for_sentences(), &[])?;
        let tokenizer = files.tokenizer(&config)?;
        let head = Head::from(LabelMap::of_a_score());
        Ok((Self(Classifier::new(files, config, head, tokenizer, model, device)), report))
    }

    /// The same encoder, computing with Burn's own operations.
    pub fn without_kernels(self) -> Self {
        Self(self.0.without_kernels())
    }

    pub fn tokenizer(&self) -> &Tokenizer {
        self.0.tokenizer()
    }

    /// The longest text it takes, in tokens.
    pub fn max_length(&self) -> usize {
        self.0.max_length()
    }

    /// A vector `[hidden]` for each text, in order.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a text that is too long, [`Error::Device`] if the device fails.
    pub async fn encode(&self, encodings: &[Encoding], batch_size: usize) -> Result<Vec<Vec<f32>>> {
        let setup = &self.0.setup;
        setup.check(encodings)?;
        let lengths: Vec<usize> = encodings.iter().map(|encoding| encoding.ids.len()).collect();
        let mut vectors = vec![Vec::new(); encodings.len()];
        for planned in plan_in_order(&lengths, batch_size, self.max_length()) {
            let batch = Self::collate(setup, encodings, &planned.rows, planned.seq_len);
            let batch = batch.to_device(setup.kernels, &setup.device);
            let means = self.0.model.forward(&batch, Pass::inference(setup.kernels));
            let hidden = means.dims()[1];
            let values = floats(means).await?;
            for (&row, vector) in planned.rows.iter().zip(values.chunks(hidden)) {
                vectors[row] = vector.to_vec();
            }
        }
        Ok(vectors)
    }

    /// `(cos + 1) / 2` of each of `first` with its other half.
    ///
    /// # Errors
    /// Those of [`Self::encode`].
    pub async fn similarities(
        &self,
        first: &[Encoding],
        second: &[Encoding],
        batch_size: usize,
    ) -> Result<Vec<f32>> {
        let first = self.encode(first, batch_size).await?;
        let second = self.encode(second, batch_size).await?;
        Ok(first.iter().zip(&second).map(|(a, b)| (cosine(a, b) + 1.0) / 2.0).collect())
    }

    /// The files of a Hugging Face folder that transformers' `AutoModel` opens and sentence-transformers
    /// pools by the mean, by name.
    ///
    /// # Errors
    /// [`Error::Device`] when the weights cannot be read back.
    pub async fn to_files(&self, dtype: StorageDtype) -> Result<Vec<(String, Vec<u8>)>> {
        let weights = readback::weights(&self.0.model).await?;
        let config = self.0.config().to_json_of(self.0.config().family.bare(), dtype.name());
        let mut files = self.0.files_with_config(config)?;
        files.push((ModelFiles::WEIGHTS.into(), storage::encode(&weights, dtype)?));
        Ok(files)
    }

    /// A batch of rows, with what brings tokens to their means.
    pub(crate) fn collate(
        setup: &Setup,
        encodings: &[Encoding],
        rows: &[usize],
        seq_len: usize,
    ) -> Batch {
        let format = InputFormat { mean_pooling: true, ..setup.input_format() };
        Batch::collate(encodings, rows, seq_len, format)
    }

    pub(crate) fn into_parts(self) -> (BertForSequenceClassification, Setup) {
        (self.0.model, self.0.setup)
    }

    pub(crate) fn from_parts(model: BertForSequenceClassification, setup: Setup) -> Self {
        Self(Classifier { model, setup })
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    (dot(a, b) / (dot(a, a).sqrt() * dot(b, b).sqrt()).max(1e-8)) as f32
}
