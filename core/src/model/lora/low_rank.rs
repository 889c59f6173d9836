//! What an adapter adds to a linear layer.

use burn::{
    module::{Module, Param, Reparameterization},
    tensor::Tensor,
};

use crate::model::Pass;

/// `scale · dropout(x)·a·b` beside `x·weight`. Burn's own `LoraAdapter` adds `a·b` to the weight, which
/// leaves no place for dropout and makes the weight's whole gradient first.
#[derive(Module, Debug)]
pub(in crate::model) struct LowRank {
    /// `[in, r]`
    pub(super) a: Param<Tensor<2>>,
    /// `[r, out]`
    pub(super) b: Param<Tensor<2>>,
    /// `lora_alpha / r`
    pub(super) scale: f64,
    pub(super) dropout_prob: f64,
    /// Of its dropout (see [`Pass::dropout`]).
    pub(super) site: usize,
}

impl Reparameterization for LowRank {
    const NAME: &'static str = "lora";

    fn apply<const D: usize>(&self, base: Tensor<D>) -> Tensor<D> {
        let shape = base.shape();
        base + (self.a.val().matmul(self.b.val()) * self.scale).reshape(shape)
    }
}

impl LowRank {
    /// `[n, in]` → `[n, out]`
    pub(in crate::model) fn forward(&self, x: Tensor<2>, pass: Pass) -> Tensor<2> {
        let x = pass.kernels.dropout(x, pass.dropout(self.site, self.dropout_prob));
        let narrow = pass.product(x, self.a.val(), None);
        pass.product(narrow, self.b.val(), None) * self.scale
    }
}

#[cfg(test)]
mod tests {
    use burn::{
        module::Reparameterizer,
        nn::Linear,
        tensor::{Device, TensorData},
    };

    use super::*;
    use crate::kernels::Kernels;

    struct Given(LowRank);

    impl Reparameterizer for Given {
        type Reparam = LowRank;

        fn reparameterize<const D: usize>(
            &mut self,
            _path: &str,
            param: Param<Tensor<D>>,
        ) -> (Param<Tensor<D>>, Option<LowRank>) {
            (param.set_require_grad(false), Some(self.0.clone()))
        }
    }

    /// Values that are all different.
    fn matrix<const D: usize>(shape: [usize; D], start: f32) -> Tensor<D> {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|n| (start + n as f32 * 0.7).sin()).collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex().autodiff())
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    /// Beside the weight as in it: the same output, the same gradients of the factors, and none of the
    /// weight.
    #[test]
    fn an_adapter_computes_what_the_sum_of_matrices_does() {
        for kernels in [Kernels::Own, Kernels::Burn] {
            let adapter = LowRank {
                a: Param::from_tensor(matrix([3, 2], 0.1)),
                b: Param::from_tensor(matrix([2, 4], 0.2)),
                scale: 1.5,
                dropout_prob: 0.3,
                site: 0,
            };
            let weight = Param::from_tensor(matrix([3, 4], 0.3));
            let weight = weight.apply_reparameterization(Given(adapter.clone()));
            let layer = Linear { weight, bias: Some(Param::from_tensor(matrix([4], 0.4))) };
            let x = matrix([5, 3], 0.5);

            let found = Pass::inference(kernels).linear(x.clone(), &layer);
            let bias = layer.bias.as_ref().unwrap().val().reshape([1, 4]);
            let expected = x.matmul(layer.weight.val()) + bias;
            let of = |out: Tensor<2>| {
                let gradients = (out.clone() * out.clone()).sum().backward();
                assert!(layer.weight.base().grad(&gradients).is_none());
                let factors = [&adapter.a, &adapter.b];
                let factors = factors.map(|factor| values(factor.val().grad(&gradients).unwrap()));
                [values(out), factors.concat()].concat()
            };
            for (found, expected) in of(found).into_iter().zip(of(expected)) {
                assert!((found - expected).abs() < 1e-5, "{kernels:?}: {found} {expected}");
            }
            // Dropout falls on the adapter alone, and is a function of the seed.
            let dropped =
                |seed| values(Pass::training(kernels, seed).linear(matrix([5, 3], 0.5), &layer));
            if kernels == Kernels::Own {
                assert_eq!(dropped(1), dropped(1));
            }
            assert_ne!(dropped(1), dropped(2));
        }
    }
}
