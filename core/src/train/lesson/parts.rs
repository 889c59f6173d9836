//! Gradients by the part of the model.

use serde::Serialize;

use crate::model::HostTensor;

#[derive(Clone, Debug, Serialize)]
pub struct PartGradient {
    /// `embeddings`, `layer.0`, …, `pooler`, `classifier`
    pub name: String,
    pub norm: f32,
    /// Weights in it.
    pub parameters: usize,
}

/// The sum of a tensor's squares.
pub(super) fn squares(tensor: &HostTensor) -> f64 {
    tensor.values.iter().map(|&value| f64::from(value).powi(2)).sum()
}

/// The gradients of all parameters, part by part, in the order in which data flows.
pub(super) fn parts(tensors: &[HostTensor]) -> Vec<PartGradient> {
    let mut parts: Vec<(String, f64, usize)> = Vec::new();
    for tensor in tensors {
        let name = part(&tensor.key);
        let (sum, count) = (squares(tensor), tensor.values.len());
        match parts.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, known, parameters)) => {
                *known += sum;
                *parameters += count;
            }
            None => parts.push((name, sum, count)),
        }
    }
    let gradient = |(name, sum, parameters): (String, f64, usize)| PartGradient {
        name,
        norm: sum.sqrt() as f32,
        parameters,
    };
    parts.into_iter().map(gradient).collect()
}

/// The part of a model that a Hugging Face key is of.
fn part(key: &str) -> String {
    let words: Vec<&str> = key.split('.').collect();
    let layer = words.windows(2).find(|pair| {
        pair[0].starts_with("layer") && pair[1].bytes().all(|byte| byte.is_ascii_digit())
    });
    match layer {
        Some(pair) => format!("layer.{}", pair[1]),
        None if key.contains("embeddings") => "embeddings".into(),
        None if key.starts_with("classifier.") && words.len() == 2 => "classifier".into(),
        None if key.contains("classifier.out_proj") => "classifier".into(),
        None => "pooler".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn each_family_has_the_same_parts() {
        for (key, name) in [
            ("bert.embeddings.LayerNorm.weight", "embeddings"),
            ("bert.encoder.layer.11.output.dense.bias", "layer.11"),
            ("bert.pooler.dense.weight", "pooler"),
            ("classifier.bias", "classifier"),
            ("roberta.encoder.layer.0.attention.self.key.bias", "layer.0"),
            ("classifier.dense.weight", "pooler"),
            ("classifier.out_proj.weight", "classifier"),
            ("distilbert.transformer.layer.3.ffn.lin1.weight", "layer.3"),
            ("distilbert.embeddings.sa_layer_norm.weight", "embeddings"),
            ("pre_classifier.bias", "pooler"),
            ("model.layers.2.mlp.Wi.weight", "layer.2"),
            ("head.norm.weight", "pooler"),
        ] {
            assert_eq!(part(key), name, "{key}");
        }
    }
}
