//! The families of BERT: what one configuration and one set of weights is called in each.

use super::head::Reads;

/// Encoders that are computed as BERT is, but for what this file and their configuration say, and
/// ModernBERT, which has modules of its own (`modern_bert.rs`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Devlin et al. 2019, <https://arxiv.org/abs/1810.04805>
    #[default]
    Bert,
    /// Liu et al. 2019, <https://arxiv.org/abs/1907.11692>
    Roberta,
    /// RoBERTa under another name (Conneau et al. 2020, <https://arxiv.org/abs/1911.02116>).
    XlmRoberta,
    /// Sanh et al. 2019, <https://arxiv.org/abs/1910.01108>
    DistilBert,
    /// Clark et al. 2020, <https://arxiv.org/abs/2003.10555>
    Electra,
    /// Warner et al. 2024, <https://arxiv.org/abs/2412.13663>
    ModernBert,
}

/// What stands between the encoder and the last layer of the head, on the first token's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PoolerActivation {
    Tanh,
    Gelu,
    Relu,
}

impl Family {
    const ALL: [Self; 6] = [
        Self::Bert,
        Self::Roberta,
        Self::XlmRoberta,
        Self::DistilBert,
        Self::Electra,
        Self::ModernBert,
    ];

    /// The family that a `config.json` names.
    pub(crate) fn of_model_type(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.model_type() == name)
    }

    /// Every `model_type` there is, for messages.
    pub(crate) fn model_types() -> String {
        Self::ALL.map(Self::model_type).join(", ")
    }

    /// `model_type` of `config.json`.
    pub fn model_type(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::Roberta => "roberta",
            Self::XlmRoberta => "xlm-roberta",
            Self::DistilBert => "distilbert",
            Self::Electra => "electra",
            Self::ModernBert => "modernbert",
        }
    }

    /// The class of transformers that a fine-tuned folder is opened with.
    pub(crate) fn architecture(self, reads: Reads) -> String {
        let name = match self {
            Self::Bert => "Bert",
            Self::Roberta => "Roberta",
            Self::XlmRoberta => "XLMRoberta",
            Self::DistilBert => "DistilBert",
            Self::Electra => "Electra",
            Self::ModernBert => "ModernBert",
        };
        let task = match reads {
            Reads::Text => "SequenceClassification",
            Reads::Words => "TokenClassification",
            Reads::Tokens => "QuestionAnswering",
        };
        format!("{name}For{task}")
    }

    /// The class of transformers that opens an encoder without a head.
    pub(crate) fn bare(self) -> &'static str {
        match self {
            Self::Bert => "BertModel",
            Self::Roberta => "RobertaModel",
            Self::XlmRoberta => "XLMRobertaModel",
            Self::DistilBert => "DistilBertModel",
            Self::Electra => "ElectraModel",
            Self::ModernBert => "ModernBertModel",
        }
    }

    /// The class that transformers opens its tokenizer with.
    pub(crate) fn tokenizer_class(self) -> &'static str {
        match self {
            Self::Bert => "BertTokenizer",
            Self::Roberta => "RobertaTokenizer",
            Self::XlmRoberta => "XLMRobertaTokenizer",
            Self::DistilBert => "DistilBertTokenizer",
            Self::Electra => "ElectraTokenizer",
            Self::ModernBert => "PreTrainedTokenizerFast",
        }
    }

    /// Whether the segment ids of a tokenizer mean anything to the model; transformers does not
    /// hand them to the others.
    pub fn has_token_types(self) -> bool {
        matches!(self, Self::Bert | Self::Electra)
    }

    /// Whether positions count from `pad_token_id + 1`, which is what fairseq, where RoBERTa comes
    /// from, does: the first positions are never used.
    pub(crate) fn counts_from_padding(self) -> bool {
        matches!(self, Self::Roberta | Self::XlmRoberta)
    }

    /// Whether dropout falls on what goes into the pooler, too.
    pub(crate) fn drops_before_pooler(self) -> bool {
        matches!(self, Self::Roberta | Self::XlmRoberta | Self::Electra)
    }

    /// Whether a classifier of words has what stands between encoder and last layer, too.
    pub(crate) fn pools_words(self) -> bool {
        self == Self::ModernBert
    }

    /// Whether there is a head for question answering. ModernBERT's has other layers than the others'.
    pub(crate) fn answers_questions(self) -> bool {
        self != Self::ModernBert
    }

    pub(crate) fn pooler_activation(self) -> PoolerActivation {
        match self {
            Self::Bert | Self::Roberta | Self::XlmRoberta => PoolerActivation::Tanh,
            Self::DistilBert => PoolerActivation::Relu,
            Self::Electra | Self::ModernBert => PoolerActivation::Gelu,
        }
    }

    /// The Hugging Face key of a parameter from its path in our modules, which is its key in BERT
    /// but that the pooler is not part of the encoder: `bert.encoder.layer.0.output.dense.weight`,
    /// `pooler.dense.bias`, `classifier.weight`. What the last layer is called depends on what it reads.
    pub(crate) fn key(self, path: &str, reads: Reads) -> String {
        let (part, rest) = path.split_once('.').unwrap_or((path, ""));
        match (part, self) {
            ("bert", Self::DistilBert) => format!("distilbert.{}", distilbert_key(rest)),
            ("bert", _) => self.with_prefix(rest),
            ("pooler", Self::Bert) => format!("bert.{path}"),
            ("pooler", Self::DistilBert) => format!("pre_classifier{}", suffix(rest, "dense")),
            ("pooler", Self::ModernBert) => format!("head.{rest}"),
            ("pooler", _) => format!("classifier.{rest}"),
            ("classifier", _) if rest.starts_with("predictions.") => format!("cls.{rest}"),
            ("classifier", _) if reads == Reads::Tokens => format!("qa_outputs.{rest}"),
            ("classifier", Self::Bert | Self::DistilBert | Self::ModernBert) => path.into(),
            ("classifier", _) if reads == Reads::Words => path.into(),
            ("classifier", _) => format!("classifier.out_proj.{rest}"),
            _ => path.into(),
        }
    }

    /// The modules of the head, as transformers names them.
    pub(crate) fn head_modules(self, reads: Reads) -> &'static [&'static str] {
        match (self, reads) {
            (_, Reads::Tokens) => &["qa_outputs"],
            (Self::ModernBert, _) => &["classifier", "head"],
            (Self::Bert, Reads::Text) => &["classifier", "pooler"],
            (Self::DistilBert, Reads::Text) => &["classifier", "pre_classifier"],
            _ => &["classifier"],
        }
    }

    /// The key with the prefix that a bare encoder leaves out.
    pub(crate) fn with_prefix_of_bare(self, key: String) -> String {
        let bare: &[&str] = match self {
            Self::ModernBert => &["embeddings.", "layers.", "final_norm."],
            _ => &["embeddings.", "embeddings_project.", "encoder.", "transformer.", "pooler."],
        };
        match bare.iter().any(|start| key.starts_with(start)) {
            true => self.with_prefix(&key),
            false => key,
        }
    }

    fn with_prefix(self, key: &str) -> String {
        let prefix = match self {
            Self::Bert => "bert",
            Self::Roberta | Self::XlmRoberta => "roberta",
            Self::DistilBert => "distilbert",
            Self::Electra => "electra",
            Self::ModernBert => "model",
        };
        format!("{prefix}.{key}")
    }
}

/// `.weight` of `dense.weight`.
fn suffix<'a>(path: &'a str, module: &str) -> &'a str {
    path.strip_prefix(module).unwrap_or(path)
}

/// DistilBERT names the parts of a layer in its own way.
fn distilbert_key(key: &str) -> String {
    const NAMES: [(&str, &str); 8] = [
        ("attention.self.query.", "attention.q_lin."),
        ("attention.self.key.", "attention.k_lin."),
        ("attention.self.value.", "attention.v_lin."),
        ("attention.output.dense.", "attention.out_lin."),
        ("attention.output.LayerNorm.", "sa_layer_norm."),
        ("intermediate.dense.", "ffn.lin1."),
        ("output.dense.", "ffn.lin2."),
        ("output.LayerNorm.", "output_layer_norm."),
    ];
    let key = key.replace("encoder.layer.", "transformer.layer.");
    match NAMES.iter().find(|(bert, _)| key.contains(bert)) {
        Some((bert, distilbert)) => key.replace(bert, distilbert),
        None => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_has_the_key_of_its_family() {
        let keys = |path| Family::ALL.map(|family| family.key(path, Reads::Text));
        assert_eq!(
            keys("bert.encoder.layer.3.attention.output.LayerNorm.weight"),
            [
                "bert.encoder.layer.3.attention.output.LayerNorm.weight",
                "roberta.encoder.layer.3.attention.output.LayerNorm.weight",
                "roberta.encoder.layer.3.attention.output.LayerNorm.weight",
                "distilbert.transformer.layer.3.sa_layer_norm.weight",
                "electra.encoder.layer.3.attention.output.LayerNorm.weight",
                "model.encoder.layer.3.attention.output.LayerNorm.weight",
            ]
        );
        assert_eq!(
            keys("pooler.dense.bias"),
            [
                "bert.pooler.dense.bias",
                "classifier.dense.bias",
                "classifier.dense.bias",
                "pre_classifier.bias",
                "classifier.dense.bias",
                "head.dense.bias",
            ]
        );
        assert_eq!(
            keys("classifier.weight"),
            [
                "classifier.weight",
                "classifier.out_proj.weight",
                "classifier.out_proj.weight",
                "classifier.weight",
                "classifier.out_proj.weight",
                "classifier.weight",
            ]
        );
        let of = |reads| Family::ALL.map(|family| family.key("classifier.weight", reads));
        assert_eq!(of(Reads::Words), ["classifier.weight"; 6]);
        assert_eq!(of(Reads::Tokens), ["qa_outputs.weight"; 6]);
    }
}
