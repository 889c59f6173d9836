//! The command `emberlab`, built for this machine.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::{Workspace, run};

const REMEDY: &str = "the compiler's message above says what is wrong";

/// Builds `emberlab` and returns its path.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, &[])
}

/// Builds `emberlab` and every test in one go, so that both share their dependencies.
pub fn build_with_tests(workspace: &Workspace) -> Result<PathBuf> {
    compile(workspace, &["--tests"])
}

/// Builds `emberlab` with CUDA, which needs nothing of CUDA, and returns the path of a copy of it:
/// its place is taken again by the next build.
pub fn build_with_cuda(workspace: &Workspace) -> Result<PathBuf> {
    let built = compile(workspace, &["--features", "emberlab/cuda"])?;
    let copy = built.with_file_name(format!("emberlab-cuda{}", std::env::consts::EXE_SUFFIX));
    fs::copy(&built, &copy).with_context(|| format!("cannot write {}", copy.display()))?;
    Ok(copy)
}

fn compile(workspace: &Workspace, more: &[&str]) -> Result<PathBuf> {
    // All of the workspace is selected, so that features resolve alike in every command.
    let mut cargo = workspace.cargo(&["build", "--release", "--locked", "--workspace"]);
    cargo.args(["--bin", "emberlab"]).args(more);
    run(cargo.args(features(workspace)), REMEDY)?;
    let name = format!("emberlab{}", std::env::consts::EXE_SUFFIX);
    Ok(workspace.target.join("release").join(name))
}

/// `cuda` where a driver is: its build needs nothing of CUDA, but is longer.
pub fn features(workspace: &Workspace) -> &'static [&'static str] {
    if has_nvidia_driver(workspace) { &["--features", "emberlab/cuda"] } else { &[] }
}

fn has_nvidia_driver(workspace: &Workspace) -> bool {
    const LIBRARY: &str = "libcuda.so.1";
    Path::new("/proc/driver/nvidia/version").exists()
        || Path::new("/usr/lib/wsl/lib").join(LIBRARY).exists()
        || workspace
            .output_of("ldconfig", &["-p"])
            .is_some_and(|libraries| libraries.contains(LIBRARY))
}
