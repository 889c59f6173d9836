//! BERT (Devlin et al. 2019, <https://arxiv.org/abs/1810.04805>) and the families that are computed
//! like it, with a sequence-classification head, as transformers' `BertForSequenceClassification`
//! and its likes compute it.
//!
//! Fields carry the names of BERT's Hugging Face checkpoint, so that a parameter's path is its key
//! there but for the few words in [`super::names`] and, in other families, in [`super::Family`].

mod encoder;
mod layer;
mod layers;
mod masked_lm;

use burn::{
    module::{Module, Param},
    nn::Linear,
    tensor::{Device, Tensor, activation::relu},
};

use self::{
    encoder::{BertEncoder, BertModel},
    layers::Layers,
    masked_lm::MaskedLmHead,
};
use super::{
    BertConfig, Family, LoraConfig, Pass,
    family::PoolerActivation,
    head::Reads,
    layer_norm::LayerNorm,
    modern_bert::{self, ModernBertModel},
};
use crate::{Result, text::BatchTensors};

/// An encoder, its pooler and a linear head; or, of words, transformers' `BertForTokenClassification`,
/// whose head reads the first token of each word and has a pooler in ModernBERT alone; or
/// `BertForQuestionAnswering`, whose head reads every token; or with another [`Output`].
#[derive(Module, Debug)]
pub struct BertForSequenceClassification {
    bert: Encoder,
    pooler: Option<Pooler>,
    dropout_prob: f64,
    /// None of a sentence encoder, whose output is the mean of the states of a row's tokens.
    classifier: Option<Output>,
    #[module(skip)]
    reads: Reads,
    #[module(skip)]
    family: Family,
}

/// What stands last.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // On 64 bits; a model has one of them.
enum Output {
    Linear(Linear),
    /// Of `BertForMaskedLM`, which reads the masked tokens; a pooler is kept, but not used.
    MaskedLm(MaskedLmHead),
}

#[derive(Module, Debug)]
enum Encoder {
    Bert(BertModel),
    ModernBert(ModernBertModel),
}

/// A layer that transformers counts to the encoder in BERT, to the head in other families.
#[derive(Module, Debug)]
pub(super) struct Pooler {
    pub(super) dense: Linear,
    /// ModernBERT's.
    pub(super) norm: Option<LayerNorm>,
}

impl BertForSequenceClassification {
    /// A model with new weights, as transformers initialises them: normal with
    /// `initializer_range` (ModernBERT's in its own file), biases 0, LayerNorm 1 and 0. Parameters are made when first used, so
    /// those that a checkpoint replaces cost nothing.
    pub fn new(config: &BertConfig, num_labels: usize, device: &Device) -> Self {
        let (bert, pooler, classifier) = if config.family == Family::ModernBert {
            let new = modern_bert::Layers { config, device };
            (Encoder::ModernBert(new.encoder()), new.pooler(), new.classifier(num_labels))
        } else {
            let new = Layers { config, device };
            let hidden = config.hidden_size;
            let pooler = Pooler { dense: new.linear(hidden, hidden), norm: None };
            (Encoder::Bert(new.encoder()), pooler, new.linear(hidden, num_labels))
        };
        let (family, dropout_prob) = (config.family, config.classifier_dropout());
        let (pooler, classifier) = (Some(pooler), Some(Output::Linear(classifier)));
        Self { bert, pooler, dropout_prob, classifier, reads: Reads::Text, family }
    }

    /// The same with the head of a masked language model.
    pub(crate) fn for_masked_lm(self, config: &BertConfig, device: &Device) -> Self {
        let head = MaskedLmHead::new(config, device);
        Self { classifier: Some(Output::MaskedLm(head)), reads: Reads::Words, ..self }
    }

    /// The same without a head, as a sentence encoder.
    pub(crate) fn for_sentences(self) -> Self {
        Self { classifier: None, ..self }
    }

    /// The same without a pooler.
    pub(crate) fn without_pooler(self) -> Self {
        Self { pooler: None, ..self }
    }

    /// Whether the word embeddings are the weights of the last layer, too.
    pub(crate) fn is_tied(&self) -> bool {
        matches!(self.classifier, Some(Output::MaskedLm(_)))
    }

    pub(crate) fn family(&self) -> Family {
        self.family
    }

    /// Of which tokens the last layer reads the states.
    pub(crate) fn reads(&self) -> Reads {
        self.reads
    }

    /// The same with a head that reads these.
    pub(crate) fn reading(self, reads: Reads, config: &BertConfig) -> Self {
        let pooler = match reads {
            Reads::Text => self.pooler,
            Reads::Words => self.pooler.filter(|_| self.family.pools_words()),
            Reads::Tokens => None,
        };
        Self { pooler, dropout_prob: config.head_dropout(reads), reads, ..self }
    }

    /// The same, of which the last `layers` of the encoder, the pooler and the classifier take
    /// gradients; everything where no number is given.
    pub(crate) fn with_trainable(self, layers: Option<usize>) -> Self {
        let mut model = self.set_require_grad(true);
        let Some(layers) = layers else { return model };
        model.bert = match model.bert {
            Encoder::Bert(bert) => Encoder::Bert(bert.with_trainable(layers)),
            Encoder::ModernBert(bert) => Encoder::ModernBert(bert.with_trainable(layers)),
        };
        model
    }

    /// The same with adapters beside the encoder's linear layers: they and the head take gradients,
    /// nothing else.
    ///
    /// # Errors
    /// [`crate::Error::BadSetting`] where no layer has a name that is asked for.
    pub(crate) fn with_lora(self, lora: &LoraConfig, seed: u64) -> Result<Self> {
        let mut model = lora.attach(self, seed)?;
        model.pooler = model.pooler.map(|pooler| pooler.set_require_grad(true));
        model.classifier = model.classifier.set_require_grad(true);
        Ok(model)
    }

    /// Logits `[rows, num_labels]` of a batch; of words `[words, num_labels]`; of answers `[tokens, 2]`,
    /// without those of padding; of a sentence encoder the means `[rows, hidden]`.
    pub(crate) fn forward(&self, batch: &BatchTensors, pass: Pass) -> Tensor<2> {
        let words = self.word_embeddings().val().select(0, batch.input_ids.clone());
        self.forward_embedded(words, batch, pass)
    }

    /// The same from the batch's word embeddings `[tokens, embedding_size]`.
    pub(crate) fn forward_embedded(
        &self,
        words: Tensor<2>,
        batch: &BatchTensors,
        pass: Pass,
    ) -> Tensor<2> {
        let of_words = self.reads != Reads::Text;
        let seen = match (&self.bert, &self.classifier) {
            (Encoder::Bert(bert), None) => return means(bert.states(words, batch, pass), batch),
            (Encoder::Bert(bert), _) => bert.forward(words, batch, pass, of_words),
            (Encoder::ModernBert(bert), _) => bert.forward(words, batch, pass, of_words),
        };
        match &self.classifier {
            None => seen,
            Some(Output::MaskedLm(head)) => head.forward(seen, self.word_embeddings().val(), pass),
            Some(Output::Linear(classifier)) => {
                let pooled = self.pool(seen, pass);
                let dropout = pass.dropout(HEAD, self.dropout_prob);
                pass.linear(pass.kernels.dropout(pooled, dropout), classifier)
            }
        }
    }

    /// The attention probabilities of each layer, `[heads, tokens, tokens]`, in a batch of one row without
    /// padding.
    pub(crate) fn attentions(&self, batch: &BatchTensors, pass: Pass) -> Vec<Tensor<3>> {
        let words = self.word_embeddings().val().select(0, batch.input_ids.clone());
        match &self.bert {
            Encoder::Bert(bert) => bert.attentions(words, batch, pass),
            Encoder::ModernBert(bert) => bert.attentions(words, batch, pass),
        }
    }

    /// A linear layer, its activation and its norm: `[rows, hidden]`; nothing where there is no pooler.
    fn pool(&self, seen: Tensor<2>, pass: Pass) -> Tensor<2> {
        let Some(pooler) = &self.pooler else { return seen };
        let seen = match self.family.drops_before_pooler() {
            true => pass.kernels.dropout(seen, pass.dropout(POOLER, self.dropout_prob)),
            false => seen,
        };
        let pooled = pass.linear(seen, &pooler.dense);
        let pooled = match self.family.pooler_activation() {
            PoolerActivation::Tanh => pooled.tanh(),
            PoolerActivation::Gelu => pass.kernels.gelu(pooled),
            PoolerActivation::Relu => relu(pooled),
        };
        match &pooler.norm {
            Some(norm) => norm.normalize(pooled, pass),
            None => pooled,
        }
    }

    /// `[vocab, embedding_size]`
    pub(crate) fn word_embeddings(&self) -> &Param<Tensor<2>> {
        match &self.bert {
            Encoder::Bert(bert) => &bert.embeddings.word_embeddings.weight,
            Encoder::ModernBert(bert) => &bert.embeddings.tok_embeddings.weight,
        }
    }
}

/// The mean state of each row, `[rows, hidden]`, of all tokens' states `[tokens, hidden]`.
fn means(states: Tensor<2>, batch: &BatchTensors) -> Tensor<2> {
    match &batch.means {
        Some(means) => means.clone().matmul(states),
        None => states.select(0, batch.first_tokens.clone()),
    }
}

/// Sites of dropout outside the layers (see [`Pass::dropout`]); layer `n` has `3n + 2` to `3n + 4`.
const HEAD: usize = 0;
const EMBEDDINGS: usize = 1;
/// Beyond the layers, of which there are at most 1,000.
const POOLER: usize = 1 << 20;
