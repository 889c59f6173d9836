//! What CUDA needs at run time: NVIDIA's driver, NVRTC and CUDA's headers.
//!
//! Burn loads them lazily and panics where one is missing, so they are looked for first, by the
//! rules of the dynamic loader and without loading anything.

pub mod versions;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[cfg(not(feature = "cuda"))]
pub const NOT_BUILT: &str = "this binary was built without CUDA; build it with: cargo build --release -p emberlab --features cuda";

/// The driver's library.
pub const DRIVER: &str = "libcuda.so";
/// The library that compiles kernels at run time.
pub const NVRTC: &str = "libnvrtc.so";

/// Where `library` lies on the paths of the dynamic loader, with any version behind `.so`.
pub fn find_library(library: &str) -> Option<PathBuf> {
    let from_environment = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let defaults = ["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/lib/x86_64-linux-gnu"]
        .map(PathBuf::from);
    let in_folder = |folder: PathBuf| find_in_folder(&folder, library);
    // The loader's own order.
    env::split_paths(&from_environment)
        .find_map(in_folder)
        .or_else(|| find_in_cache(&fs::read("/etc/ld.so.cache").unwrap_or_default(), library))
        .or_else(|| defaults.into_iter().find_map(in_folder))
}

/// Where `library` lies in a usual place that the loader does not search.
pub fn find_library_off_path(library: &str) -> Option<PathBuf> {
    [toolkit()?.join("lib64"), toolkit()?.join("lib")]
        .iter()
        .find_map(|folder| find_in_folder(folder, library))
}

/// The CUDA toolkit's folder: `CUDA_PATH`, else the usual places (the same that Burn looks at).
pub fn toolkit() -> Option<PathBuf> {
    match env::var_os("CUDA_PATH") {
        Some(path) => Some(path.into()),
        None => [("/usr/local/cuda", ""), ("/opt/cuda", ""), ("/usr", "bin/nvcc")]
            .into_iter()
            .find(|(folder, mark)| Path::new(folder).join(mark).exists())
            .map(|(folder, _)| folder.into()),
    }
}

/// The folder of the headers that kernels include.
pub fn headers() -> Option<PathBuf> {
    Some(toolkit()?.join("include")).filter(|folder| folder.join("cuda_fp16.h").exists())
}

/// The loader's cache is binary, but holds each path as a NUL-terminated string.
fn find_in_cache(cache: &[u8], library: &str) -> Option<PathBuf> {
    cache
        .split(|&byte| byte == 0)
        .filter_map(|bytes| str::from_utf8(bytes).ok())
        .map(Path::new)
        .find(|path| path.is_absolute() && is_version_of(path, library) && path.exists())
        .map(Path::to_owned)
}

fn find_in_folder(folder: &Path, library: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    entries.flatten().map(|entry| entry.path()).find(|path| is_version_of(path, library))
}

fn is_version_of(path: &Path, library: &str) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(feature = "cuda")]
mod built {
    use anyhow::{Result, bail};
    use burn::tensor::DeviceType;
    use emberlab_core::Device;

    use super::versions::Version;
    use super::*;

    /// The CUDA devices; empty without a driver.
    pub fn devices() -> Vec<Device> {
        Device::enumerate(DeviceType::Cuda).into_vec()
    }

    /// Whether kernels can be compiled and run on `devices`.
    ///
    /// # Errors
    /// The first thing that is missing, in one line.
    pub fn check(devices: &[Device]) -> Result<()> {
        if devices.is_empty() && find_library(DRIVER).is_none() {
            bail!(
                "no NVIDIA driver was found (libcuda.so); install the driver, or use --device cpu"
            );
        }
        if devices.is_empty() {
            bail!(
                "the NVIDIA driver reports no usable GPU (try nvidia-smi); use --device cpu meanwhile"
            );
        }
        if find_library(NVRTC).is_none() {
            bail!(
                "CUDA's kernel compiler was not found (libnvrtc.so); `emberlab doctor` says how to add it"
            );
        }
        if headers().is_none() {
            bail!(
                "CUDA's headers were not found (cuda_fp16.h); `emberlab doctor` says how to add them"
            );
        }
        Ok(())
    }

    /// Whether the parts go together that compile kernels for device `index`, as far as they say their versions.
    ///
    /// # Errors
    /// What does not, and the remedy, in one line.
    pub fn check_versions(index: usize) -> Result<()> {
        let capability = ask("compute_cap", &index.to_string());
        let capability = capability.and_then(|text| Version::parse(&text));
        let nvrtc = find_library(NVRTC).and_then(|path| versions::of_library(&path));
        let (Some(capability), Some(nvrtc)) = (capability, nvrtc) else { return Ok(()) };
        match versions::mismatch(capability, nvrtc, versions::of_driver()) {
            Some((problem, remedy)) => bail!("{problem}; {remedy}"),
            None => Ok(()),
        }
    }

    /// What the driver's tool calls device `index`.
    pub fn name(index: usize) -> Option<String> {
        ask("name", &index.to_string())
    }
}

#[cfg(feature = "cuda")]
pub use built::{check, check_versions, devices, name};

/// What the driver's tool says of a device.
fn ask(what: &str, index: &str) -> Option<String> {
    let query = format!("--query-gpu={what}");
    let answer = Command::new("nvidia-smi")
        .args([&query, "--format=csv,noheader,nounits", "-i", index])
        .output()
        .ok()
        .filter(|answer| answer.status.success())?;
    Some(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
}

/// The memory of device `index` that nothing holds, in bytes; the tool counts in MiB.
pub fn free_memory(index: &str) -> Option<u64> {
    Some(ask("memory.free", index)?.parse::<u64>().ok()? << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_may_follow_the_name() {
        assert!(is_version_of(Path::new("/x/libnvrtc.so"), NVRTC));
        assert!(is_version_of(Path::new("/x/libnvrtc.so.12"), NVRTC));
        assert!(!is_version_of(Path::new("/x/libnvrtc-builtins.so.12"), NVRTC));
        assert!(!is_version_of(Path::new("/x/libcudart.so"), DRIVER));
    }

    #[test]
    fn the_loader_cache_holds_libc() {
        if Path::new("/etc/ld.so.cache").exists() && cfg!(target_os = "linux") {
            assert!(find_library("libc.so").is_some());
        }
    }
}
