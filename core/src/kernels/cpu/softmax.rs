//! Softmax of one row of attention scores.

use super::dropout::Dropout;
use super::simd::{LANES, exp, max_lanes, sum_lanes};

/// Turns scores into exp(score - largest) and returns their sum. What pads the row to whole
/// chunks must be -∞.
#[inline(always)]
pub(super) fn exponentials<const FUSED: bool>(row: &mut [f32]) -> f32 {
    let (chunks, _) = row.as_chunks_mut::<LANES>();
    let mut largest = [f32::NEG_INFINITY; LANES];
    for chunk in &*chunks {
        for lane in 0..LANES {
            largest[lane] = if chunk[lane] > largest[lane] { chunk[lane] } else { largest[lane] };
        }
    }
    let largest = max_lanes(largest);
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            chunk[lane] = exp::<FUSED>(chunk[lane] - largest);
            sums[lane] += chunk[lane];
        }
    }
    sum_lanes(sums)
}

/// Multiplies a row of whole chunks by the dropout's factors; `first` is the index of its first
/// element.
#[inline(always)]
pub(super) fn drop_out(row: &mut [f32], dropout: Dropout, first: u32) {
    let mut index = first;
    for chunk in row.as_chunks_mut::<LANES>().0 {
        for (lane, value) in (0u32..).zip(chunk) {
            *value *= dropout.factor(index.wrapping_add(lane));
        }
        index = index.wrapping_add(LANES as u32);
    }
}
