//! The linear layer.

use super::matmul::{Matrix, matmul, matmul_over};
use super::simd::vectorized;
use super::threads::{for_each, part_len};

/// out = x·weight + bias; x is \[n, inputs\], `weight` \[inputs, outputs\], `bias` \[outputs\].
pub fn linear(x: &[f32], weight: Matrix<'_>, bias: &[f32], out: &mut [f32], inputs: usize) {
    let outputs = bias.len();
    let rows = x.len() / inputs;
    assert_eq!(x.len(), rows * inputs, "linear: x of rows of {inputs}");
    assert_eq!(out.len(), rows * outputs, "linear: out [{rows}, {outputs}]");
    let x = Matrix { values: x, row_stride: inputs, col_stride: 1 };
    // The product reads out anyway, to own its cache lines: added to the bias, it costs less than
    // the bias added to it.
    let before = |col: usize, row: &mut [f32]| row.copy_from_slice(&bias[col..][..row.len()]);
    matmul_over([rows, inputs, outputs], x, weight, 1.0, out, true, before);
}

/// The gradients of [`linear`] at `grad` \[n, outputs\]: `dx` \[n, inputs\] where it is wanted,
/// `dw` \[inputs, outputs\] and `db` \[outputs\].
#[allow(clippy::too_many_arguments)]
pub fn linear_backward(
    x: &[f32],
    weight: Matrix<'_>,
    grad: &[f32],
    inputs: usize,
    outputs: usize,
    dx: Option<&mut [f32]>,
    dw: &mut [f32],
    db: &mut [f32],
) {
    let rows = x.len() / inputs;
    assert_eq!(x.len(), rows * inputs, "linear_backward: x of rows of {inputs}");
    assert_eq!(grad.len(), rows * outputs, "linear_backward: grad [{rows}, {outputs}]");
    assert_eq!(dw.len(), inputs * outputs, "linear_backward: dw [{inputs}, {outputs}]");
    assert_eq!(db.len(), outputs, "linear_backward: db [{outputs}]");
    let gradient = Matrix { values: grad, row_stride: outputs, col_stride: 1 };
    if let Some(dx) = dx {
        let Matrix { values, row_stride, col_stride } = weight;
        let transposed = Matrix { values, row_stride: col_stride, col_stride: row_stride };
        matmul([rows, outputs, inputs], gradient, transposed, 1.0, dx, false);
    }
    let x = Matrix { values: x, row_stride: 1, col_stride: inputs };
    matmul([inputs, rows, outputs], x, gradient, 1.0, dw, false);
    column_sums(grad, db);
}

/// sums\[j\] = Σᵢ values\[i, j\].
fn column_sums(values: &[f32], sums: &mut [f32]) {
    let width = sums.len();
    let part = part_len(values.len() / width, width) * width;
    let mut partial = vec![0.0; values.len().div_ceil(part) * width];
    let parts: Vec<_> = values.chunks(part).zip(partial.chunks_mut(width)).collect();
    for_each(parts, |(values, sums)| vectorized!(add_rows(values, sums)));
    sums.fill(0.0);
    vectorized!(add_rows(&partial, sums));
}

#[inline(always)]
fn add_rows<const FUSED: bool>(rows: &[f32], sums: &mut [f32]) {
    for row in rows.chunks_exact(sums.len()) {
        add::<FUSED>(row, sums);
    }
}

#[inline(always)]
fn add<const FUSED: bool>(values: &[f32], out: &mut [f32]) {
    for (out, value) in out.iter_mut().zip(values) {
        *out += value;
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, values};
    use super::*;

    #[test]
    fn equals_a_plain_loop() {
        for [n, i, o] in
            [[1, 1, 1], [7, 31, 33], [33, 500, 7], [500, 33, 31], [300, 384, 128], [40, 200, 301]]
        {
            for transposed in [false, true] {
                let (x, w, bias) = (values(n * i, 1), values(i * o, 2), values(o, 3));
                let grad = values(n * o, 4);
                let (row_stride, col_stride) = if transposed { (1, i) } else { (o, 1) };
                let weight = Matrix { values: &w, row_stride, col_stride };
                let wide = |x: f32| f64::from(x);
                let at = |a, b| wide(w[a * row_stride + b * col_stride]);
                let what = format!("{n} {i} {o}");

                let mut out = vec![9.0; n * o];
                linear(&x, weight, &bias, &mut out, i);
                let each = |t| {
                    let sum: f64 = (0..i).map(|a| wide(x[t / o * i + a]) * at(a, t % o)).sum();
                    sum + wide(bias[t % o])
                };
                assert_close(&out, &(0..n * o).map(each).collect::<Vec<_>>(), 1e-5, &what);

                let (mut dx, mut dw, mut db) = (vec![9.0; n * i], vec![9.0; i * o], vec![9.0; o]);
                linear_backward(&x, weight, &grad, i, o, Some(&mut dx), &mut dw, &mut db);
                let each = |t| (0..o).map(|b| wide(grad[t / i * o + b]) * at(t % i, b)).sum();
                assert_close(&dx, &(0..n * i).map(each).collect::<Vec<_>>(), 1e-5, &what);
                let each =
                    |t| (0..n).map(|r| wide(x[r * i + t / o]) * wide(grad[r * o + t % o])).sum();
                assert_close(&dw, &(0..i * o).map(each).collect::<Vec<_>>(), 1e-5, &what);
                let each = |b| (0..n).map(|r| wide(grad[r * o + b])).sum();
                assert_close(&db, &(0..o).map(each).collect::<Vec<_>>(), 1e-5, &what);

                let before = (dw.clone(), db.clone());
                linear_backward(&x, weight, &grad, i, o, None, &mut dw, &mut db);
                assert_eq!(before, (dw, db), "written, not added");
            }
        }
    }
}
