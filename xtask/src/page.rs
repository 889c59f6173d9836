//! The page: trunk compiles it and its engines into `dist/`, as `Trunk.toml` and `index.html` say.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::setup;
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
    print_sizes(&workspace.dist())
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
