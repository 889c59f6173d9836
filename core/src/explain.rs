//! Which tokens made a classifier say what it says: integrated gradients (Sundararajan, Taly and
//! Yan 2017, <https://arxiv.org/abs/1703.01365>), through the model's own backward pass.
//!
//! Between a text without its words (every token but the special ones `[PAD]`) and the text itself,
//! the score of token t is `Σ (x_t − b_t) · ∫₀¹ ∂logit/∂x_t(b + α(x − b)) dα`, with x and b the
//! word embeddings. By the fundamental theorem the scores add up to the difference of the logits;
//! how far they do not is the error of the integral, which is told.

mod attentions;
mod explanation;

pub use attentions::Attentions;
pub use explanation::Explanation;

use burn::{
    module::Module,
    tensor::{Tensor, TensorData},
};

use serde::Serialize;

use crate::{
    Error, Result,
    data::Task,
    model::{BertForSequenceClassification, Classifier, Pass, Setup, floats},
    text::Encoding,
};

/// Intervals of the integral at most.
const MOST_INTERVALS: usize = 512;
/// The error of the integral, relative to the difference of the logits, that ends the refinement.
const TOLERANCE: f32 = 0.01;
/// Tokens of one pass through the model at most: its intermediate results must fit the memory.
const TOKENS_A_PASS: usize = 2048;

/// Why a classifier gives a text the logit that a class has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attribution {
    /// The class that is explained.
    pub label: usize,
    /// What each token adds to the logit of the class, `[tokens]`; 0 for special tokens.
    pub scores: Vec<f32>,
    /// The logit of the class for the text.
    pub logit: f32,
    /// The logit of the class for the same text with `[PAD]` in place of its words.
    pub baseline_logit: f32,
    /// Intervals that the integral was cut into.
    pub intervals: usize,
}

impl Attribution {
    /// How far the scores are from adding up to what they explain, relative to it.
    pub fn completeness_error(&self) -> f32 {
        let difference = self.logit - self.baseline_logit;
        (self.scores.iter().sum::<f32>() - difference).abs() / difference.abs().max(f32::EPSILON)
    }
}

impl Classifier {
    /// Explains the logit of `label` for a text; `special` says of each token whether it is one that
    /// the tokenizer added (`special_tokens_mask`).
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a text that is too long, a mask of another length or a class that
    /// there is not; [`Error::Device`] if the device fails.
    pub async fn attribute(
        &self,
        encoding: &Encoding,
        special: &[bool],
        label: usize,
    ) -> Result<Attribution> {
        self.setup.check(std::slice::from_ref(encoding))?;
        let bad = |name, value: usize, reason: String| {
            Err(Error::BadSetting { name, value: value.to_string(), reason })
        };
        if special.len() != encoding.ids.len() {
            let reason = format!("expected one for each of {} tokens", encoding.ids.len());
            return bad("special_tokens_mask", special.len(), reason);
        }
        if matches!(self.task(), Task::TokenClassification | Task::QuestionAnswering) {
            let reason =
                "which word of it is to be explained is not known; only whole texts can be".into();
            return Err(Error::BadSetting {
                name: "task",
                value: self.task().name().into(),
                reason,
            });
        }
        let classes = self.label_map().len();
        if label >= classes {
            return bad("label", label, format!("there are {classes} classes"));
        }
        // No gradients of weights: only the words' are asked for.
        let model = self.model.clone().train().no_grad();
        Path { model, setup: &self.setup, encoding, special, label }.integrate().await
    }
}

/// The way from the baseline to the text.
struct Path<'a> {
    model: BertForSequenceClassification,
    setup: &'a Setup,
    encoding: &'a Encoding,
    special: &'a [bool],
    label: usize,
}

impl Path<'_> {
    /// The trapezoidal rule, its intervals halved until the scores add up; each halving keeps what
    /// is known, and Simpson's rule makes the most of the last two.
    async fn integrate(&self) -> Result<Attribution> {
        let ends = self.at(&[0.0, 1.0]).await?;
        let mut trapezoids: Vec<f32> = ends.scores.iter().map(|score| score / 2.0).collect();
        let (baseline_logit, logit) = (ends.logits[0], ends.logits[1]);
        let mut intervals = 1;
        loop {
            let places: Vec<f32> =
                (0..intervals).map(|i| (i as f32 + 0.5) / intervals as f32).collect();
            let between = self.at(&places).await?.scores;
            let middles = between.iter().map(|score| score / intervals as f32);
            let pairs: Vec<(f32, f32)> = trapezoids.iter().copied().zip(middles).collect();
            let scores = pairs.iter().map(|(outer, middle)| (outer + 2.0 * middle) / 3.0).collect();
            trapezoids = pairs.iter().map(|(outer, middle)| (outer + middle) / 2.0).collect();
            intervals *= 2;
            let label = self.label;
            let found = Attribution { label, scores, logit, baseline_logit, intervals };
            let exact = intervals >= 8 && found.completeness_error() <= TOLERANCE;
            if exact || intervals >= MOST_INTERVALS {
                return Ok(found);
            }
        }
    }

    /// The scores that the gradients at these places between 0 and 1 give, added up.
    async fn at(&self, places: &[f32]) -> Result<Scores> {
        let tokens = self.encoding.ids.len();
        let mut sums = Scores { scores: vec![0.0; tokens], logits: Vec::new() };
        for places in places.chunks((TOKENS_A_PASS / tokens).max(1)) {
            let Scores { scores, logits } = self.pass(places).await?;
            for (index, score) in scores.into_iter().enumerate() {
                sums.scores[index % tokens] += score;
            }
            sums.logits.extend(logits);
        }
        Ok(sums)
    }

    /// One batch with a row for each place: `scores` `[places · tokens]`.
    async fn pass(&self, places: &[f32]) -> Result<Scores> {
        let Self { model, setup, .. } = self;
        let device = setup.device.clone().autodiff();
        let tokens = self.encoding.ids.len();
        let rows = vec![0; places.len()];
        let batch = setup.collate(std::slice::from_ref(self.encoding), &rows, tokens);
        let batch = batch.to_device(setup.kernels, &device);

        let pad = setup.pad_token_id();
        let blank = self.encoding.ids.iter().zip(self.special);
        let blank: Vec<i32> = blank.map(|(&id, &s)| if s { id } else { pad } as i32).collect();
        let blank = Tensor::from_data(TensorData::new(blank, [tokens]), &setup.device);
        let table = model.word_embeddings().val().inner();
        let words = table.clone().select(0, batch.input_ids.clone().inner());
        let [_, width] = words.dims();
        let baseline = table.select(0, blank).repeat_dim(0, places.len());
        let way = words - baseline.clone();
        let places: Vec<f32> = places.iter().flat_map(|&at| vec![at; tokens]).collect();
        let rows = places.len();
        let places = Tensor::<2>::from_data(TensorData::new(places, [rows, 1]), &setup.device);
        let words = baseline + way.clone() * places.expand([rows, width]);
        let words = Tensor::<2>::from_inner(words).require_grad();

        let pass = Pass::inference(setup.kernels);
        let logits = model.forward_embedded(words.clone(), &batch, pass);
        let of_label = logits.slice([0..rows / tokens, self.label..self.label + 1]);
        let mut grads = of_label.clone().sum().backward();
        let scores = match words.grad_remove(&mut grads) {
            Some(grad) => floats((grad * way).sum_dim(1)).await?,
            None => vec![0.0; rows],
        };
        Ok(Scores { scores, logits: floats(of_label.inner()).await? })
    }
}

struct Scores {
    scores: Vec<f32>,
    logits: Vec<f32>,
}
