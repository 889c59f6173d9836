//! `emberlab doctor`: what this machine has, what is missing, and what to do about it.

use std::env::consts::{ARCH, OS};
use std::fmt::Write;
use std::fs;
use std::process::Command;
use std::thread;

use anyhow::Result;

use crate::device::{self, DeviceChoice};
use crate::report::{bytes, print};
use crate::system::{self, BURN_VERSION};
use crate::{Outcome, cuda, embedded};

/// Runs the command.
pub fn run() -> Result<Outcome> {
    let mut report = Report::default();
    versions(&mut report);
    processor(&mut report);
    gpu(&mut report);
    graphics(&mut report);
    embedded_parts(&mut report);
    match device::choose(DeviceChoice::Auto) {
        Ok(chosen) => report.fact("auto", &chosen.to_string()),
        Err(problem) => report.lacks("auto", &problem.to_string(), "use --device cpu"),
    }
    print(report.text)?;
    Ok(Outcome::Completed)
}

#[derive(Default)]
struct Report {
    text: String,
}

impl Report {
    fn fact(&mut self, what: &str, value: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{what:10} {value}");
    }

    /// Something is missing: what that means and how to mend it.
    fn lacks(&mut self, what: &str, problem: &str, remedy: &str) {
        let _ = writeln!(self.text, "{what:10} {problem}\n{:10} → {remedy}", "");
    }
}

fn versions(report: &mut Report) {
    let with = |feature, built: bool| if built { feature } else { "" };
    let backends =
        ["cpu", with(" cuda", cfg!(feature = "cuda")), with(" wgpu", cfg!(feature = "wgpu"))]
            .concat();
    let version = env!("CARGO_PKG_VERSION");
    report.fact(
        "emberlab",
        &format!("{version} with Burn {BURN_VERSION}, for {ARCH} {OS}; built with: {backends}"),
    );
}

fn processor(report: &mut Report) {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    report.fact("cpu", &format!("{}, {cores} cores for this process", system::cpu_name()));
    #[cfg(target_arch = "x86_64")]
    match (std::is_x86_feature_detected!("avx2"), std::is_x86_feature_detected!("avx512f")) {
        (_, true) => report.fact("simd", "AVX-512"),
        (true, false) => {
            report.fact("simd", "AVX2 (no AVX-512: matrix products run at about half the speed)")
        }
        (false, false) => report.lacks(
            "simd",
            "no AVX2: training on this CPU is slow",
            "use a machine with AVX2 or a GPU",
        ),
    }
    if let Some((total, available)) = system::memory() {
        report.fact("memory", &format!("{}, {} available", bytes(total), bytes(available)));
    }
}

fn gpu(report: &mut Report) {
    let driver = fs::read_to_string("/proc/driver/nvidia/version").unwrap_or_default();
    match (driver.lines().next(), cuda::find_library(cuda::DRIVER)) {
        (Some(version), Some(_)) => report.fact("driver", version.trim_start_matches("NVRM version:").trim()),
        (None, Some(library)) => report.lacks(
            "driver",
            &format!("{} is there, but no NVIDIA kernel module is loaded", library.display()),
            "in a container, start it with the GPU (docker run --gpus all); elsewhere load the module or reboot",
        ),
        (Some(_), None) => report.lacks(
            "driver",
            "the NVIDIA kernel module is loaded, but its library (libcuda.so) was not found",
            "install the driver's user-space part, or add its folder to LD_LIBRARY_PATH",
        ),
        (None, None) => {
            return report.lacks("driver", "no NVIDIA driver: CUDA cannot be used", "with an NVIDIA GPU, install its driver; else nothing to do");
        }
    }
    for card in nvidia_smi() {
        report.fact("gpu", &card);
    }
    nvrtc(report);
    built_with_cuda(report);
}

/// Name and memory of each card, as NVIDIA's own tool gives them.
fn nvidia_smi() -> Vec<String> {
    let query =
        ["--query-gpu=index,name,memory.total,memory.free,compute_cap", "--format=csv,noheader"];
    let Ok(answer) = Command::new("nvidia-smi").args(query).output() else { return Vec::new() };
    let cards = String::from_utf8_lossy(&answer.stdout).into_owned();
    let card = |line: &str| match line.split(", ").collect::<Vec<_>>()[..] {
        [index, name, total, free, capability] => {
            format!(
                "cuda:{index} {name}, {total} of memory, {free} free, compute capability {capability}"
            )
        }
        _ => line.to_owned(),
    };
    if answer.status.success() { cards.lines().map(card).collect() } else { Vec::new() }
}

/// NVRTC compiles Burn's kernels at run time and needs CUDA's headers for it.
fn nvrtc(report: &mut Report) {
    match (cuda::find_library(cuda::NVRTC), cuda::find_library_off_path(cuda::NVRTC)) {
        (Some(library), _) => report.fact("nvrtc", &library.display().to_string()),
        (None, Some(library)) => {
            let folder = library.parent().unwrap_or(&library).display();
            let problem = format!("{} lies where the loader does not look", library.display());
            report.lacks("nvrtc", &problem, &format!("export LD_LIBRARY_PATH={folder}:$LD_LIBRARY_PATH"));
        }
        (None, None) => report.lacks(
            "nvrtc",
            "libnvrtc.so was not found: CUDA kernels cannot be compiled",
            "install it (Debian, Ubuntu: NVIDIA's cuda-nvrtc-12-9; pip: nvidia-cuda-nvrtc-cu12) and add its folder to LD_LIBRARY_PATH",
        ),
    }
    match cuda::headers() {
        Some(folder) => report.fact("headers", &folder.display().to_string()),
        None => report.lacks(
            "headers",
            "CUDA's headers (cuda_fp16.h) were not found: CUDA kernels cannot be compiled",
            "install them (NVIDIA's cuda-cudart-dev-12-9) and set CUDA_PATH to the folder that has include/",
        ),
    }
}

#[cfg(feature = "cuda")]
fn built_with_cuda(report: &mut Report) {
    let devices = cuda::devices();
    match cuda::check(&devices) {
        Ok(()) => report.fact("cuda", &format!("ready, {} device(s)", devices.len())),
        Err(problem) => report.lacks("cuda", &problem.to_string(), "until then, --device cpu"),
    }
}

#[cfg(not(feature = "cuda"))]
fn built_with_cuda(report: &mut Report) {
    report.lacks("cuda", "not in this build", "cargo build --release -p emberlab --features cuda");
}

fn graphics(report: &mut Report) {
    match device::choose(DeviceChoice::Wgpu) {
        Ok(chosen) => report.fact("wgpu", &chosen.name),
        Err(_) if !cfg!(feature = "wgpu") => {
            report.lacks(
                "wgpu",
                "not in this build",
                "cargo build --release -p emberlab --features wgpu",
            );
        }
        Err(problem) => report.fact("wgpu", &problem.to_string()),
    }
}

fn embedded_parts(report: &mut Report) {
    for name in [embedded::MODEL, embedded::DATA, embedded::CLASSIFIER] {
        match embedded::find(name, "a path of your own") {
            Ok(folder) => report.fact("embedded", &folder.display().to_string()),
            Err(_) => report.lacks(
                "embedded",
                &format!("{name} was not found"),
                "run in the repository, or name folders of your own (--model, --train)",
            ),
        }
    }
}
