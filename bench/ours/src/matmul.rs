//! The machine's limit as the `gemm` crate reaches it.

// `gemm` has no safe interface.
#![allow(unsafe_code)]

use gemm::Parallelism;

/// `out = left · right` for row-major `left` `[m, k]`, `right` `[k, n]` and `out` `[m, n]`, the
/// rows in as many parts as there are threads: the crate's own splitting was slower.
pub fn matmul(left: &[f32], right: &[f32], out: &mut [f32], [m, k, n]: [usize; 3]) {
    assert_eq!((left.len(), right.len(), out.len()), (m * k, k * n, m * n));
    let rows = m.div_ceil(rayon::current_num_threads());
    rayon::scope(|scope| {
        for (left, out) in left.chunks(rows * k).zip(out.chunks_mut(rows * n)) {
            scope.spawn(move |_| part(left, right, out, [left.len() / k, k, n]));
        }
    });
}

fn part(left: &[f32], right: &[f32], out: &mut [f32], [m, k, n]: [usize; 3]) {
    let (k_stride, n_stride) = (k as isize, n as isize);
    // SAFETY: the caller cuts the slices to [m, k], [k, n] and [m, n], each row after the other,
    // and `out` overlaps neither.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n_stride,
            false,
            left.as_ptr(),
            1,
            k_stride,
            right.as_ptr(),
            1,
            n_stride,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
