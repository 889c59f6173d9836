//! The exact GELU of Hendrycks and Gimpel 2016 (<https://arxiv.org/abs/1606.08415>).

use std::f64::consts::SQRT_2;

use burn::tensor::Tensor;

/// `x·(1 + erf(x/√2))/2`, for any shape.
///
/// Burn's own has that function's gradient on flex only. The other backends take the gradient of
/// the tanh approximation, which is off by 1e-3 and, in WGSL, NaN where `tanh` overflows (x > 13).
pub(super) fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if x.device() == burn::tensor::Device::flex() {
        return burn::tensor::activation::gelu(x);
    }
    composed(x)
}

fn composed<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let cumulative = ((x.clone() / SQRT_2).erf() + 1.0) / 2.0;
    x * cumulative
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::tensor::{Device, Tensor, Tolerance, activation};

    use super::composed;

    /// On flex, where Burn's own is exact.
    #[test]
    fn both_have_the_same_values_and_gradients() {
        let functions: [fn(Tensor<1>) -> Tensor<1>; 2] = [activation::gelu, composed];
        let [own, ours] = functions.map(|function| {
            let device = Device::flex().autodiff();
            let values = [-20.0, -3.0, -0.5, 0.0, 0.5, 3.0, 20.0];
            let x = Tensor::<1>::from_floats(values, &device).require_grad();
            let y = function(x.clone());
            let grads = y.clone().sum().backward();
            [y.inner().into_data(), x.grad(&grads).unwrap().into_data()]
        });
        for (own, ours) in own.iter().zip(&ours) {
            ours.assert_approx_eq::<f32>(own, Tolerance::absolute(1e-6));
        }
    }
}
