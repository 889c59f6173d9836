//! What attention of all tokens and of first tokens share.

use super::{Floats, Ints, buffer, dense, floats, indices, tensor};

/// Any of them, of as many queries as `query_key_value` has: `kernel` takes those, the offsets, and
/// room for the result.
pub(super) fn attend(
    query_key_value: [Floats; 3],
    offsets: Ints,
    kernel: impl FnOnce([&[f32]; 3], &[usize], &mut [f32]),
) -> Floats {
    let qkv = query_key_value.map(dense);
    let values = qkv.each_ref().map(floats);
    let mut out = buffer(values[0].len());
    kernel(values, &indices(offsets), &mut out);
    tensor(out, qkv[0].layout().shape().clone())
}

/// Its backward pass: the same with the gradient, and room for those of queries, keys and values.
pub(super) fn attend_backward(
    query_key_value: [Floats; 3],
    offsets: Ints,
    grad: Floats,
    kernel: impl FnOnce([&[f32]; 3], &[usize], &[f32], [&mut [f32]; 3]),
) -> [Floats; 3] {
    let qkv = query_key_value.map(dense);
    let grad = dense(grad);
    let values = qkv.each_ref().map(floats);
    let [mut dq, mut dk, mut dv] = values.map(|values| buffer(values.len()));
    kernel(values, &indices(offsets), floats(&grad), [&mut dq, &mut dk, &mut dv]);
    let [q, k, v] = qkv.map(|tensor| tensor.layout().shape().clone());
    [tensor(dq, q), tensor(dk, k), tensor(dv, v)]
}
