//! Matrix products with a right matrix that lies transposed, as PyTorch stores the weight of a
//! linear layer: an element of out is the dot product of two rows. Nothing is packed, which for a
//! short text takes as long as its product.

use pulp::{Simd, WithSimd};

use super::simd::Once;

/// k must be a multiple of this: the lanes of the widest vectors.
pub(super) const DEPTH: usize = 16;

/// Rows of a that are taken at a time.
const ROWS: usize = 4;

/// `m` rows of k times `n` rows of k: out\[i, j\] = alpha·a\[i\]·b\[j\], or += where `add`.
pub(super) struct Dots<'a> {
    /// \[m, n, k\]
    pub shape: [usize; 3],
    /// Row i from `i·a_stride` on.
    pub a: &'a [f32],
    pub a_stride: usize,
    pub b: &'a [f32],
    pub b_stride: usize,
    pub alpha: f32,
    pub out: *mut f32,
    pub out_stride: usize,
    pub add: bool,
}

impl Dots<'_> {
    /// # Safety
    /// Every element of out must lie inside its allocation, and nobody else may use it meanwhile.
    #[allow(unsafe_code)]
    pub(super) unsafe fn run(self) {
        let [m, n, k] = self.shape;
        assert!(k > 0 && k.is_multiple_of(DEPTH), "dots: k {k}");
        assert!(m > 0 && (m - 1) * self.a_stride + k <= self.a.len(), "dots: a");
        assert!(n > 0 && (n - 1) * self.b_stride + k <= self.b.len(), "dots: b");
        pulp::Arch::new().dispatch(self);
    }
}

impl WithSimd for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // A register for each sum, for each row of b, and one for a.
        let once = Once;
        match S::F32_LANES {
            16 => tiles::<S, 6>(simd, &self, once),
            _ => tiles::<S, 3>(simd, &self, once),
        }
    }
}

/// Rows of b by `C`, which stay in the first cache, against all rows of a.
#[inline(always)]
fn tiles<S: Simd, const C: usize>(simd: S, dots: &Dots<'_>, _once: Once) {
    let [m, n, _] = dots.shape;
    let (rows, cols) = (m - m % ROWS, n - n % C);
    for col in (0..cols).step_by(C) {
        for row in (0..rows).step_by(ROWS) {
            tile::<S, ROWS, C>(simd, dots, row, col);
        }
        for row in rows..m {
            tile::<S, 1, C>(simd, dots, row, col);
        }
    }
    for col in cols..n {
        for row in (0..rows).step_by(ROWS) {
            tile::<S, ROWS, 1>(simd, dots, row, col);
        }
        for row in rows..m {
            tile::<S, 1, 1>(simd, dots, row, col);
        }
    }
}

/// `R` rows of a against `C` rows of b.
#[inline(always)]
#[allow(unsafe_code)]
fn tile<S: Simd, const R: usize, const C: usize>(simd: S, dots: &Dots<'_>, row: usize, col: usize) {
    let k = dots.shape[2];
    let a = &dots.a[row * dots.a_stride..][..(R - 1) * dots.a_stride + k];
    let b = &dots.b[col * dots.b_stride..][..(C - 1) * dots.b_stride + k];
    let (a, b) = (a.as_ptr(), b.as_ptr());
    let mut sums = [[simd.splat_f32s(0.0); C]; R];
    for d in (0..k).step_by(S::F32_LANES) {
        let mut right = [simd.splat_f32s(0.0); C];
        for (c, right) in right.iter_mut().enumerate() {
            // SAFETY: k, whole vectors, of each row are in the slice.
            *right = unsafe { b.add(c * dots.b_stride + d).cast::<S::f32s>().read_unaligned() };
        }
        for (r, sums) in sums.iter_mut().enumerate() {
            // SAFETY: as above.
            let left = unsafe { a.add(r * dots.a_stride + d).cast::<S::f32s>().read_unaligned() };
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = simd.mul_add_e_f32s(left, right, *sum);
            }
        }
    }
    for (r, sums) in sums.into_iter().enumerate() {
        for (c, sum) in sums.into_iter().enumerate() {
            let value = dots.alpha * simd.reduce_sum_f32s(sum);
            // SAFETY: the promise to `run`.
            unsafe {
                let out = dots.out.add((row + r) * dots.out_stride + col + c);
                *out = if dots.add { *out + value } else { value };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, values};
    use super::*;

    #[test]
    #[allow(unsafe_code)]
    fn equals_a_plain_loop() {
        for [m, n, k] in [[1, 1, 16], [4, 6, 16], [7, 13, 48], [33, 20, 384], [9, 3, 1536]] {
            for add in [false, true] {
                let (a, b, before) = (values(m * k, 1), values(n * k, 2), values(m * n, 3));
                let mut out = before.clone();
                let dots = Dots {
                    shape: [m, n, k],
                    a: &a,
                    a_stride: k,
                    b: &b,
                    b_stride: k,
                    alpha: 0.5,
                    out: out.as_mut_ptr(),
                    out_stride: n,
                    add,
                };
                // SAFETY: all of out.
                unsafe { dots.run() };
                let each = |i| {
                    let rows = a[i / n * k..][..k].iter().zip(&b[i % n * k..][..k]);
                    let sum: f64 = rows.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                    0.5 * sum + if add { f64::from(before[i]) } else { 0.0 }
                };
                let expected: Vec<f64> = (0..m * n).map(each).collect();
                assert_close(&out, &expected, 1e-5, &format!("{m} {n} {k}"));
            }
        }
    }
}
