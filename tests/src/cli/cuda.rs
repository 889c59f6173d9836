//! Errors of CUDA, provoked: what is missing or does not go together is said in a line, with the remedy.
//!
//! The others of the table in `docs/reliability.md`: of tensors on two devices `xtask/src/validate.rs`, of ids
//! and labels `tests/src/checks.rs` and `tests/src/bad_input/`, of memory `tests/src/cli/config.rs`.

use std::{
    env, fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use crate::{
    command::{Ran, Scratch, emberlab},
    support::say,
};

#[test]
fn auto_says_what_it_chose_and_why() {
    let scratch = Scratch::new();
    scratch.write_classifier("model");
    let ran = scratch.run("predict --model model --text hello --device auto");
    let device = ran.stderr.lines().find(|line| line.starts_with("device  ")).unwrap();
    let (chosen, reason) = device.split_once(", chosen by auto: ").unwrap();
    assert!(chosen.contains("cpu (") || chosen.contains("cuda:0 ("), "{device}");
    assert!(!reason.is_empty());
    ran.ok();
}

/// A device that was asked for by name and is absent is an error, said in one line.
#[test]
fn cuda_without_a_driver_is_refused_in_one_line() {
    if has_driver("cuda_without_a_driver…") {
        return;
    }
    let scratch = Scratch::new();
    scratch.write_classifier("model");
    for device in ["cuda", "cuda:1"] {
        let line = format!("predict --model model --text hello --device {device}");
        let said = scratch.run(&line).error();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("error: ") && said.contains("CUDA") || said.contains("NVIDIA"));
    }
}

/// A build with CUDA starts, computes on the CPU and says what is missing, where there is no driver.
#[test]
fn a_build_with_cuda_runs_without_a_driver() {
    let Some(program) = build_with_cuda("a_build_with_cuda…") else { return };
    let scratch = Scratch::new();
    scratch.write_classifier("model");
    let predict = "predict --model model --text hello";
    let on_cpu = scratch.run(&format!("{predict} --device cpu")).ok();
    assert_eq!(scratch.run_build(&program, &format!("{predict} --device cpu")).ok(), on_cpu);
    let auto = scratch.run_build(&program, predict);
    assert!(auto.stderr.contains("chosen by auto: no NVIDIA driver"), "{}", auto.stderr);
    assert_eq!(auto.ok(), on_cpu);
    let refused = scratch.run_build(&program, &format!("{predict} --device cuda")).error();
    assert_eq!(refused.lines().count(), 1, "{refused}");
    assert!(refused.contains("NVIDIA driver"), "{refused}");
    assert!(scratch.run_build(&program, "doctor").ok().contains("cuda"));
}

/// Whether this machine has a driver of its own, beside which a stub proves nothing.
fn has_driver(test: &str) -> bool {
    let has = Path::new("/proc/driver/nvidia/version").exists();
    if has {
        say(&format!("SKIPPED: {test}, because this machine has a driver\n"));
    }
    has
}

/// The build with CUDA, where there is one and no driver.
fn build_with_cuda(test: &str) -> Option<PathBuf> {
    let program = env::var_os("EMBERLAB_CUDA_BIN").map(PathBuf::from);
    if program.is_none() {
        say(&format!(
            "SKIPPED: {test}: EMBERLAB_CUDA_BIN is unset; `cargo xtask test` builds it\n"
        ));
    }
    program.filter(|_| !has_driver(test))
}

/// A folder of stubs in the place of NVIDIA's parts, which the loader and PATH lead to.
struct Stubs(Scratch);

impl Stubs {
    /// A driver with so many devices.
    fn driver(devices: usize) -> Self {
        let scratch = Scratch::new();
        scratch.write_classifier("model");
        let source = format!(
            "int cuInit(unsigned flags) {{ return 0; }}\n\
             int cuDeviceGetCount(int *count) {{ *count = {devices}; return 0; }}\n"
        );
        scratch.write("lib/cuda.c", source);
        scratch.compile("lib/cuda.c", "lib/libcuda.so.1");
        scratch.write("bin/README", "programs");
        Self(scratch)
    }

    /// NVIDIA's tool, which knows a GPU of this compute capability, and a driver of this CUDA.
    fn with_tool(self, capability: &str, cuda: &str) -> Self {
        let script = format!(
            "#!/bin/sh\ncase \"$1\" in\n\
             --query-gpu=index*) echo '0, NVIDIA Stub, 81559 MiB, 81000 MiB, {capability}';;\n\
             --query-gpu=compute_cap) echo '{capability}';;\n\
             --query-gpu=*) echo 'NVIDIA Stub';;\n\
             *) echo '| NVIDIA-SMI 550.54   Driver Version: 550.54   CUDA Version: {cuda}  |';;\nesac\n"
        );
        self.0.write("bin/nvidia-smi", script);
        let runs = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.0.path("bin/nvidia-smi"), runs).unwrap();
        self
    }

    fn with_nvrtc(self, version: &str) -> Self {
        let file = format!("libnvrtc.so.{version}");
        self.0.write(&format!("lib/{file}"), "");
        let major = version.split('.').next().unwrap();
        let link = self.0.path(&format!("lib/libnvrtc.so.{major}"));
        if !link.exists() {
            symlink(&file, link).unwrap();
        }
        self
    }

    fn with_headers(self) -> Self {
        self.0.write("cuda/include/cuda_fp16.h", "");
        self
    }

    fn run(&self, program: &Path, line: &str) -> Ran {
        let path = env::var("PATH").unwrap();
        let mut command = self.0.command_of(program, line.split_whitespace());
        command.env("PATH", format!("{}:{path}", self.0.path("bin").display()));
        command.env("LD_LIBRARY_PATH", self.0.path("lib"));
        command.env("CUDA_PATH", self.0.path("cuda")).output().unwrap().into()
    }

    /// What `doctor` says of a subject, with the remedy in the line below it.
    fn doctor(&self, subject: &str) -> String {
        let report = self.run(&emberlab(), "doctor").ok();
        let mut lines = report.lines();
        let start = format!("{subject} ");
        let line = lines.find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("no line on {subject}:\n{report}"));
        let remedy = lines.next().filter(|line| line.trim_start().starts_with('→'));
        format!("{line}\n{}", remedy.unwrap_or_default())
    }
}

fn holds(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "no \"{word}\" in\n{said}");
    }
}

#[test]
fn doctor_says_what_a_driver_lacks() {
    if has_driver("doctor_says_what_a_driver_lacks") {
        return;
    }
    let bare = Stubs::driver(1);
    holds(&bare.doctor("driver"), &["lib/libcuda.so.1", "no NVIDIA kernel module", "--gpus all"]);
    holds(&bare.doctor("nvrtc"), &["libnvrtc.so was not found", "→ install it", "LD_LIBRARY_PATH"]);
    holds(&bare.doctor("headers"), &["cuda_fp16.h", "→ install them", "CUDA_PATH"]);
    holds(&bare.doctor("gpu"), &["nvidia-smi", "compute capability is not known", "→ run"]);

    let whole = Stubs::driver(1).with_tool("9.0", "12.9").with_nvrtc("12.9.86").with_headers();
    holds(&whole.doctor("gpu"), &["cuda:0 NVIDIA Stub", "compute capability 9.0", "81559 MiB"]);
    holds(&whole.doctor("nvrtc"), &["12.9: ", "lib/libnvrtc.so.12"]);
    holds(&whole.doctor("headers"), &["cuda/include"]);
    holds(&whole.doctor("versions"), &["9.0 needs NVRTC 11.8 or newer", "the driver's CUDA 12.9"]);
    assert!(!whole.doctor("versions").contains('→'));
}

#[test]
fn doctor_names_versions_that_do_not_go_together() {
    if has_driver("doctor_names_versions_that_do_not_go_together") {
        return;
    }
    for (capability, cuda, nvrtc, says) in [
        (
            "9.0",
            "12.4",
            "12.9.86",
            ["of CUDA 12.4 cannot read", "update the driver, or", "cuda-nvrtc-12-4"],
        ),
        ("12.0", "12.9", "12.4.1", ["too old for a GPU", "12.8 or newer", "cuda-nvrtc-12-8"]),
        ("6.1", "13.0", "13.0.1", ["no longer compiles", "older than 13.0", "cuda-nvrtc-12-9"]),
    ] {
        let stubs = Stubs::driver(1).with_tool(capability, cuda).with_nvrtc(nvrtc);
        holds(&stubs.doctor("versions"), &says);
    }
}

/// What Burn would panic on is looked for first.
#[test]
fn a_build_with_cuda_says_what_a_driver_lacks() {
    let Some(program) = build_with_cuda("a_build_with_cuda_says…") else { return };
    let nvrtc = || Stubs::driver(1).with_tool("9.0", "12.4");
    for (stubs, says) in [
        (Stubs::driver(0), "reports no usable GPU"),
        (Stubs::driver(1), "libnvrtc.so"),
        (nvrtc().with_nvrtc("12.4.1"), "cuda_fp16.h"),
        (nvrtc().with_nvrtc("12.9.1").with_headers(), "of CUDA 12.4 cannot read"),
    ] {
        let predict = "predict --model model --text hello";
        let refused = stubs.run(&program, &format!("{predict} --device cuda")).error();
        assert_eq!(refused.lines().count(), 1, "{refused}");
        holds(&refused, &[says]);
        // Nobody asked for CUDA by name, so this is no error, but said.
        let auto = stubs.run(&program, predict);
        holds(&auto.stderr, &["cpu (", "chosen by auto: ", says]);
        auto.ok();
        holds(&stubs.run(&program, "doctor").ok(), &[says]);
    }
}
