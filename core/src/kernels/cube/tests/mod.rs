//! The kernels on whatever adapter wgpu finds (Mesa's lavapipe will do), held to Burn's own
//! operations on the CPU.

mod model;
mod ops;
mod optimizer;

use std::sync::OnceLock;

use burn::tensor::{Device, DeviceKind, DeviceType, Tensor, TensorData};

use super::super::Dropout;

/// The device, or `None` with a loud word about it.
fn gpu(test: &str) -> Option<Device> {
    static DEVICE: OnceLock<Option<Device>> = OnceLock::new();
    let find = || {
        let found = !Device::enumerate(DeviceType::Wgpu).into_vec().is_empty();
        found.then(|| Device::wgpu(DeviceKind::DefaultDevice))
    };
    let device = DEVICE.get_or_init(find).clone();
    if device.is_none() {
        eprintln!("SKIPPED: {test}, because wgpu finds no adapter here");
    }
    device
}

/// `len` numbers in -1..1, a function of `seed`.
fn values(len: usize, seed: u32) -> Vec<f32> {
    let dropout = |index| Dropout { prob: 0.5, seed: u64::from(seed) * 31 + index };
    let bits = |at| (0..24).map(move |bit| u32::from(dropout(bit).factor(at) > 0.0) << bit);
    (0..len as u32).map(|at| bits(at).sum::<u32>() as f32 / 8_388_608.0 - 1.0).collect()
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// Fails where |got - expected| > tolerance · max(1, largest expected).
#[track_caller]
fn assert_close(got: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1.0f32, |most, value| most.max(value.abs()));
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let error = (got - expected).abs() / largest;
        assert!(error <= tolerance, "{what}[{i}]: {got}, expected {expected} ({error:.1e})");
    }
}

/// Holds an operation's result and the gradients of all its inputs, `(shape, scale)`, to another's
/// on the CPU. Both get the inputs on their device.
#[track_caller]
fn compare(
    gpu: &Device,
    inputs: &[([usize; 2], f32)],
    tolerance: f32,
    what: &str,
    ours: impl Fn(Vec<Tensor<2>>) -> Tensor<2>,
    reference: impl Fn(Vec<Tensor<2>>) -> Tensor<2>,
) {
    let run = |device: &Device, op: &dyn Fn(Vec<Tensor<2>>) -> Tensor<2>| {
        let device = device.clone().autodiff();
        let input = |(seed, &(shape, scale)): (usize, &([usize; 2], f32))| {
            let values = values(shape[0] * shape[1], seed as u32 + 1);
            tensor(&values, shape, &device).mul_scalar(scale).detach().require_grad()
        };
        let inputs: Vec<_> = inputs.iter().enumerate().map(input).collect();
        let out = op(inputs.clone());
        let [rows, columns] = out.dims();
        let slopes = tensor(&values(rows * columns, 77), [rows, columns], &device);
        let grads = (out.clone() * slopes).sum().backward();
        let mut results = vec![read(out.inner())];
        results.extend(inputs.iter().map(|input| read(input.grad(&grads).unwrap())));
        results
    };
    let (ours, reference) = (run(gpu, &ours), run(&Device::flex(), &reference));
    for (index, (ours, reference)) in ours.iter().zip(&reference).enumerate() {
        let name = if index == 0 { "out".to_owned() } else { format!("grad {}", index - 1) };
        assert_close(ours, reference, tolerance, &format!("{what}: {name}"));
    }
}
