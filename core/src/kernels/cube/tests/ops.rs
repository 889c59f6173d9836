//! Each differentiable operation, forward and backward.

use burn::tensor::{Device, Int, Tensor, TensorData, module::layer_norm};

use super::{compare, gpu, read, tensor};
use crate::{
    kernels::{Attention, Dropout, Kernels, plain},
    text::Layout,
};

const DROPOUT: Dropout = Dropout { prob: 0.3, seed: 0x0123_4567_89ab_cdef };

#[test]
fn linear() {
    let Some(gpu) = gpu("linear") else { return };
    let sizes =
        [[1, 1, 1], [7, 31, 33], [20, 128, 128], [65, 130, 70], [500, 64, 260], [33, 12, 6]];
    for [rows, inner, columns] in sizes {
        let op = |kernels: Kernels, inputs: Vec<Tensor<2>>| {
            let [x, weight, bias] = inputs.try_into().unwrap();
            kernels.product(x, weight, Some(bias.reshape([-1])))
        };
        let inputs = [([rows, inner], 1.0), ([inner, columns], 1.0), ([1, columns], 1.0)];
        compare(
            &gpu,
            &inputs,
            2e-6,
            &format!("linear {rows} {inner} {columns}"),
            |inputs| op(Kernels::Own, inputs),
            |inputs| op(Kernels::Burn, inputs),
        );
    }
}

#[test]
fn linear_with_a_weight_that_lies_transposed() {
    let Some(gpu) = gpu("linear with a transposed weight") else { return };
    let op = |kernels: Kernels, inputs: Vec<Tensor<2>>| {
        let [x, weight] = inputs.try_into().unwrap();
        let bias = Tensor::zeros([33], &x.device());
        kernels.product(x, weight.transpose(), Some(bias))
    };
    compare(
        &gpu,
        &[([7, 31], 1.0), ([33, 31], 1.0)],
        2e-6,
        "linear, transposed",
        |inputs| op(Kernels::Own, inputs),
        |inputs| op(Kernels::Burn, inputs),
    );
}

#[test]
fn gelu() {
    let Some(gpu) = gpu("gelu") else { return };
    for (shape, scale) in [([1, 1], 1.0), ([7, 33], 3.0), ([31, 500], 9.0), ([64, 64], 0.01)] {
        compare(
            &gpu,
            &[(shape, scale)],
            3e-7,
            &format!("gelu {shape:?}"),
            |inputs| Kernels::Own.gelu(inputs[0].clone()),
            |inputs| Kernels::Burn.gelu(inputs[0].clone()),
        );
    }
}

#[test]
fn gelu_of_large_numbers_is_finite() {
    let Some(gpu) = gpu("gelu of large numbers") else { return };
    let inputs = [30.0, -30.0, 1e10, -1e10, 1e38, -1e38, 0.0, -0.0, 1e-30, 13.5, -13.5, 5.0];
    let x = tensor(&inputs, [1, 12], &gpu.autodiff()).require_grad();
    let out = Kernels::Own.gelu(x.clone());
    let slopes = read(x.grad(&out.clone().sum().backward()).unwrap());
    let wide = [30.0, 0.0, 1e10, 0.0, 1e38, 0.0, 0.0, 0.0, 0.0, 13.5, 0.0, 5.0];
    let steep = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.5, 0.5, 0.5, 1.0, 0.0, 1.0];
    for (i, out) in read(out.inner()).into_iter().enumerate() {
        assert!((out - wide[i]).abs() <= 2e-6 * wide[i].max(1.0), "gelu({}) = {out}", inputs[i]);
        assert!((slopes[i] - steep[i]).abs() < 1e-5, "gelu'({}) = {}", inputs[i], slopes[i]);
    }
}

/// `factor` of each element, on the host.
fn mask(dropout: Option<Dropout>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    let factor = |index| dropout.map_or(1.0, |dropout: Dropout| dropout.factor(index));
    let factors: Vec<f32> = (0..(shape[0] * shape[1]) as u32).map(factor).collect();
    tensor(&factors, shape, device)
}

#[test]
fn dropout() {
    let Some(gpu) = gpu("dropout") else { return };
    for shape in [[1, 1], [7, 33], [130, 128]] {
        compare(
            &gpu,
            &[(shape, 1.0)],
            0.0,
            &format!("dropout {shape:?}"),
            |inputs| Kernels::Own.dropout(inputs[0].clone(), Some(DROPOUT)),
            |inputs| inputs[0].clone() * mask(Some(DROPOUT), shape, &inputs[0].device()),
        );
    }
}

#[test]
fn add_layer_norm() {
    let Some(gpu) = gpu("add_layer_norm") else { return };
    for shape in [[1, 2], [7, 31], [20, 128], [33, 500], [130, 768], [1, 6]] {
        for dropout in [None, Some(DROPOUT)] {
            let inputs = [(shape, 1.0), (shape, 2.0), ([1, shape[1]], 1.0), ([1, shape[1]], 1.0)];
            compare(
                &gpu,
                &inputs,
                1e-5,
                &format!("add_layer_norm {shape:?} {dropout:?}"),
                |inputs| {
                    let [x, residual, gamma, beta] = inputs.try_into().unwrap();
                    let weights = [gamma, beta].map(|weight| weight.reshape([-1]));
                    Kernels::Own.add_layer_norm(x, residual, weights, 1e-5, dropout)
                },
                |inputs| {
                    let [x, residual, gamma, beta] = inputs.try_into().unwrap();
                    let [gamma, beta] = [gamma, beta].map(|weight| weight.reshape([-1]));
                    let x = x.clone() * mask(dropout, shape, &x.device());
                    layer_norm(x + residual, gamma, Some(beta), 1e-5)
                },
            );
        }
    }
}

/// Each row by itself, so that there is no padding.
fn attention_by_rows(inputs: Vec<Tensor<2>>, lengths: &[usize], attention: Attention) -> Tensor<2> {
    let Attention { heads, window, dropout } = attention;
    let device = inputs[0].device();
    let mut start = 0;
    let mut rows = Vec::new();
    for &len in lengths {
        let [query, key, value] =
            [0, 1, 2].map(|i: usize| inputs[i].clone().slice_dim(0, start..start + len));
        let index = |head: usize, query: usize, key: usize| {
            (((start + query) * heads + head) * 512 + key) as u32
        };
        let mut factors = Vec::new();
        for head in 0..heads {
            for query in 0..len {
                let factor = |key| dropout.map_or(1.0, |d| d.factor(index(head, query, key)));
                factors.extend((0..len).map(factor));
            }
        }
        let factors: Tensor<4> = tensor(&factors, [1, heads, len, len], &device);
        let bias = plain::local_bias(len, window.unwrap_or(len), &device);
        let dropped = |probabilities| probabilities * factors.clone();
        rows.push(plain::attention([query, key, value], len, bias, heads, dropped));
        start += len;
    }
    Tensor::cat(rows, 0)
}

fn check_attention(lengths: &[usize], heads: usize, head_dim: usize, dropout: Option<Dropout>) {
    for window in [None, Some(0), Some(9), Some(50)] {
        check_window(lengths, head_dim, Attention { heads, window, dropout });
    }
}

fn check_window(lengths: &[usize], head_dim: usize, attention: Attention) {
    let heads = attention.heads;
    let Some(gpu) = gpu("attention") else { return };
    let tokens: usize = lengths.iter().sum();
    let mut offsets = vec![0i32];
    offsets.extend(lengths.iter().scan(0, |end, &len| {
        *end += len as i32;
        Some(*end)
    }));
    let shape = [tokens, heads * head_dim];
    compare(
        &gpu,
        &[(shape, 2.0), (shape, 2.0), (shape, 1.0)],
        5e-6,
        &format!("attention {lengths:?} {attention:?} of {head_dim}"),
        |inputs| {
            let offsets = TensorData::new(offsets.clone(), [offsets.len()]);
            let offsets = Tensor::<1, Int>::from_data(offsets, &inputs[0].device());
            let layout = Layout::Packed { offsets };
            Kernels::Own.attention(inputs.try_into().unwrap(), &layout, attention)
        },
        |inputs| attention_by_rows(inputs, lengths, attention),
    );
}

#[test]
fn attention() {
    for dropout in [None, Some(DROPOUT)] {
        check_attention(&[1], 2, 32, dropout);
        check_attention(&[5, 1, 33, 20, 64], 2, 64, dropout);
        check_attention(&[130, 7, 1, 32, 31], 2, 32, dropout);
        check_attention(&[3, 45], 12, 64, dropout);
        check_attention(&[17, 4], 12, 32, dropout);
        // Heads that vectors of four do not divide, and ones that leave little shared memory.
        check_attention(&[19, 6], 2, 15, dropout);
        check_attention(&[35, 2], 1, 160, dropout);
    }
}
