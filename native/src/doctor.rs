//! `emberlab doctor`: what this machine has, what is missing, and what to do about it.

mod gpu;

use std::env::consts::{ARCH, OS};
use std::fmt::Write;
use std::thread;

use anyhow::Result;

use crate::Outcome;
use crate::files::embedded;
use crate::machine::device::{self, DeviceChoice};
use crate::machine::system::{self, BURN_VERSION};
use crate::terminal::{bytes, print};

/// Runs the command.
pub fn run() -> Result<Outcome> {
    let mut report = Report::default();
    versions(&mut report);
    processor(&mut report);
    gpu::look(&mut report);
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
