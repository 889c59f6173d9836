//! Lower learning rates for layers closer to the input: ELECTRA's `layerwise_lr_decay` (Clark et al.
//! 2020, <https://arxiv.org/abs/2003.10555>, `_get_layer_lrs` of its `model/optimization.py`).

/// The decay from one layer to the next below, in an encoder of so many layers.
#[derive(Clone, Copy, Debug)]
pub(super) struct LayerRates {
    pub(super) decay: f64,
    pub(super) layers: usize,
}

impl LayerRates {
    /// The factor on the learning rate of the parameter at a path of our modules:
    /// `decay^(layers + 2 - depth)`, where the head is at depth `layers + 2`, layer `n` (from 0) at
    /// `n + 1`, the embeddings at 0.
    pub(super) fn factor(self, path: &[String]) -> f64 {
        self.decay.powi((self.layers + 2).saturating_sub(self.depth(path)) as i32)
    }

    fn depth(self, path: &[String]) -> usize {
        let Some(encoder) = path.first().filter(|first| *first == "bert").map(|_| &path[1..])
        else {
            return self.layers + 2;
        };
        let stack = encoder.iter().position(|name| ["layer", "layers"].contains(&name.as_str()));
        let layer = stack.and_then(|at| encoder.get(at + 1)?.parse::<usize>().ok());
        match layer {
            Some(layer) => layer + 1,
            // What ModernBERT has above its layers.
            None if encoder.iter().any(|name| name == "final_norm") => self.layers + 1,
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What ELECTRA's function gives for 3 layers and a decay of 0.8.
    #[test]
    fn factors_are_those_of_electra() {
        let rates = LayerRates { decay: 0.8, layers: 3 };
        for (path, expected) in [
            ("bert.Bert.embeddings.word_embeddings.weight", 0.32768),
            ("bert.Bert.embeddings_project.weight", 0.32768),
            ("bert.Bert.encoder.layer.0.output.dense.weight", 0.4096),
            ("bert.Bert.encoder.layer.2.attention.output.layer_norm.gamma", 0.64),
            ("bert.ModernBert.layers.1.attn.wqkv.weight.lora.a", 0.512),
            ("bert.ModernBert.final_norm.gamma", 0.8),
            ("pooler.dense.weight", 1.0),
            ("classifier.bias", 1.0),
        ] {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            assert!((rates.factor(&path) - expected).abs() < 1e-12, "{path:?}");
        }
        let none = LayerRates { decay: 1.0, layers: 3 };
        assert_eq!(none.factor(&["bert".into()]), 1.0);
    }
}
