//! The page: trunk compiles it and its engines into `dist/`, as `Trunk.toml` and `index.html` say.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::json;

use crate::setup;
use crate::validate::files_below;
use crate::workspace::{Workspace, run};

/// Builds the page from nothing.
pub fn page(workspace: &Workspace) -> Result<()> {
    setup::crates(workspace)?;
    setup::page_tools(workspace)?;
    build(workspace)
}

/// Builds the page with the tools that are there.
pub fn build(workspace: &Workspace) -> Result<()> {
    run(
        // Trunk takes NO_COLOR=1, which others set, for a wrong value.
        workspace.command("trunk", &["build"]).env_remove("NO_COLOR"),
        "the message above says what is wrong; `cargo xtask setup` installs what trunk calls",
    )?;
    list_rest(&workspace.dist())?;
    print_sizes(&workspace.dist())
}

/// Writes `offline.json`: what a visitor may open after the first answer, which `web/sw.js` keeps then for visits
/// without a network, and a version that is another one when any of it is.
fn list_rest(dist: &Path) -> Result<()> {
    let shown = fs::read_to_string(dist.join("teach/code.js")).context("cannot read code.js")?;
    let is_wanted = |name: &str| match name.split_once('/') {
        Some(("strings" | "teach", _)) => true,
        Some(("code", file)) => shown.contains(&format!("\"{file}\"")),
        Some(("data", file)) => file.ends_with("/train.jsonl"),
        Some(("models", file)) => {
            file.starts_with("bert-tiny/")
                && (file.ends_with(".json") || file.ends_with(".safetensors"))
        }
        _ => false,
    };
    let (mut files, mut version, mut total) = (Vec::new(), DefaultHasher::new(), 0);
    for path in files_below(dist)? {
        let name = path.strip_prefix(dist)?.to_string_lossy().replace('\\', "/");
        if is_wanted(&name) {
            files.push(name);
        }
    }
    files.sort();
    for name in &files {
        let bytes = fs::read(dist.join(name)).with_context(|| format!("cannot read {name}"))?;
        (name, &bytes).hash(&mut version);
        total += bytes.len();
    }
    let list = json!({ "version": format!("{:x}", version.finish()), "files": files });
    fs::write(dist.join("offline.json"), list.to_string()).context("cannot write offline.json")?;
    eprintln!("offline.json: {} files, {} kB", files.len(), total / 1000);
    Ok(())
}

/// What a visitor downloads: code, not models.
fn print_sizes(dist: &Path) -> Result<()> {
    let mut files = fs::read_dir(dist)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .with_context(|| format!("cannot list {}", dist.display()))?;
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files.iter().filter(|file| file.path().is_file()) {
        let name = file.file_name();
        let bytes = file.metadata()?.len();
        let packed = gzipped(&file.path())
            .map(|bytes| format!(", {} kB gzip", bytes / 1000))
            .unwrap_or_default();
        eprintln!("{:<44} {:>6} kB{packed}", name.display(), bytes / 1000);
    }
    Ok(())
}

/// Size after `gzip`, where there is one.
fn gzipped(path: &Path) -> Option<usize> {
    let output = Command::new("gzip")
        .args(["--stdout", "--keep"])
        .arg(path)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then_some(output.stdout.len())
}
