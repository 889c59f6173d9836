//! Gradients of an embedding table, which are zero in all rows but those of the batch's ids.

use super::adamw::{AdamWStep, Rates};
use super::simd::vectorized;
use super::threads::{for_each, part_len};

/// The distinct `ids`, ascending, and the sum of the `rows` \[ids, width\] of each.
pub fn merge_rows(ids: &[usize], rows: &[f32], width: usize) -> (Vec<usize>, Vec<f32>) {
    assert_eq!(rows.len(), ids.len() * width, "merge_rows: {} rows of {width}", ids.len());
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_by_key(|&place| ids[place]);
    let mut distinct = Vec::new();
    let mut sums: Vec<f32> = Vec::with_capacity(rows.len());
    for place in order {
        let row = &rows[place * width..][..width];
        if distinct.last() == Some(&ids[place]) {
            let start = sums.len() - width;
            sums[start..].iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        } else {
            distinct.push(ids[place]);
            sums.extend_from_slice(row);
        }
    }
    (distinct, sums)
}

/// [`super::adamw`] of a table of rows of `width`, whose gradient is `rows` in the rows `ids`
/// (distinct, ascending) and zero elsewhere.
pub fn adamw_rows(
    table: &mut [f32],
    width: usize,
    ids: &[usize],
    rows: &[f32],
    m: &mut [f32],
    v: &mut [f32],
    step: AdamWStep,
) {
    let len = table.len();
    assert!(m.len() == len && v.len() == len && len.is_multiple_of(width), "adamw_rows: lengths");
    assert_eq!(rows.len(), ids.len() * width, "adamw_rows: {} rows of {width}", ids.len());
    let part = part_len(len / width, width) * width;
    let parts = table.chunks_mut(part).zip(m.chunks_mut(part).zip(v.chunks_mut(part)));
    for_each(parts.enumerate().collect(), |(number, (table, (m, v)))| {
        let first = number * part / width;
        let begin = ids.partition_point(|&id| id < first);
        let end = ids.partition_point(|&id| id < first + table.len() / width);
        let grad = Sparse { first, ids: &ids[begin..end], rows: &rows[begin * width..] };
        vectorized!(update(table, width, grad, m, v, step));
    });
}

/// The gradient of the rows of a table from row `first` on.
struct Sparse<'a> {
    first: usize,
    ids: &'a [usize],
    rows: &'a [f32],
}

#[inline(always)]
fn update<const FUSED: bool>(
    table: &mut [f32],
    width: usize,
    grad: Sparse<'_>,
    m: &mut [f32],
    v: &mut [f32],
    step: AdamWStep,
) {
    let rates = Rates::new(step);
    let mut pending = grad.ids.iter().zip(grad.rows.chunks_exact(width)).peekable();
    let rows = table.chunks_exact_mut(width).zip(m.chunks_exact_mut(width));
    for (offset, ((table, m), v)) in rows.zip(v.chunks_exact_mut(width)).enumerate() {
        if let Some((_, grad)) = pending.next_if(|(id, _)| **id == grad.first + offset) {
            for (((param, grad), m), v) in table.iter_mut().zip(grad).zip(m).zip(v) {
                rates.update(param, grad * step.grad_scale, m, v);
            }
        } else if v.iter().any(|&v| v != 0.0) {
            for ((param, m), v) in table.iter_mut().zip(m).zip(v) {
                rates.update(param, 0.0, m, v);
            }
        } else if step.weight_decay > 0.0 {
            // Never trained: the moments are zero and stay so.
            table.iter_mut().for_each(|param| *param = rates.decayed(*param));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::cpu::adamw;

    #[test]
    fn a_row_named_twice_is_the_sum() {
        let rows = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(merge_rows(&[7, 2, 7], &rows, 2), (vec![2, 7], vec![3.0, 4.0, 6.0, 8.0]));
        assert_eq!(merge_rows(&[], &[], 2), (vec![], vec![]));
    }

    /// Rows with a gradient now, with one before, and never.
    #[test]
    fn the_same_as_a_dense_gradient_of_zeros() {
        const ROWS: usize = 2000;
        const WIDTH: usize = 33;
        let value = |i: usize| ((i * 7919) % 1000) as f32 / 500.0 - 1.0;
        let step = AdamWStep {
            learning_rate: 1e-2,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
            bias_correction1: 0.1,
            bias_correction2: 0.001,
            grad_scale: 0.7,
        };
        let start: Vec<f32> = (0..ROWS * WIDTH).map(value).collect();
        let zeros = vec![0.0; ROWS * WIDTH];
        let (mut sparse, mut dense) =
            ([start.clone(), zeros.clone(), zeros.clone()], [start, zeros.clone(), zeros]);
        for ids in [vec![0, 5, 1999], vec![5, 6, 1000], vec![]] {
            let rows: Vec<f32> = (0..ids.len() * WIDTH).map(|i| value(i + ids.len())).collect();
            let mut grad = vec![0.0; ROWS * WIDTH];
            for (&id, row) in ids.iter().zip(rows.chunks(WIDTH)) {
                grad[id * WIDTH..][..WIDTH].copy_from_slice(row);
            }
            let [table, m, v] = &mut sparse;
            adamw_rows(table, WIDTH, &ids, &rows, m, v, step);
            let [table, m, v] = &mut dense;
            adamw(table, &grad, m, v, step);
        }
        for (sparse, dense) in sparse.iter().flatten().zip(dense.iter().flatten()) {
            assert!((sparse - dense).abs() <= 1e-7, "{sparse} {dense}");
        }
    }
}
