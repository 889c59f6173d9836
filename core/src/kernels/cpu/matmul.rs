//! Matrix products, by the `gemm` crate.

use gemm::Parallelism;

use super::threads::{Shared, count, for_each};

/// A strided view: element (i, j) stands at `values[i * row_stride + j * col_stride]`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    pub values: &'a [f32],
    pub row_stride: usize,
    pub col_stride: usize,
}

impl<'a> Matrix<'a> {
    /// The part of it from (`row`, `col`) on.
    fn from(self, row: usize, col: usize) -> Self {
        let start = row * self.row_stride + col * self.col_stride;
        Self { values: &self.values[start..], ..self }
    }

    fn assert_holds(self, rows: usize, cols: usize, name: &str) {
        let last = (rows - 1) * self.row_stride + (cols - 1) * self.col_stride;
        assert!(last < self.values.len(), "{name}: [{rows}, {cols}] in {}", self.values.len());
    }
}

/// Multiplications below which one thread does the whole product.
const SERIAL: usize = 1 << 20;

/// How much of k is taken at a time where `a` lies transposed: `gemm` packs it, and reads from too
/// many pages at once when it chooses the depth itself (a tenth slower at k = 2048).
const DEPTH: usize = 128;

/// out = alpha·a·b, or out += alpha·a·b where `add`; a is \[m, k\], b \[k, n\], out \[m, n\]
/// contiguous, `shape` \[m, k, n\].
pub fn matmul(
    shape: [usize; 3],
    a: Matrix<'_>,
    b: Matrix<'_>,
    alpha: f32,
    out: &mut [f32],
    add: bool,
) {
    matmul_over(shape, a, b, alpha, out, add, |_, _| {});
}

/// As [`matmul`]; a thread calls `before` for each row of its part of out first, with the column
/// that the part starts at.
pub(super) fn matmul_over(
    shape: [usize; 3],
    a: Matrix<'_>,
    b: Matrix<'_>,
    alpha: f32,
    out: &mut [f32],
    add: bool,
    before: impl Fn(usize, &mut [f32]) + Send + Sync,
) {
    let [m, k, n] = shape;
    assert_eq!(out.len(), m * n, "matmul: out of {shape:?}");
    if m == 0 || n == 0 {
        return;
    }
    assert!(k > 0, "matmul: {shape:?}");
    a.assert_holds(m, k, "matmul: a");
    b.assert_holds(k, n, "matmul: b");
    let depth = if a.row_stride < a.col_stride { DEPTH } else { k };
    let out = Shared::new(out);
    for_each(blocks(shape), |Block { rows: [row, rows], cols: [col, cols] }| {
        for row in row..row + rows {
            // SAFETY: blocks are disjoint, and pieces of one are taken one by one.
            #[allow(unsafe_code)]
            before(col, unsafe { out.piece(row * n + col, cols) });
        }
        for first in (0..k).step_by(depth) {
            let shape = [rows, depth.min(k - first), cols];
            let (a, b) = (a.from(row, first), b.from(first, col));
            // SAFETY: blocks are disjoint and inside [m, n], where the asserts hold.
            #[allow(unsafe_code)]
            unsafe {
                let out = out.pointer(row * n + col);
                product(shape, a, b, alpha, out, n, add || first > 0);
            }
        }
    });
}

/// A block of a product, by the first and the number of its rows and columns.
struct Block {
    rows: [usize; 2],
    cols: [usize; 2],
}

/// A block for each thread. The longer side is cut, which measured best throughout: what stands
/// along the other is then packed by all of them, and is the smaller part.
fn blocks([m, k, n]: [usize; 3]) -> Vec<Block> {
    let threads = if m * k * n < SERIAL { 1 } else { count() };
    let longer = m.max(n);
    let size = longer.div_ceil(threads).next_multiple_of(if threads > 1 { 16 } else { 1 });
    let ranges = (0..longer).step_by(size).map(|first| [first, size.min(longer - first)]);
    match m >= n {
        true => ranges.map(|rows| Block { rows, cols: [0, n] }).collect(),
        false => ranges.map(|cols| Block { rows: [0, m], cols }).collect(),
    }
}

/// # Safety
/// Every element of a, b and out, whose rows are `out_stride` apart, must lie inside its
/// allocation, and nobody else may use those of out meanwhile.
#[allow(unsafe_code)]
unsafe fn product(
    [m, k, n]: [usize; 3],
    a: Matrix<'_>,
    b: Matrix<'_>,
    alpha: f32,
    out: *mut f32,
    out_stride: usize,
    add: bool,
) {
    // SAFETY: the caller's.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out,
            1,
            out_stride as isize,
            add,
            a.values.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            1.0,
            alpha,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, values};
    use super::*;

    #[test]
    fn equals_a_plain_loop() {
        let sizes =
            [[1, 1, 1], [7, 31, 33], [33, 500, 7], [500, 33, 31], [1, 384, 6], [130, 97, 260]];
        for [m, k, n] in sizes {
            for case in 0..8 {
                let (a, b) = (values(m * k, 1), values(k * n, 2));
                let view = |values, rows, cols, transposed| match transposed {
                    true => Matrix { values, row_stride: 1, col_stride: rows },
                    false => Matrix { values, row_stride: cols, col_stride: 1 },
                };
                let a = view(&a, m, k, case & 1 > 0);
                let b = view(&b, k, n, case & 2 > 0);
                let add = case & 4 > 0;
                let before = values(m * n, 3);
                let mut out = before.clone();
                matmul([m, k, n], a, b, 0.5, &mut out, add);
                let at =
                    |m: Matrix<'_>, i, j| f64::from(m.values[i * m.row_stride + j * m.col_stride]);
                let expected: Vec<f64> = (0..m * n)
                    .map(|i| {
                        let sum: f64 = (0..k).map(|d| at(a, i / n, d) * at(b, d, i % n)).sum();
                        0.5 * sum + if add { f64::from(before[i]) } else { 0.0 }
                    })
                    .collect();
                assert_close(&out, &expected, 1e-5, &format!("{m} {k} {n}, case {case}"));
            }
        }
    }

    #[test]
    fn empty_products() {
        let none = Matrix { values: &[], row_stride: 0, col_stride: 1 };
        matmul([0, 4, 3], none, none, 1.0, &mut [], false);
    }
}
