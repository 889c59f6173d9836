//! Our parameter paths and the keys of Hugging Face checkpoints.

/// Where a visitor stands in the module tree, and the Hugging Face key of what is there.
#[derive(Default)]
pub(crate) struct ParamPath {
    parts: Vec<String>,
    containers: Vec<String>,
}

impl ParamPath {
    pub(crate) fn enter(&mut self, name: &str, container: &str) {
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
            other => other.to_string(),
        };
        self.parts.iter().map(part).collect::<Vec<_>>().join(".")
    }

    /// Whether the file holds the transpose: PyTorch's `Linear` is `[out, in]`, Burn's `[in, out]`.
    pub(crate) fn is_transposed(&self) -> bool {
        let container = self.containers.last().map_or("", String::as_str);
        container == "Struct:Linear" && self.parts.last().is_some_and(|part| part == "weight")
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
pub(crate) fn of_parameter(key: &str) -> Option<String> {
    current(key).map(with_prefix)
}

/// The key with the prefix that a bare `BertModel` leaves out.
fn with_prefix(key: String) -> String {
    let bare = ["embeddings.", "encoder.", "pooler."].iter().any(|start| key.starts_with(start));
    if bare { format!("bert.{key}") } else { key }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_wild_become_current() {
        assert_eq!(of_parameter("embeddings.position_ids"), None);
        assert_eq!(of_parameter("exp_avg.bert.pooler.dense.bias"), None);
        assert_eq!(
            of_parameter("encoder.layer.0.output.LayerNorm.gamma").as_deref(),
            Some("bert.encoder.layer.0.output.LayerNorm.weight")
        );
        assert_eq!(of_parameter("classifier.bias").as_deref(), Some("classifier.bias"));
    }
}
