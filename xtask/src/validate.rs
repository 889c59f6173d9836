//! Formatting, lints, and the rules of the repository that no compiler knows.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::stages::Stages;
use crate::workspace::{Workspace, run};

const MAX_LINES: usize = 300;
/// Files that may be longer, each with its reason.
const LONG_FILES: [(&str, &str); 0] = [];
/// The embedded default: `models/` and `data/` together.
const MAX_EMBEDDED_BYTES: u64 = 25_000_000;
/// Made by tools, not written by us. Hidden folders are left out too.
const GENERATED: [&str; 5] = ["target", "dist", "runs", "node_modules", "__pycache__"];

pub fn validate(workspace: &Workspace) -> Result<()> {
    let mut stages = Stages::default();
    stages.run("formatting", || formatting(workspace))?;
    stages.run("repository checks", || repository(workspace))?;
    stages.run("lints", || lints(workspace))?;
    stages.run("lints for wasm", || wasm_lints(workspace))?;
    stages.print();
    Ok(())
}

pub fn formatting(workspace: &Workspace) -> Result<()> {
    run(
        &mut workspace.cargo(&["fmt", "--all", "--check"]),
        "`cargo fmt --all` (where cargo knows no fmt: `rustup component add rustfmt`)",
    )
}

/// Clippy with every engine that runs natively, also those that need no hardware to compile.
pub fn lints(workspace: &Workspace) -> Result<()> {
    let arguments = ["--workspace", "--all-targets", "--features", "emberlab/cuda,emberlab/wgpu"];
    clippy(workspace, &arguments)
}

/// Clippy with both engines of the page, under the rules that ban blocking calls.
pub fn wasm_lints(workspace: &Workspace) -> Result<()> {
    let engines = "emberlab-web/cpu,emberlab-web/webgpu";
    let packages = ["-p", "emberlab-core", "-p", "emberlab-web", "--features", engines];
    clippy(workspace, &[&packages[..], &["--target", "wasm32-unknown-unknown"]].concat())
}

fn clippy(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let mut cargo = workspace.cargo(&["clippy", "--release", "--locked"]);
    if arguments.contains(&"--target") {
        cargo.env("CLIPPY_CONF_DIR", workspace.root.join("web"));
    }
    run(
        cargo.args(arguments).args(["--", "-D", "warnings"]),
        "mend what Clippy names (where cargo knows no clippy: `rustup component add clippy`)",
    )
}

/// The rules of the repository, as code.
pub fn repository(workspace: &Workspace) -> Result<()> {
    let root = &workspace.root;
    short_files(root)?;
    unsafe_code_denied(root)?;
    no_tensor_from_outside(root)?;
    small_default(root)
}

fn short_files(root: &Path) -> Result<()> {
    let mut long = Vec::new();
    for path in files_below(root)? {
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let ours = matches!(path.extension().and_then(|e| e.to_str()), Some("rs" | "py" | "mjs"));
        if !ours || LONG_FILES.iter().any(|(allowed, _)| *allowed == name) {
            continue;
        }
        let lines = read(&path)?.lines().count();
        if lines > MAX_LINES {
            long.push(format!("  {name}: {lines} lines"));
        }
    }
    ensure!(
        long.is_empty(),
        "files longer than {MAX_LINES} lines:\n{}\nremedy: split them, or give a reason in LONG_FILES of xtask",
        long.join("\n")
    );
    Ok(())
}

/// The workspace denies `unsafe_code`, and every member takes its lints from the workspace.
fn unsafe_code_denied(root: &Path) -> Result<()> {
    let manifest = read(&root.join("Cargo.toml"))?;
    ensure!(
        manifest.lines().any(|line| line.trim() == r#"unsafe_code = "deny""#),
        "Cargo.toml: [workspace.lints.rust] must hold `unsafe_code = \"deny\"`"
    );
    let members = manifest
        .lines()
        .find_map(|line| line.trim().strip_prefix("members = "))
        .context("Cargo.toml: `members = [...]` must stand on one line")?;
    for member in members.split('"').skip(1).step_by(2) {
        let path = root.join(member).join("Cargo.toml");
        ensure!(
            read(&path)?.contains("[lints]\nworkspace = true"),
            "{}: it must hold\n[lints]\nworkspace = true",
            path.display()
        );
    }
    Ok(())
}

/// No public function of `core` takes a tensor, so that nobody can bring one of another device.
fn no_tensor_from_outside(root: &Path) -> Result<()> {
    for path in files_below(&root.join("core/src"))? {
        if let Some(name) = takes_a_tensor(&read(&path)?) {
            bail!(
                "{}: `pub fn {name}` takes a tensor, which may be on another device than the model's; \
                 make it `pub(crate)`, or take values",
                path.display()
            );
        }
    }
    Ok(())
}

/// The name of the first public function that does.
fn takes_a_tensor(text: &str) -> Option<&str> {
    let functions = |start| text.split(start).skip(1);
    let public = functions("pub fn ").chain(functions("pub async fn "));
    let signatures = public.filter_map(|public| public.split(['{', ';']).next());
    let arguments = signatures.filter_map(|signature| signature.split("->").next());
    let taking =
        |arguments: &&str| arguments.contains("Tensor<") || arguments.contains("BatchTensors");
    arguments.filter(taking).find_map(|arguments| arguments.split(['(', '<']).next())
}

fn small_default(root: &Path) -> Result<()> {
    let mut bytes = 0;
    for folder in ["models", "data"] {
        for path in files_below(&root.join(folder))? {
            bytes += fs::metadata(&path)?.len();
        }
    }
    ensure!(
        bytes <= MAX_EMBEDDED_BYTES,
        "models/ and data/ hold {bytes} bytes; the embedded default may have {MAX_EMBEDDED_BYTES}"
    );
    Ok(())
}

/// Every file below `folder`, without what tools made.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !entry.file_type()?.is_dir() {
            files.push(entry.path());
        } else if !name.starts_with('.') && !GENERATED.contains(&name.as_str()) {
            files.extend(files_below(&entry.path())?);
        }
    }
    Ok(files)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Expected all tensors to be on the same device" takes a tensor from elsewhere.
    #[test]
    fn tensors_come_from_nowhere_but_the_owner_of_the_device() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        no_tensor_from_outside(&root).unwrap();
        for (text, found) in [
            ("pub fn new(x: Tensor<2>) -> Self {}", Some("new")),
            ("pub async fn step<'a>(\n    &self,\n    batch: &BatchTensors,\n) {}", Some("step")),
            ("pub fn logits(&self) -> Tensor<2> {}", None),
            ("pub(crate) fn forward(x: Tensor<2>) {}", None),
            ("pub fn rows(&self) -> usize { let x: Tensor<2> = self.x; }", None),
        ] {
            assert_eq!(takes_a_tensor(text), found, "{text}");
        }
    }
}
