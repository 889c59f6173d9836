//! What Burn has no single differentiable operation for, composed of those it has.

use std::f64::consts::SQRT_2;

use burn::tensor::{Device, Distribution, FloatDType, Tensor, TensorData, activation::softmax};

use super::{AdamWStep, Dropout, Moments};
use crate::text::MASKED;

/// Burn's own GELU has this gradient on flex only: the other backends take that of the tanh
/// approximation, which is off by 1e-3 and, in WGSL, NaN where `tanh` overflows (x > 13).
pub(super) fn gelu(x: Tensor<2>) -> Tensor<2> {
    let cumulative = ((x.clone() / SQRT_2).erf() + 1.0) / 2.0;
    x * cumulative
}

/// `x·weight + bias` with the product in bfloat16 and all else in f32, forward and backward, as
/// `torch.autocast(dtype=torch.bfloat16)` computes a linear layer of f32 weights.
pub(crate) fn bf16_product(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let [x, weight] = [x, weight].map(|tensor| tensor.cast(FloatDType::BF16));
    let product = x.matmul(weight).cast(FloatDType::F32);
    match bias {
        Some(bias) => product + bias.unsqueeze(),
        None => product,
    }
}

/// Drops by the device's own random numbers (see [`burn::tensor::Device::seed`]).
pub(super) fn dropout<const D: usize>(x: Tensor<D>, dropout: Dropout) -> Tensor<D> {
    let keep = 1.0 - f64::from(dropout.prob);
    let kept = Tensor::random(x.shape(), Distribution::Bernoulli(keep), &x.device());
    x * kept / keep
}

/// What keeps tokens from seeing further than `window`: `[1, 1, seq, seq]`.
pub(super) fn local_bias(seq_len: usize, window: usize, device: &Device) -> Tensor<4> {
    let places = 0..seq_len;
    let far = |query: usize, key: usize| if query.abs_diff(key) > window { MASKED } else { 0.0 };
    let bias: Vec<f32> =
        places.clone().flat_map(|query| places.clone().map(move |key| far(query, key))).collect();
    Tensor::from_data(TensorData::new(bias, [1, 1, seq_len, seq_len]), device)
}

/// Of rows padded to `seq_len`: keys and values `[rows * seq, hidden]`, as many queries or one for
/// each row, the bias `[rows, 1, 1 or seq, seq]`.
pub(super) fn attention(
    query_key_value: [Tensor<2>; 3],
    seq_len: usize,
    attention_bias: Tensor<4>,
    heads: usize,
    dropout: impl Fn(Tensor<4>) -> Tensor<4>,
) -> Tensor<2> {
    let [queries, hidden] = query_key_value[0].dims();
    let [tokens, _] = query_key_value[1].dims();
    let (rows, head_dim) = (tokens / seq_len, hidden / heads);
    let [query, key, value] = query_key_value.map(|x| {
        let in_row = x.dims()[0] / rows;
        x.reshape([rows, in_row, heads, head_dim]).swap_dims(1, 2)
    });
    let query = query * (1.0 / (head_dim as f64).sqrt());
    let scores = query.matmul(key.transpose()) + attention_bias;
    let context = dropout(softmax(scores, 3)).matmul(value);
    context.swap_dims(1, 2).reshape([queries, hidden])
}

/// `softmax(q·kᵀ / √head_dim)` of one row, as our kernels compute it on their way and never keep it:
/// queries and keys `[tokens, hidden]` → `[heads, tokens, tokens]`.
pub(crate) fn attention_probabilities(
    query_key: [Tensor<2>; 2],
    heads: usize,
    window: Option<usize>,
) -> Tensor<3> {
    let [tokens, hidden] = query_key[0].dims();
    let head_dim = hidden / heads;
    let [query, key] = query_key.map(|x| x.reshape([tokens, heads, head_dim]).swap_dims(0, 1));
    let scores = (query * (1.0 / (head_dim as f64).sqrt())).matmul(key.transpose());
    let scores = match window {
        Some(window) => {
            let bias = local_bias(tokens, window, &scores.device());
            scores + bias.reshape([1, tokens, tokens])
        }
        None => scores,
    };
    softmax(scores, 2)
}

/// See [`super::Kernels::adamw`].
pub(super) fn adamw(
    param: Tensor<1>,
    grad: Tensor<1>,
    Moments { first, second }: Moments,
    step: AdamWStep,
) -> (Tensor<1>, Moments) {
    let AdamWStep { learning_rate, beta1, beta2, epsilon, weight_decay, .. } = step;
    let first = first * beta1 + grad.clone() * (1.0 - beta1);
    let second = second * beta2 + grad.square() * (1.0 - beta2);
    let denominator = second.clone().sqrt() / step.bias_correction2.sqrt() + epsilon;
    let direction = first.clone() / denominator * (learning_rate / step.bias_correction1);
    (param * (1.0 - learning_rate * weight_decay) - direction, Moments { first, second })
}
