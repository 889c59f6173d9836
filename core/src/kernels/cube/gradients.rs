//! The backward passes, as Burn's autodiff calls them.
//!
//! They stand in a trait of their own because Burn's fusion, which wraps CUDA's backend, takes
//! tuples of tensors only, where [`FusedBackward`] has arrays and leaves out what nobody wants.

use burn::backend::{
    Backend, backend_extension,
    tensor::{FloatTensor, IntTensor},
};
#[cfg(feature = "cuda")]
use burn::{backend::fusion::custom::TensorSpec, tensor::Shape};
use burn_cubecl::{Cube, CubeBackend};

use super::{
    super::{Attention, Dropout, extension::FusedBackward},
    Floats, Ints, attention_backward, gelu, layer_norm_backward, linear,
};

/// The gradients of the inputs, in their order.
#[backend_extension(Cube, Fusion: cfg(feature = "cuda"))]
pub trait Gradients: Backend {
    #[fusion(dtype = grad, shape = Shape::new([grad[0], weight[0]]))]
    fn linear_input_gradient(
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// Of weight and bias.
    #[fusion(meta = |x, grad| {
        let [inputs, outputs] = [x.shape[1], grad.shape[1]];
        let spec = |shape| TensorSpec::new(shape, grad.dtype);
        (spec(Shape::new([inputs, outputs])), spec(Shape::new([outputs])))
    })]
    fn linear_weight_gradients(
        x: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    #[fusion(dtype = x, shape = x)]
    fn gelu_gradient(x: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self>;

    #[fusion(meta = |x, residual, gamma, _grad, _epsilon, _dropout| {
        (x.clone(), residual.clone(), gamma.clone(), gamma.clone())
    })]
    fn add_layer_norm_gradients(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    #[fusion(meta = |query, key, value, _offsets, _grad, _attention| {
        (query.clone(), key.clone(), value.clone())
    })]
    fn attention_gradients(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        offsets: IntTensor<Self>,
        grad: FloatTensor<Self>,
        attention: Attention,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

impl Gradients for CubeBackend {
    fn linear_input_gradient(weight: Floats, grad: Floats) -> Floats {
        linear::input_gradient(weight, grad)
    }

    fn linear_weight_gradients(x: Floats, grad: Floats) -> (Floats, Floats) {
        linear::weight_gradients(x, grad)
    }

    fn gelu_gradient(x: Floats, grad: Floats) -> Floats {
        gelu::backward(x, grad)
    }

    fn add_layer_norm_gradients(
        x: Floats,
        residual: Floats,
        gamma: Floats,
        grad: Floats,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> (Floats, Floats, Floats, Floats) {
        layer_norm_backward::backward(x, residual, gamma, grad, epsilon, dropout)
    }

    fn attention_gradients(
        query: Floats,
        key: Floats,
        value: Floats,
        offsets: Ints,
        grad: Floats,
        attention: Attention,
    ) -> (Floats, Floats, Floats) {
        attention_backward::backward([query, key, value], offsets, grad, attention)
    }
}

/// [`Cube`] is the backend itself, or Burn's fusion around it.
impl FusedBackward for Cube {
    fn fused_linear_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        [wants_x, wants_weight, wants_bias]: [bool; 3],
    ) -> [Option<FloatTensor<Self>>; 3] {
        let dx = wants_x.then(|| Self::linear_input_gradient(weight, grad.clone()));
        if !wants_weight && !wants_bias {
            return [dx, None, None];
        }
        let (dw, db) = Self::linear_weight_gradients(x, grad);
        [dx, wants_weight.then_some(dw), wants_bias.then_some(db)]
    }

    fn fused_gelu_backward(x: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::gelu_gradient(x, grad)
    }

    fn fused_add_layer_norm_backward(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> [FloatTensor<Self>; 4] {
        Self::add_layer_norm_gradients(x, residual, gamma, grad, epsilon, dropout).into()
    }

    fn fused_attention_backward(
        [query, key, value]: [FloatTensor<Self>; 3],
        offsets: IntTensor<Self>,
        grad: FloatTensor<Self>,
        attention: Attention,
    ) -> [FloatTensor<Self>; 3] {
        Self::attention_gradients(query, key, value, offsets, grad, attention).into()
    }
}
