//! One AdamW step of a parameter, in place.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::{
    super::AdamWStep,
    tools::{UNITS, cubes_for_each, dense, elements, lanes},
};

/// [`AdamWStep`] as the kernel takes it, the corrections worked in.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
struct Rates {
    decay: f32,
    rate: f32,
    beta1: f32,
    beta2: f32,
    root_scale: f32,
    epsilon: f32,
    grad_scale: f32,
}

#[cube(launch_unchecked)]
fn step<N: Size>(
    param: &mut [Vector<f32, N>],
    grad: &[Vector<f32, N>],
    first: &mut [Vector<f32, N>],
    second: &mut [Vector<f32, N>],
    scale: &[f32],
    count: u32,
    rates: Rates,
) {
    let at = ABSOLUTE_POS;
    if at < count as usize {
        let gradient = grad[at] * Vector::new(scale[0] * rates.grad_scale);
        let m = first[at] * Vector::new(rates.beta1) + gradient * Vector::new(1.0f32 - rates.beta1);
        let v = second[at] * Vector::new(rates.beta2)
            + gradient * gradient * Vector::new(1.0f32 - rates.beta2);
        let root = v.sqrt() * Vector::new(rates.root_scale) + Vector::new(rates.epsilon);
        param[at] = param[at] * Vector::new(rates.decay) - m / root * Vector::new(rates.rate);
        first[at] = m;
        second[at] = v;
    }
}

/// The new parameter and moments; all but `scale` `[1]` have one shape.
pub(super) fn update(
    param: CubeTensor,
    grad: CubeTensor,
    first: CubeTensor,
    second: CubeTensor,
    scale: CubeTensor,
    step: AdamWStep,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let [param, first, second] = [param, first, second].map(own);
    let (grad, scale) = (dense(grad), dense(scale));
    let sizes = [&grad, &first, &second].map(elements);
    assert_eq!(sizes, [elements(&param); 3], "adamw: parameter, gradient and moments");
    let lanes = lanes(elements(&param));
    let count = elements(&param) / lanes;
    let rates = RatesLaunch::new(
        1.0 - step.learning_rate * step.weight_decay,
        step.learning_rate / step.bias_correction1,
        step.beta1,
        step.beta2,
        1.0 / step.bias_correction2.sqrt(),
        step.epsilon,
        step.grad_scale,
    );
    // SAFETY: all have `count` vectors, beyond which no unit goes, and the three that are written
    // are nobody else's.
    unsafe {
        self::step::launch_unchecked(
            &param.client,
            cubes_for_each(count),
            CubeDim::new_1d(UNITS),
            lanes,
            param.clone().into_buffer_arg(),
            grad.into_buffer_arg(),
            first.clone().into_buffer_arg(),
            second.clone().into_buffer_arg(),
            scale.into_buffer_arg(),
            count as u32,
            rates,
        );
    }
    (param, first, second)
}

/// The tensor itself where nothing else holds it, a copy otherwise.
fn own(tensor: CubeTensor) -> CubeTensor {
    let tensor = dense(tensor);
    if tensor.can_mut() { tensor } else { tensor.copy() }
}
