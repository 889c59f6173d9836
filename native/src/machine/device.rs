//! Choosing the device, once, at the edge.
//!
//! `auto` may choose, and says what and why. A device asked for by name is that device or an error.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};
use emberlab_core::Device;
use emberlab_core::model::Classifier;

use super::cuda;
use crate::cli::DeviceArg;

/// What `--device` asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    Auto,
    Cpu,
    /// The CUDA device with this index.
    Cuda(usize),
    Wgpu,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            "wgpu" => Ok(Self::Wgpu),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|index| index.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| "expected auto, cpu, cuda, cuda:N or wgpu".to_owned()),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => write!(f, "auto"),
            Self::Cpu => write!(f, "cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::Wgpu => write!(f, "wgpu"),
        }
    }
}

impl DeviceArg {
    /// The classifier, computing as was asked for.
    pub fn apply(&self, classifier: Classifier) -> Classifier {
        if self.no_kernels { classifier.without_kernels() } else { classifier }
    }
}

/// A device that is there, and what to say about it.
#[derive(Debug)]
pub struct ChosenDevice {
    pub device: Device,
    /// `cpu`, `cuda:0` or `wgpu`.
    pub kind: String,
    /// The hardware's own name.
    pub name: String,
    /// Why `auto` took this one.
    pub reason: Option<String>,
}

impl fmt::Display for ChosenDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.kind, self.name)?;
        match &self.reason {
            Some(reason) => write!(f, ", chosen by auto: {reason}"),
            None => Ok(()),
        }
    }
}

/// The device that `choice` stands for.
///
/// # Errors
/// A device asked for by name that this binary or this machine does not have.
pub fn choose(choice: DeviceChoice) -> Result<ChosenDevice> {
    match choice {
        DeviceChoice::Auto => Ok(auto()),
        DeviceChoice::Cpu => Ok(cpu(None)),
        DeviceChoice::Cuda(index) => cuda_device(index),
        DeviceChoice::Wgpu => wgpu_device(),
    }
}

fn auto() -> ChosenDevice {
    if !cfg!(feature = "cuda") {
        return cpu(Some("this binary was built without CUDA".to_owned()));
    }
    match cuda_device(0) {
        Ok(chosen) => ChosenDevice { reason: Some("the first CUDA device".to_owned()), ..chosen },
        Err(problem) => cpu(Some(problem.to_string())),
    }
}

fn cpu(reason: Option<String>) -> ChosenDevice {
    ChosenDevice {
        device: Device::flex(),
        kind: "cpu".to_owned(),
        name: crate::machine::system::cpu_name(),
        reason,
    }
}

#[cfg(feature = "cuda")]
fn cuda_device(index: usize) -> Result<ChosenDevice> {
    let devices = cuda::devices();
    cuda::check(&devices)?;
    let Some(device) = devices.get(index) else {
        let last = devices.len() - 1;
        bail!("there is no cuda:{index}: this machine has cuda:0 to cuda:{last}");
    };
    cuda::check_versions(index)?;
    let name = cuda::name(index).unwrap_or_else(|| "NVIDIA GPU".to_owned());
    Ok(ChosenDevice { device: device.clone(), kind: format!("cuda:{index}"), name, reason: None })
}

#[cfg(not(feature = "cuda"))]
fn cuda_device(_index: usize) -> Result<ChosenDevice> {
    bail!(cuda::NOT_BUILT)
}

#[cfg(feature = "wgpu")]
fn wgpu_device() -> Result<ChosenDevice> {
    use burn::tensor::{DeviceKind, DeviceType};

    let adapters = Device::enumerate(DeviceType::Wgpu);
    if adapters.is_empty() {
        bail!(
            "no graphics adapter was found through Vulkan, Metal or DirectX; install the GPU's driver, or use --device cpu"
        );
    }
    let device = Device::wgpu(DeviceKind::DefaultDevice);
    let name = device.identity().map_or_else(|| "default adapter".to_owned(), |found| found.name);
    Ok(ChosenDevice { device, kind: "wgpu".to_owned(), name, reason: None })
}

#[cfg(not(feature = "wgpu"))]
fn wgpu_device() -> Result<ChosenDevice> {
    bail!(
        "this binary was built without wgpu; build it with: cargo build --release -p emberlab --features wgpu"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names() {
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(0)));
        assert_eq!("cuda:3".parse(), Ok(DeviceChoice::Cuda(3)));
        assert!("cuda:x".parse::<DeviceChoice>().is_err());
        assert!("gpu".parse::<DeviceChoice>().is_err());
    }

    #[test]
    fn auto_always_finds_a_device_and_says_why() {
        assert!(choose(DeviceChoice::Auto).expect("auto never fails").reason.is_some());
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn cuda_without_the_feature_says_how_to_get_it() {
        let error = choose(DeviceChoice::Cuda(0)).expect_err("not built in").to_string();
        assert!(error.contains("--features cuda"), "{error}");
    }
}
