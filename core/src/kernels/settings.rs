//! What operations are told besides their tensors.

/// Keeps an element with probability 1 - `prob` and scales it by 1 / (1 - `prob`). Which ones is a
/// pure function of (seed, index), the same on every device: forward and backward need no stored
/// mask.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// Probability of dropping an element, in `0.0..1.0`.
    pub prob: f32,
    /// Another seed is another, unrelated mask.
    pub seed: u64,
}

/// How tokens attend to those of their row.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    pub heads: usize,
    /// How far from itself a token sees, in tokens to either side; the whole row where there is no
    /// number.
    pub window: Option<usize>,
    /// Falls on the probabilities.
    pub dropout: Option<Dropout>,
}

impl Attention {
    /// Of `len` tokens those that the one at `place` sees.
    #[cfg(any(test, feature = "flex"))]
    #[inline(always)]
    pub(super) fn seen(self, place: usize, len: usize) -> std::ops::Range<usize> {
        let window = self.window.unwrap_or(len);
        place.saturating_sub(window)..place.saturating_add(window).saturating_add(1).min(len)
    }
}

/// What the hash of [`Dropout::factor`] is made of, the same for every index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mask {
    pub(super) low: u32,
    pub(super) high: u32,
    /// Smallest hash that keeps.
    pub(super) threshold: u32,
    /// 1 / (1 - `prob`)
    pub(super) scale: f32,
}

impl Dropout {
    /// 0 or 1 / (1 - `prob`) for the element `index`. 32-bit operations only, so that a WGSL
    /// kernel computes the very same: the index goes through the `lowbias32` integer hash
    /// (Wellons, "Prospecting for Hash Functions", 2018), with one half of the mixed seed added
    /// before it and the other in its middle; added before it alone, it would only permute masks.
    #[cfg(any(test, feature = "flex"))]
    #[inline(always)]
    pub fn factor(self, index: u32) -> f32 {
        let Mask { low, high, threshold, scale } = self.mask();
        let mut hash = index ^ low;
        hash = (hash ^ (hash >> 16)).wrapping_mul(0x7feb_352d) ^ high;
        hash = (hash ^ (hash >> 15)).wrapping_mul(0x846c_a68b);
        hash ^= hash >> 16;
        if hash >= threshold { scale } else { 0.0 }
    }

    #[inline(always)]
    pub(super) fn mask(self) -> Mask {
        let low = mix(self.seed as u32 ^ 0x9e37_79b9);
        let high = mix((self.seed >> 32) as u32 ^ low);
        // prob·2³² is exact in f32 and the conversion saturates.
        let threshold = (self.prob * 4_294_967_296.0) as u32;
        Mask { low, high, threshold, scale: 1.0 / (1.0 - self.prob) }
    }
}

#[inline(always)]
fn mix(mut hash: u32) -> u32 {
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x7feb_352d);
    hash = (hash ^ (hash >> 15)).wrapping_mul(0x846c_a68b);
    hash ^ (hash >> 16)
}

/// One step of `torch.optim.AdamW`: `bias_correction1` is 1 - beta1ᵗ, `bias_correction2` 1 - beta2ᵗ,
/// and the gradient is multiplied by `grad_scale` first.
#[derive(Clone, Copy, Debug)]
pub struct AdamWStep {
    pub learning_rate: f32,
    pub beta1: f32,
    pub beta2: f32,
    pub epsilon: f32,
    pub weight_decay: f32,
    pub bias_correction1: f32,
    pub bias_correction2: f32,
    pub grad_scale: f32,
}
