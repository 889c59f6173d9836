//! Rotary positions (Su et al. 2021, <https://arxiv.org/abs/2104.09864>).

use burn::tensor::{Device, Tensor, TensorData};

use crate::text::BatchTensors;

/// By how much each token's queries and keys are turned.
pub(super) struct Rotary {
    /// The base of the frequencies.
    pub(super) theta: f64,
    /// `[tokens, 1, head_dim / 2]`
    cos: Tensor<3>,
    /// `[tokens, 1, head_dim / 2]`
    sin: Tensor<3>,
}

impl Rotary {
    /// The tables are made on the host: a GPU's own cosine is coarse for large angles. In f32, as
    /// PyTorch has it.
    pub(super) fn new(theta: f64, head_dim: usize, batch: &BatchTensors, device: &Device) -> Self {
        let half = head_dim / 2;
        let exponents = (0..half).map(|pair| (2 * pair) as f32 / head_dim as f32);
        let frequencies: Vec<f32> =
            exponents.map(|exponent| 1.0 / (theta as f32).powf(exponent)).collect();
        let angle =
            |place: usize| frequencies.iter().map(move |frequency| place as f32 * frequency);
        let angles: Vec<f32> = (0..batch.longest).flat_map(angle).collect();
        let of_tokens = |function: fn(f32) -> f32| {
            let values = angles.iter().copied().map(function).collect::<Vec<_>>();
            let table = TensorData::new(values, [batch.longest, half]);
            let table = Tensor::<2>::from_data(table, device);
            table.select(0, batch.position_ids.clone()).unsqueeze_dim(1)
        };
        Self { theta, cos: of_tokens(f32::cos), sin: of_tokens(f32::sin) }
    }

    /// Turns each pair of a head's halves: `[tokens, heads * head_dim]`.
    pub(super) fn turn(&self, x: Tensor<2>, heads: usize) -> Tensor<2> {
        let [tokens, width] = x.dims();
        let half = width / heads / 2;
        let x = x.reshape([tokens, heads, 2 * half]);
        let (one, other) = (x.clone().narrow(2, 0, half), x.narrow(2, half, half));
        let (cos, sin) = (self.cos.clone(), self.sin.clone());
        let first = one.clone() * cos.clone() - other.clone() * sin.clone();
        let second = other * cos + one * sin;
        Tensor::cat(vec![first, second], 2).reshape([tokens, width])
    }
}
