//! Dropout without a stored mask.

pub(super) use super::super::settings::Dropout;
use super::simd::vectorized;
use super::threads::{for_each, part_len};

/// out\[i\] = x\[i\] · factor(i).
pub fn dropout(x: &[f32], dropout: Dropout, out: &mut [f32]) {
    assert_eq!(x.len(), out.len(), "dropout: x and out");
    let part = part_len(x.len(), 1);
    let parts: Vec<_> = x.chunks(part).zip(out.chunks_mut(part)).enumerate().collect();
    for_each(parts, |(number, (x, out))| {
        vectorized!(apply((number * part) as u32, x, dropout, out));
    });
}

#[inline(always)]
fn apply<const FUSED: bool>(first: u32, x: &[f32], dropout: Dropout, out: &mut [f32]) {
    for (offset, (x, out)) in (0u32..).zip(x.iter().zip(out)) {
        *out = x * dropout.factor(first.wrapping_add(offset));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_expected_share_and_scales_it() {
        for (prob, seed) in [(0.1_f32, 7), (0.5, 8), (0.9, u64::MAX)] {
            let count = 1 << 20;
            let mut out = vec![0.0; count];
            dropout(&vec![1.0; count], Dropout { prob, seed }, &mut out);
            let kept = out.iter().filter(|&&value| value != 0.0).count() as f32 / count as f32;
            assert!((kept - (1.0 - prob)).abs() < 0.002, "{prob}: {kept}");
            assert!(out.iter().all(|&value| value == 0.0 || value == 1.0 / (1.0 - prob)));
        }
    }

    #[test]
    fn other_seeds_and_neighbours_are_unrelated() {
        let mask = |seed| {
            let dropout = Dropout { prob: 0.5, seed };
            (0..1 << 16).map(|i| dropout.factor(i) > 0.0).collect::<Vec<_>>()
        };
        let first = mask(1);
        // A shift or an exclusive-or of the index must not turn one seed's mask into another's.
        for seed in [2, 3, 1 << 32, (1 << 32) + 1] {
            let other = mask(seed);
            for step in [0, 1, 2, 3, 512, 6144] {
                let same = (0..1 << 16).filter(|i| first[*i] == other[i ^ step]).count();
                assert!((32_000..33_500).contains(&same), "seed {seed}, step {step}: {same}");
            }
        }
        for step in [1, 2, 3, 512, 6144] {
            let same = (0..1 << 16).filter(|i| first[*i] == first[i ^ step]).count();
            assert!((32_000..33_500).contains(&same), "step {step}: {same}");
        }
    }

    #[test]
    fn is_a_function_of_seed_and_index() {
        // Computed in Python; whatever computes masks elsewhere (WGSL) must give these too.
        let dropout = Dropout { prob: 0.5, seed: 0x0123_4567_89ab_cdef };
        let mask: String =
            (0..32).map(|i| if dropout.factor(i) > 0.0 { '1' } else { '0' }).collect();
        assert_eq!(mask, "11111110001100001100100000111100");
    }
}
