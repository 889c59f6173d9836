//! BERT's operations: kernels of our own where there are some for the device, Burn's where not.
//!
//! ```text
//! model, train → ops (choose) → extension (forward, by backend) → cpu (slices)
//!                             ↘ autodiff (backward rules)       ↗ cube (GPU kernels)
//! ```
//!
//! Whatever stands here computes the same function either way; `tests/src/parity.rs` holds both to
//! PyTorch's numbers. This is the one module of `core` that may contain `unsafe` code.

#[cfg(feature = "kernels")]
mod autodiff;
#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "cube")]
mod cube;
#[cfg(feature = "kernels")]
mod extension;
#[cfg(feature = "flex")]
mod flex;
mod ops;
mod plain;
mod settings;

use burn::tensor::{Device, Int, Tensor};

pub(crate) use plain::{attention_probabilities, bf16_product};
pub(crate) use settings::{AdamWStep, Attention, Dropout};

/// Which operations a model computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernels {
    /// Ours, on packed rows.
    #[cfg(feature = "kernels")]
    Own,
    /// Burn's own, on padded rows: on devices that we have no kernels for, and to compare with.
    Burn,
}

impl Kernels {
    /// Ours where they exist for the device.
    pub fn for_device(device: &Device) -> Self {
        #[cfg(feature = "flex")]
        if is_cpu(device) {
            return Self::Own;
        }
        #[cfg(feature = "cube")]
        if cube::runs_on(device) {
            return Self::Own;
        }
        let _ = device;
        Self::Burn
    }

    /// Whether these are our CPU's, which save work that a GPU does not feel: gradients of the
    /// rows of a table that are not zero.
    pub(crate) fn on_cpu(self, device: &Device) -> bool {
        #[cfg(feature = "flex")]
        if self == Self::Own && is_cpu(device) {
            return true;
        }
        let _ = device;
        false
    }

    /// Whether attention of the first tokens alone can be had.
    pub(crate) fn attends_first(self, device: &Device) -> bool {
        self == Self::Burn || self.on_cpu(device)
    }
}

#[cfg(feature = "flex")]
fn is_cpu(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}

/// Asks the C library to keep freed memory for the next step instead of giving it back to the
/// system and fetching it again page by page, which costs a tenth of a training step. For the whole
/// process: a command line calls it once, at its start. Does nothing but with glibc.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const LARGEST: i32 = i32::MAX;
        #[allow(unsafe_code)]
        // SAFETY: `mallopt` takes any two integers and is called before other threads run.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 30);
            libc::mallopt(libc::M_TRIM_THRESHOLD, LARGEST);
        }
    }
}

/// The gradient of a table that is zero in most rows.
#[derive(Clone, Debug)]
pub(crate) struct SparseRows {
    /// `[n]`
    pub(crate) ids: Tensor<1, Int>,
    /// `[n, width]`: what stands in row `ids[i]`; a row named twice is the sum.
    pub(crate) rows: Tensor<2>,
}

/// AdamW's running means of a parameter's gradient and its square, flattened: `[elements]`.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    pub(crate) first: Tensor<1>,
    pub(crate) second: Tensor<1>,
}

impl Moments {
    pub(crate) fn zeros<const D: usize>(param: &Tensor<D>) -> Self {
        let zeros = || Tensor::zeros([param.shape().num_elements()], &param.device());
        Self { first: zeros(), second: zeros() }
    }
}
