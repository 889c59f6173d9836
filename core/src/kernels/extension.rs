//! The operations as Burn backend extensions, so that one model runs on whatever device it is on.

use burn::backend::{
    Backend, backend_extension,
    tensor::{FloatTensor, IntTensor},
};
#[cfg(feature = "cuda")]
use burn::tensor::Shape;

use super::{AdamWStep, Attention, Dropout};

/// Forward passes, dispatched by the tensors' device.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "cuda"),
    Autodiff
)]
pub trait FusedOps: Backend {
    /// `x·weight + bias`: `[n, in]`, `[in, out]`, `[out]` → `[n, out]`.
    #[fusion(dtype = x, shape = Shape::new([x[0], weight[1]]))]
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// The exact GELU of any shape.
    #[fusion(dtype = x, shape = x)]
    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// `LayerNorm(dropout(x) + residual)·gamma + beta` over the last dimension of `[n, hidden]`.
    #[fusion(dtype = x, shape = x)]
    fn fused_add_layer_norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> FloatTensor<Self>;

    /// `softmax(q·kᵀ / √head_dim)·v` in each row and head: all `[tokens, hidden]`, the rows
    /// between consecutive `offsets` `[rows + 1]`.
    #[fusion(dtype = query, shape = query)]
    fn fused_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        offsets: IntTensor<Self>,
        attention: Attention,
    ) -> FloatTensor<Self>;

    /// Dropout of any shape.
    #[fusion(dtype = x, shape = x)]
    fn fused_dropout(x: FloatTensor<Self>, dropout: Dropout) -> FloatTensor<Self>;

    /// `before` `[1]` and the sum of squares.
    #[fusion(dtype = x, shape = Shape::new([1]))]
    fn add_squares(x: FloatTensor<Self>, before: FloatTensor<Self>) -> FloatTensor<Self>;

    /// One AdamW step of a parameter with its gradient and moments, all of one shape: the new
    /// parameter and moments, in place where nothing else holds them. The gradient is first
    /// multiplied by `scale` `[1]`.
    #[fusion(meta = |param, _grad, first, second, _scale, _step| {
        (param.clone(), first.clone(), second.clone())
    })]
    fn fused_adamw(
        param: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        step: AdamWStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// What only the CPU has kernels for: where it saves work that a GPU does not feel.
#[cfg(feature = "flex")]
#[backend_extension(Flex, Autodiff)]
pub trait CpuOps: Backend {
    /// [`FusedOps::fused_attention`] of one query for each row, `[rows, hidden]`.
    fn first_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        offsets: IntTensor<Self>,
        heads: usize,
        dropout: Option<Dropout>,
    ) -> FloatTensor<Self>;

    /// The distinct `ids` `[n]` in ascending order, and the sum of the `rows` `[n, width]` of each.
    fn merge_rows(
        ids: IntTensor<Self>,
        rows: FloatTensor<Self>,
    ) -> (IntTensor<Self>, FloatTensor<Self>);

    /// [`FusedOps::fused_adamw`] of a `table` `[rows, width]` whose gradient is `rows` in the rows `ids`
    /// (distinct, ascending) and zero elsewhere.
    fn fused_adamw_rows(
        table: FloatTensor<Self>,
        ids: IntTensor<Self>,
        rows: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        step: AdamWStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// Backward passes on a backend without autodiff: the gradients of the inputs, in their order.
pub trait FusedBackward: FusedOps {
    /// Only the gradients that are `wanted`.
    fn fused_linear_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        wanted: [bool; 3],
    ) -> [Option<FloatTensor<Self>>; 3];

    fn fused_gelu_backward(x: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self>;

    fn fused_add_layer_norm_backward(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> [FloatTensor<Self>; 4];

    fn fused_attention_backward(
        query_key_value: [FloatTensor<Self>; 3],
        offsets: IntTensor<Self>,
        grad: FloatTensor<Self>,
        attention: Attention,
    ) -> [FloatTensor<Self>; 3];
}

/// The backward pass of [`CpuOps`].
#[cfg(feature = "flex")]
pub trait CpuBackward: CpuOps {
    fn first_attention_backward(
        query_key_value: [FloatTensor<Self>; 3],
        offsets: IntTensor<Self>,
        grad: FloatTensor<Self>,
        heads: usize,
        dropout: Option<Dropout>,
    ) -> [FloatTensor<Self>; 3];
}
