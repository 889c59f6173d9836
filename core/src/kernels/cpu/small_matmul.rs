//! Products of matrices that fit the caches: attention's, where packing by a general `gemm` would
//! cost as much as the product.

use pulp::Simd;

use super::simd::Once;

/// A matrix by slice and strides, to be multiplied from the left.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    pub values: &'a [f32],
    pub row_stride: usize,
    pub col_stride: usize,
}

/// Rows of the tile that is kept in registers, and vectors in each.
const TILE_ROWS: usize = 6;
const TILE_VECTORS: usize = 2;

/// out\[i, j\] = Σ a(i, d)·b\[d, j\], or += where `add`, for `shape` \[m, k, n\]; rows of `b` and
/// `out` are contiguous and `b_stride`, `out_stride` apart. n must be a multiple of 16.
#[inline(never)]
#[allow(clippy::too_many_arguments)]
pub(super) fn small_matmul<S: Simd>(
    simd: S,
    shape: [usize; 3],
    a: Left<'_>,
    b: &[f32],
    b_stride: usize,
    out: &mut [f32],
    out_stride: usize,
    add: bool,
) {
    let once = Once;
    simd.vectorize(
        #[inline(always)]
        move || {
            let _once = once;
            tiles(simd, shape, a, b, b_stride, out, out_stride, add);
        },
    );
}

#[inline(always)]
#[allow(unsafe_code, clippy::too_many_arguments)]
fn tiles<S: Simd>(
    simd: S,
    shape: [usize; 3],
    a: Left<'_>,
    b: &[f32],
    b_stride: usize,
    out: &mut [f32],
    out_stride: usize,
    add: bool,
) {
    let [m, k, n] = shape;
    assert!(m > 0 && k > 0 && n > 0 && n.is_multiple_of(16), "small_matmul: {shape:?}");
    assert!((m - 1) * a.row_stride + (k - 1) * a.col_stride < a.values.len(), "small_matmul: a");
    assert!((k - 1) * b_stride + n <= b.len(), "small_matmul: b");
    assert!((m - 1) * out_stride + n <= out.len(), "small_matmul: out");
    let mut column = 0;
    while column < n {
        let wide = n - column >= TILE_VECTORS * S::F32_LANES;
        for row in (0..m).step_by(TILE_ROWS) {
            // SAFETY: the asserts above; a tile reads rows row.. and columns column.. inside them.
            unsafe {
                let tile = Tile {
                    simd,
                    k,
                    a: a.values.as_ptr().add(row * a.row_stride),
                    a_strides: [a.row_stride, a.col_stride],
                    b: b.as_ptr().add(column),
                    b_stride,
                    out: out.as_mut_ptr().add(row * out_stride + column),
                    out_stride,
                    add,
                };
                match wide {
                    true => tile.run_rows::<TILE_VECTORS>(m - row),
                    false => tile.run_rows::<1>(m - row),
                }
            }
        }
        column += if wide { TILE_VECTORS * S::F32_LANES } else { S::F32_LANES };
    }
}

struct Tile<S> {
    simd: S,
    k: usize,
    a: *const f32,
    a_strides: [usize; 2],
    b: *const f32,
    b_stride: usize,
    out: *mut f32,
    out_stride: usize,
    add: bool,
}

#[allow(unsafe_code)]
impl<S: Simd> Tile<S> {
    /// # Safety
    /// Rows of a and out up to the lesser of `rows` and [`TILE_ROWS`], k columns of a and rows of
    /// b, and `V` vectors of columns of b and out must be inside their slices.
    #[inline(always)]
    unsafe fn run_rows<const V: usize>(self, rows: usize) {
        // SAFETY: the caller's.
        unsafe {
            match rows {
                1 => self.run::<1, V>(),
                2 => self.run::<2, V>(),
                3 => self.run::<3, V>(),
                4 => self.run::<4, V>(),
                5 => self.run::<5, V>(),
                _ => self.run::<TILE_ROWS, V>(),
            }
        }
    }

    /// # Safety
    /// As [`Self::run_rows`] of `R` rows.
    #[inline(always)]
    unsafe fn run<const R: usize, const V: usize>(self) {
        let Self { simd, k, a, a_strides: [row, col], b, b_stride, out, out_stride, add } = self;
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        for d in 0..k {
            let mut right = [simd.splat_f32s(0.0); V];
            for (v, right) in right.iter_mut().enumerate() {
                // SAFETY: the caller's; vectors need no alignment here.
                *right = unsafe {
                    b.add(d * b_stride + v * S::F32_LANES).cast::<S::f32s>().read_unaligned()
                };
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the caller's.
                let left = simd.splat_f32s(unsafe { *a.add(r * row + d * col) });
                for (sum, right) in sums.iter_mut().zip(right) {
                    *sum = simd.mul_add_e_f32s(left, right, *sum);
                }
            }
        }
        for (r, sums) in sums.into_iter().enumerate() {
            for (v, sum) in sums.into_iter().enumerate() {
                // SAFETY: the caller's.
                unsafe {
                    let out = out.add(r * out_stride + v * S::F32_LANES).cast::<S::f32s>();
                    let before = if add { out.read_unaligned() } else { simd.splat_f32s(0.0) };
                    out.write_unaligned(simd.add_f32s(before, sum));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, values};
    use super::*;

    struct Run<'a>([usize; 3], Left<'a>, &'a [f32], &'a mut [f32], bool);

    impl pulp::WithSimd for Run<'_> {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            let Run(shape, a, b, out, add) = self;
            small_matmul(simd, shape, a, b, shape[2], out, shape[2], add);
        }
    }

    #[test]
    fn equals_a_plain_loop() {
        for (m, k) in (1..=13).flat_map(|m| [1, 5, 32].map(|k| (m, k))) {
            for (n, transposed, add) in [(16, false, true), (32, true, false), (80, true, true)] {
                let (left, b, before) = (values(m * k, 1), values(k * n, 2), values(m * n, 3));
                let (row_stride, col_stride) = if transposed { (1, m) } else { (k, 1) };
                let mut out = before.clone();
                let a = Left { values: &left, row_stride, col_stride };
                pulp::Arch::new().dispatch(Run([m, k, n], a, &b, &mut out, add));
                let each = |i| {
                    let at = |d| f64::from(left[i / n * row_stride + d * col_stride]);
                    let sum: f64 = (0..k).map(|d| at(d) * f64::from(b[d * n + i % n])).sum();
                    sum + if add { f64::from(before[i]) } else { 0.0 }
                };
                let expected: Vec<f64> = (0..m * n).map(each).collect();
                assert_close(&out, &expected, 3e-6, &format!("{m} {k} {n}"));
            }
        }
    }
}
