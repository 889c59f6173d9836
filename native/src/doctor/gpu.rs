//! NVIDIA's parts: what is there, what is missing, and what does not go together.

use std::fs;
use std::process::Command;

use super::Report;
use crate::machine::cuda;
use crate::machine::cuda::versions::{self, Version};

/// Driver, GPUs, NVRTC and headers, and whether they go together.
pub fn look(report: &mut Report) {
    let driver = fs::read_to_string("/proc/driver/nvidia/version").unwrap_or_default();
    match (driver.lines().next(), cuda::find_library(cuda::DRIVER)) {
        (Some(version), Some(_)) => {
            let version = version.trim_start_matches("NVRM version:").trim();
            let cuda = versions::of_driver().map_or_else(String::new, |cuda| format!("; CUDA up to {cuda}"));
            report.fact("driver", &format!("{version}{cuda}"));
        }
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
    let cards = cards();
    if cards.is_empty() {
        report.lacks(
            "gpu",
            "nvidia-smi lists no GPU, or is not there: its compute capability is not known",
            "run nvidia-smi; what it says is wrong comes before everything else",
        );
    }
    for card in &cards {
        report.fact("gpu", &card.shown);
    }
    nvrtc(report);
    fit(report, &cards);
    built_with_cuda(report);
}

/// Whether NVRTC knows the GPUs, and the driver this NVRTC.
fn fit(report: &mut Report, cards: &[Card]) {
    let nvrtc = cuda::find_library(cuda::NVRTC).and_then(|path| versions::of_library(&path));
    let driver = versions::of_driver();
    let mut capabilities: Vec<Version> = cards.iter().filter_map(|card| card.capability).collect();
    capabilities.sort_unstable();
    capabilities.dedup();
    for capability in capabilities {
        let needs = versions::needs(capability, driver);
        match nvrtc.and_then(|nvrtc| versions::mismatch(capability, nvrtc, driver)) {
            Some((problem, remedy)) => report.lacks("versions", &problem, &remedy),
            None => report.fact("versions", &needs),
        }
    }
}

struct Card {
    shown: String,
    capability: Option<Version>,
}

/// Name and memory of each card, as NVIDIA's own tool gives them.
fn cards() -> Vec<Card> {
    let query =
        ["--query-gpu=index,name,memory.total,memory.free,compute_cap", "--format=csv,noheader"];
    let Ok(answer) = Command::new("nvidia-smi").args(query).output() else { return Vec::new() };
    let cards = String::from_utf8_lossy(&answer.stdout).into_owned();
    let card = |line: &str| match line.split(", ").collect::<Vec<_>>()[..] {
        [index, name, total, free, capability] => Card {
            shown: format!(
                "cuda:{index} {name}, {total} of memory, {free} free, compute capability {capability}"
            ),
            capability: Version::parse(capability),
        },
        _ => Card { shown: line.to_owned(), capability: None },
    };
    if answer.status.success() { cards.lines().map(card).collect() } else { Vec::new() }
}

/// NVRTC compiles Burn's kernels at run time and needs CUDA's headers for it.
fn nvrtc(report: &mut Report) {
    match (cuda::find_library(cuda::NVRTC), cuda::find_library_off_path(cuda::NVRTC)) {
        (Some(library), _) => {
            let version = versions::of_library(&library);
            let version = version.map_or_else(String::new, |version| format!("{version}: "));
            report.fact("nvrtc", &format!("{version}{}", library.display()));
        }
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
