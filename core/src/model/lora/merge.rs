//! Adapters from a file, added to the weights that they belong to while these are read.

use std::collections::BTreeMap;

use safetensors::tensor::TensorInfo;

use crate::{Error, Result};

/// What peft puts before the key of each tensor.
pub(super) const PREFIX: &str = "base_model.model.";
const A: &str = ".lora_A.weight";
const B: &str = ".lora_B.weight";

/// Where a tensor stands: the number of its file, and where in it.
type Place = (usize, TensorInfo);

/// What products of adapters of `r` rows are multiplied by.
#[derive(Clone, Copy, Default)]
pub(in crate::model) struct Scaling {
    pub(in crate::model) r: usize,
    pub(in crate::model) scale: f64,
}

/// The factors beside weights, by the keys of the weights.
#[derive(Default)]
pub(in crate::model) struct Adapters {
    pub(in crate::model) scaling: Scaling,
    factors: BTreeMap<String, [Option<Place>; 2]>,
}

impl Adapters {
    /// The key of a tensor of an adapter's file in the model.
    pub(in crate::model) fn bare(key: &str) -> &str {
        key.strip_prefix(PREFIX).unwrap_or(key)
    }

    /// Takes the factors out of the tensors of a file.
    ///
    /// # Errors
    /// [`Error::BadSafetensors`] where a factor is without its other, or without its weight.
    pub(in crate::model) fn take(
        name: &str,
        scaling: Scaling,
        tensors: &mut BTreeMap<String, Place>,
    ) -> Result<Self> {
        let bad = |reason: String| Error::BadSafetensors { name: name.into(), reason };
        let mut factors: BTreeMap<String, [Option<Place>; 2]> = BTreeMap::new();
        let keys: Vec<String> =
            tensors.keys().filter(|key| key.contains(".lora_")).cloned().collect();
        for key in keys {
            let found = [A, B].into_iter().position(|end| key.ends_with(end));
            let Some(which) = found else { return Err(bad(format!("\"{key}\" is not supported"))) };
            let module = key.strip_suffix([A, B][which]).unwrap_or(&key);
            let weight = format!("{module}.weight");
            if !tensors.contains_key(&weight) {
                return Err(bad(format!("\"{key}\" adapts \"{weight}\", which is not there")));
            }
            factors.entry(weight).or_default()[which] = tensors.remove(&key);
        }
        let whole = |pair: &[Option<Place>; 2]| pair.iter().all(Option::is_some);
        match factors.iter().find(|(_, pair)| !whole(pair)) {
            Some((weight, _)) => Err(bad(format!("only one factor of \"{weight}\" is there"))),
            None => Ok(Self { scaling, factors }),
        }
    }

    /// The factors of a weight.
    pub(in crate::model) fn of(&self, key: &str) -> Option<[&Place; 2]> {
        match self.factors.get(key) {
            Some([Some(a), Some(b)]) => Some([a, b]),
            _ => None,
        }
    }
}

/// Adds `scale · b·a` to a weight `[out, in]`: `a` is `[r, in]`, `b` `[out, r]`.
pub(in crate::model) fn add_product(weight: &mut [f32], [a, b]: [&[f32]; 2], scaling: Scaling) {
    let Scaling { r, scale } = scaling;
    let inputs = a.len() / r.max(1);
    for (row, factors) in weight.chunks_mut(inputs.max(1)).zip(b.chunks(r.max(1))) {
        for (factor, a) in factors.iter().zip(a.chunks(inputs.max(1))) {
            let factor = (f64::from(*factor) * scale) as f32;
            row.iter_mut().zip(a).for_each(|(value, a)| *value += factor * a);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_added_to_a_weight() {
        // [2, 3] and r = 2
        let mut weight = [1.0; 6];
        let factors: [&[f32]; 2] = [&[1.0, 2.0, 3.0, 0.5, 0.0, -1.0], &[1.0, 2.0, -1.0, 0.0]];
        add_product(&mut weight, factors, Scaling { r: 2, scale: 0.5 });
        assert_eq!(weight, [2.0, 2.0, 1.5, 0.5, 0.0, -0.5]);
    }
}
