//! The head of BERT's masked language model, as transformers' `BertForMaskedLM` computes it.

use burn::{
    module::{Module, Param},
    nn::{Initializer, Linear},
    tensor::{Device, Tensor},
};

use super::{
    super::{BertConfig, Pass, layer_norm::LayerNorm},
    layers::Layers,
};

/// `cls.predictions` of a checkpoint: `gelu(x·W + b)`, normalized, against each row of the word
/// embeddings, which are the decoder's weights, too, plus a bias for each piece.
#[derive(Module, Debug)]
pub(super) struct MaskedLmHead {
    predictions: Predictions,
}

#[derive(Module, Debug)]
struct Predictions {
    transform: Transform,
    /// `[vocab]`
    bias: Param<Tensor<1>>,
}

#[derive(Module, Debug)]
struct Transform {
    dense: Linear,
    layer_norm: LayerNorm,
}

impl MaskedLmHead {
    /// New weights.
    pub(super) fn new(config: &BertConfig, device: &Device) -> Self {
        let new = Layers { config, device };
        let hidden = config.hidden_size;
        let transform = Transform {
            dense: new.linear(hidden, hidden),
            layer_norm: LayerNorm::new(hidden, true, config.layer_norm_eps, device),
        };
        let bias = Initializer::Zeros.init([config.vocab_size], device);
        Self { predictions: Predictions { transform, bias } }
    }

    /// Logits `[words, vocab]` of masked places alone, `hidden` `[words, hidden]`, with the table of
    /// word embeddings `[vocab, hidden]`.
    pub(super) fn forward(&self, hidden: Tensor<2>, table: Tensor<2>, pass: Pass) -> Tensor<2> {
        let Predictions { transform, bias } = &self.predictions;
        let hidden = pass.kernels.gelu(pass.linear(hidden, &transform.dense));
        let hidden = transform.layer_norm.normalize(hidden, pass);
        hidden.matmul(table.transpose()) + bias.val().unsqueeze()
    }
}
