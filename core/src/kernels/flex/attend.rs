//! What attention of all tokens and of first tokens share.

use super::{Floats, Ints, buffer, dense, floats, indices, tensor};
use crate::kernels::Dropout;

/// Attention of `cpu`: queries, keys, values, offsets, heads, dropout, and room for the result.
type Attend = fn(&[f32], &[f32], &[f32], &[usize], usize, Option<Dropout>, &mut [f32]);

/// Any of them, of as many queries as `query_key_value` has.
pub(super) fn attend(
    kernel: Attend,
    query_key_value: [Floats; 3],
    offsets: Ints,
    heads: usize,
    dropout: Option<Dropout>,
) -> Floats {
    let qkv = query_key_value.map(dense);
    let [q, k, v] = qkv.each_ref().map(floats);
    let mut out = buffer(q.len());
    kernel(q, k, v, &indices(offsets), heads, dropout, &mut out);
    tensor(out, qkv[0].layout().shape().clone())
}

/// Its backward pass: the same with the gradient, and room for those of queries, keys and values.
type AttendBackward = fn(
    &[f32],
    &[f32],
    &[f32],
    &[usize],
    usize,
    Option<Dropout>,
    &[f32],
    &mut [f32],
    &mut [f32],
    &mut [f32],
);

pub(super) fn attend_backward(
    kernel: AttendBackward,
    query_key_value: [Floats; 3],
    offsets: Ints,
    grad: Floats,
    heads: usize,
    dropout: Option<Dropout>,
) -> [Floats; 3] {
    let qkv = query_key_value.map(dense);
    let grad = dense(grad);
    let [q, k, v] = qkv.each_ref().map(floats);
    let [mut dq, mut dk, mut dv] = [q, k, v].map(|values| buffer(values.len()));
    let (offsets, grad) = (indices(offsets), floats(&grad));
    kernel(q, k, v, &offsets, heads, dropout, grad, &mut dq, &mut dk, &mut dv);
    let [q, k, v] = qkv.map(|tensor| tensor.layout().shape().clone());
    [tensor(dq, q), tensor(dk, k), tensor(dv, v)]
}
