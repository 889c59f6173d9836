//! The operations on Burn's CPU backend: tensors to slices and back around [`super::cpu`].

mod attend;

use burn::{
    backend::{
        Flex,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{DType, TensorData},
};

use super::{
    AdamWStep, Attention, Dropout,
    cpu::{self, Matrix},
    extension::{CpuBackward, CpuOps, FusedBackward, FusedOps},
};

use self::attend::{attend, attend_backward};

type Floats = FloatTensor<Flex>;
type Ints = IntTensor<Flex>;

impl FusedOps for Flex {
    fn fused_linear(x: Floats, weight: Floats, bias: Floats) -> Floats {
        let (x, weight, bias) = (dense(x), dense(weight), dense(bias));
        let [rows, inputs] = dims(&x);
        let [_, outputs] = dims(&weight);
        let mut out = buffer(rows * outputs);
        cpu::linear(floats(&x), matrix(&weight), floats(&bias), &mut out, inputs);
        tensor(out, [rows, outputs])
    }

    fn fused_gelu(x: Floats) -> Floats {
        let mut x = dense(x);
        if let Some(values) = x.try_storage_mut::<f32>() {
            cpu::gelu_in_place(values);
            return x;
        }
        let mut out = buffer(floats(&x).len());
        cpu::gelu(floats(&x), &mut out);
        tensor(out, x.layout().shape().clone())
    }

    fn fused_add_layer_norm(
        x: Floats,
        residual: Floats,
        gamma: Floats,
        beta: Floats,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> Floats {
        let (x, residual) = (dense(x), dense(residual));
        let (gamma, beta) = (dense(gamma), dense(beta));
        let mut out = buffer(floats(&x).len());
        let [gamma, beta] = [&gamma, &beta].map(floats);
        cpu::add_layer_norm(floats(&x), floats(&residual), gamma, beta, epsilon, dropout, &mut out);
        tensor(out, x.layout().shape().clone())
    }

    fn fused_attention(
        query: Floats,
        key: Floats,
        value: Floats,
        offsets: Ints,
        attention: Attention,
    ) -> Floats {
        attend([query, key, value], offsets, |[q, k, v], offsets, out| {
            cpu::attention(q, k, v, offsets, attention, out);
        })
    }

    fn fused_dropout(x: Floats, dropout: Dropout) -> Floats {
        let x = dense(x);
        let mut out = buffer(floats(&x).len());
        cpu::dropout(floats(&x), dropout, &mut out);
        tensor(out, x.layout().shape().clone())
    }

    fn add_squares(x: Floats, before: Floats) -> Floats {
        let sum = cpu::sum_of_squares(floats(&dense(x)));
        tensor(vec![floats(&dense(before))[0] + sum as f32], [1])
    }

    fn fused_adamw(
        param: Floats,
        grad: Floats,
        first: Floats,
        second: Floats,
        scale: Floats,
        step: AdamWStep,
    ) -> (Floats, Floats, Floats) {
        let (mut param, mut first, mut second) = (dense(param), dense(first), dense(second));
        let grad = dense(grad);
        let step = AdamWStep { grad_scale: floats(&dense(scale))[0], ..step };
        let [p, m, v] = [&mut param, &mut first, &mut second].map(|t| t.storage_mut::<f32>());
        cpu::adamw(p, floats(&grad), m, v, step);
        (param, first, second)
    }
}

impl CpuOps for Flex {
    fn first_attention(
        query: Floats,
        key: Floats,
        value: Floats,
        offsets: Ints,
        heads: usize,
        dropout: Option<Dropout>,
    ) -> Floats {
        attend([query, key, value], offsets, |[q, k, v], offsets, out| {
            cpu::first_attention(q, k, v, offsets, heads, dropout, out);
        })
    }

    fn merge_rows(ids: Ints, rows: Floats) -> (Ints, Floats) {
        let rows = dense(rows);
        let [_, width] = dims(&rows);
        let (distinct, sums) = cpu::merge_rows(&indices(ids), floats(&rows), width);
        let count = distinct.len();
        let distinct: Vec<i64> = distinct.into_iter().map(|id| id as i64).collect();
        (Ints::from_data(TensorData::new(distinct, [count])), tensor(sums, [count, width]))
    }

    fn fused_adamw_rows(
        table: Floats,
        ids: Ints,
        rows: Floats,
        first: Floats,
        second: Floats,
        scale: Floats,
        step: AdamWStep,
    ) -> (Floats, Floats, Floats) {
        let (mut table, mut first, mut second) = (dense(table), dense(first), dense(second));
        let rows = dense(rows);
        let step = AdamWStep { grad_scale: floats(&dense(scale))[0], ..step };
        let [_, width] = dims(&table);
        let [p, m, v] = [&mut table, &mut first, &mut second].map(|t| t.storage_mut::<f32>());
        cpu::adamw_rows(p, width, &indices(ids), floats(&rows), m, v, step);
        (table, first, second)
    }
}

impl CpuBackward for Flex {
    fn first_attention_backward(
        query_key_value: [Floats; 3],
        offsets: Ints,
        grad: Floats,
        heads: usize,
        dropout: Option<Dropout>,
    ) -> [Floats; 3] {
        attend_backward(query_key_value, offsets, grad, |[q, k, v], offsets, grad, [dq, dk, dv]| {
            cpu::first_attention_backward(q, k, v, offsets, heads, dropout, grad, dq, dk, dv);
        })
    }
}

impl FusedBackward for Flex {
    fn fused_linear_backward(
        x: Floats,
        weight: Floats,
        grad: Floats,
        [wants_x, wants_weight, wants_bias]: [bool; 3],
    ) -> [Option<Floats>; 3] {
        let (x, weight, grad) = (dense(x), dense(weight), dense(grad));
        let [rows, inputs] = dims(&x);
        let [_, outputs] = dims(&weight);
        let mut dx = wants_x.then(|| buffer(rows * inputs));
        let mut dw = buffer(inputs * outputs);
        let mut db = buffer(outputs);
        let (grad, weight) = (floats(&grad), matrix(&weight));
        let dx_out = dx.as_deref_mut();
        cpu::linear_backward(floats(&x), weight, grad, inputs, outputs, dx_out, &mut dw, &mut db);
        [
            dx.map(|dx| tensor(dx, [rows, inputs])),
            wants_weight.then(|| tensor(dw, [inputs, outputs])),
            wants_bias.then(|| tensor(db, [outputs])),
        ]
    }

    fn fused_gelu_backward(x: Floats, grad: Floats) -> Floats {
        let (x, grad) = (dense(x), dense(grad));
        let mut dx = buffer(floats(&x).len());
        cpu::gelu_backward(floats(&x), floats(&grad), &mut dx);
        tensor(dx, x.layout().shape().clone())
    }

    fn fused_add_layer_norm_backward(
        x: Floats,
        residual: Floats,
        gamma: Floats,
        grad: Floats,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> [Floats; 4] {
        let (x, residual) = (dense(x), dense(residual));
        let (gamma, grad) = (dense(gamma), dense(grad));
        let shape = x.layout().shape().clone();
        let width = floats(&gamma).len();
        let [mut dx, mut dsum] = [0, 1].map(|_| buffer(floats(&x).len()));
        let [mut dgamma, mut dbeta] = [0, 1].map(|_| buffer(width));
        cpu::add_layer_norm_backward(
            floats(&x),
            floats(&residual),
            floats(&gamma),
            epsilon,
            dropout,
            floats(&grad),
            &mut dx,
            &mut dsum,
            &mut dgamma,
            &mut dbeta,
        );
        let [dx, dsum] = [dx, dsum].map(|values| tensor(values, shape.clone()));
        let [dgamma, dbeta] = [dgamma, dbeta].map(|values| tensor(values, [width]));
        [dx, dsum, dgamma, dbeta]
    }

    fn fused_attention_backward(
        query_key_value: [Floats; 3],
        offsets: Ints,
        grad: Floats,
        attention: Attention,
    ) -> [Floats; 3] {
        attend_backward(query_key_value, offsets, grad, |[q, k, v], offsets, grad, [dq, dk, dv]| {
            cpu::attention_backward(q, k, v, offsets, attention, grad, dq, dk, dv);
        })
    }
}

/// The tensor with its elements in order, from the start of a storage of its own length.
fn dense(tensor: Floats) -> Floats {
    let whole = tensor.layout().num_elements() * size_of::<f32>() == tensor.bytes().len();
    if whole && tensor.is_contiguous() { tensor } else { tensor.to_contiguous() }
}

fn floats(tensor: &Floats) -> &[f32] {
    tensor.storage()
}

fn dims<const D: usize>(tensor: &Floats) -> [usize; D] {
    tensor.layout().shape().dims()
}

fn matrix(tensor: &Floats) -> Matrix<'_> {
    let [_, columns] = dims(tensor);
    Matrix { values: floats(tensor), row_stride: columns, col_stride: 1 }
}

/// Room for a result. What stands in it is whatever the memory held: every kernel writes all
/// elements of its results before it reads any, and to fill them with zeros first costs a tenth of
/// a forward pass.
#[allow(unsafe_code, clippy::uninit_vec)]
fn buffer(len: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    // SAFETY: the capacity is there, and every pattern of bits is an `f32`.
    unsafe { values.set_len(len) };
    values
}

fn tensor(values: Vec<f32>, shape: impl Into<burn::tensor::Shape>) -> Floats {
    Floats::from_data(TensorData::new(values, shape.into()))
}

/// Offsets or ids, whichever integers the device was set to.
fn indices(tensor: Ints) -> Vec<usize> {
    match tensor.dtype() {
        DType::I64 => tensor.storage::<i64>().iter().map(|&index| index as usize).collect(),
        _ => tensor.storage::<i32>().iter().map(|&index| index as usize).collect(),
    }
}
