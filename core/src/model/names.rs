//! Our parameter paths and the keys of Hugging Face checkpoints.

use burn::module::Reparameterization;

use super::{BertForSequenceClassification, Family, head::Reads, lora::LowRank};

/// Where a visitor stands in the module tree, and the Hugging Face key of what is there.
pub(crate) struct ParamPath {
    family: Family,
    reads: Reads,
    parts: Vec<String>,
    containers: Vec<String>,
}

impl ParamPath {
    pub(crate) fn new(model: &BertForSequenceClassification) -> Self {
        let (family, reads) = (model.family(), model.reads());
        Self { family, reads, parts: Vec::new(), containers: Vec::new() }
    }

    pub(crate) fn enter(&mut self, name: &str, container: &str) {
        // Which of several encoders a model has is no part of a key.
        let name = if container.starts_with("Enum:") { "" } else { name };
        self.parts.push(name.into());
        self.containers.push(container.into());
    }

    pub(crate) fn exit(&mut self) {
        self.parts.pop();
        self.containers.pop();
    }

    /// `bert.encoder.layer.0.attention.self.query.weight`
    pub(crate) fn key(&self) -> String {
        let part = |part: &String| match part.as_str() {
            "self_attention" => "self".to_string(),
            "layer_norm" => "LayerNorm".to_string(),
            "gamma" => "weight".to_string(),
            "beta" => "bias".to_string(),
            "wqkv" => "Wqkv".to_string(),
            "wi" => "Wi".to_string(),
            "wo" => "Wo".to_string(),
            other => other.to_string(),
        };
        let parts = self.parts.iter().filter(|part| !part.is_empty()).map(part);
        let parts: Vec<String> = parts.collect();
        match parts.iter().position(|part| part == LowRank::NAME) {
            // As peft has it: a module beside the weight.
            Some(at) => {
                let weight = self.family.key(&parts[..at].join("."), self.reads);
                let module = weight.strip_suffix(".weight").unwrap_or(&weight);
                let factor = parts.last().map_or(String::new(), |name| name.to_uppercase());
                format!("{module}.lora_{factor}.weight")
            }
            None => self.family.key(&parts.join("."), self.reads),
        }
    }

    /// Whether this is of an adapter.
    pub(crate) fn is_of_adapter(&self) -> bool {
        self.parts.iter().any(|part| part == LowRank::NAME)
    }

    /// Whether this is the matrix of a linear layer.
    pub(crate) fn is_of_linear(&self) -> bool {
        let container = self.containers.last().map_or("", String::as_str);
        container == "Struct:Linear" && self.parts.last().is_some_and(|part| part == "weight")
    }

    /// Whether this is of the head, which a model may lack that was never fine-tuned.
    pub(crate) fn is_of_head(&self) -> bool {
        self.parts.first().is_some_and(|part| ["pooler", "classifier"].contains(&part.as_str()))
    }

    /// Whether the file holds the transpose: PyTorch's `Linear` is `[out, in]`, Burn's `[in, out]`.
    pub(crate) fn is_transposed(&self) -> bool {
        self.is_of_linear() || self.is_of_adapter()
    }
}

/// The present name of a key found in a file, or `None` for what is not a weight.
///
/// Checkpoints converted from TensorFlow say `gamma` and `beta`; older ones carry the buffer
/// `embeddings.position_ids`; the state of a training ([`crate::train::Trainer::state`]) has more.
pub(crate) fn current(key: &str) -> Option<String> {
    if key.ends_with("embeddings.position_ids") || crate::train::is_of_optimizer(key) {
        return None;
    }
    let key = key
        .replace("LayerNorm.gamma", "LayerNorm.weight")
        .replace("LayerNorm.beta", "LayerNorm.bias");
    Some(key)
}

/// The key of our parameter for a key found in a file.
pub(crate) fn of_parameter(family: Family, key: &str) -> Option<String> {
    current(key).map(|key| family.with_prefix_of_bare(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_wild_become_current() {
        let of_bert = |key| of_parameter(Family::Bert, key);
        assert_eq!(of_bert("embeddings.position_ids"), None);
        assert_eq!(of_bert("exp_avg.bert.pooler.dense.bias"), None);
        assert_eq!(
            of_bert("encoder.layer.0.output.LayerNorm.gamma").as_deref(),
            Some("bert.encoder.layer.0.output.LayerNorm.weight")
        );
        assert_eq!(of_bert("classifier.bias").as_deref(), Some("classifier.bias"));
        // What a masked-language model of RoBERTa has of a pooler is not its head's.
        let pooler = of_parameter(Family::Roberta, "pooler.dense.bias");
        assert_eq!(pooler.as_deref(), Some("roberta.pooler.dense.bias"));
    }
}
