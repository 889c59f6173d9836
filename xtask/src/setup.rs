//! Installs what is missing, by name from the package registries, and leaves alone what is there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::python::python;
use crate::workspace::{Workspace, run};

/// A command-line program that is built from crates.io.
struct Tool {
    program: &'static str,
    package: &'static str,
    version: &'static str,
    reason: &'static str,
    /// What suits its work; those of the page build in about two minutes each on two cores.
    opt_level: &'static str,
    locked: bool,
}

/// The last trunk that Rust 1.95 builds. It downloads only in ways that are off here, so it is built without
/// the default features, which are TLS and a check for updates.
const TRUNK: Tool = Tool {
    program: "trunk",
    package: "trunk",
    version: "0.21.14",
    reason: "it bundles the page",
    opt_level: "0",
    locked: true,
};

/// Tool and crate must be of one version, which `Cargo.lock` and `Trunk.toml` name, too.
const WASM_BINDGEN: Tool = Tool {
    program: "wasm-bindgen",
    package: "wasm-bindgen-cli",
    version: "0.2.130",
    reason: "it binds the page's WebAssembly to JavaScript",
    opt_level: "1",
    // Its lock file names a crate that was withdrawn.
    locked: false,
};

/// Not of the tests: `cargo xtask deny` alone needs it.
const DENY: Tool = Tool {
    program: "cargo-deny",
    package: "cargo-deny",
    version: "0.20.2",
    reason: "it reads licences and advisories",
    opt_level: "0",
    locked: true,
};

const WASM: &str = "wasm32-unknown-unknown";

pub fn everything(workspace: &Workspace) -> Result<()> {
    crates(workspace)?;
    page_tools(workspace)?;
    browser(workspace)?;
    python(workspace).map(drop)
}

/// The sources of every dependency, so that all later steps work offline.
pub fn crates(workspace: &Workspace) -> Result<()> {
    run(
        &mut workspace.cargo(&["fetch", "--locked"]),
        "the first run needs crates.io; a changed Cargo.toml needs `cargo update --workspace`",
    )
}

/// What building the page takes: the wasm target, trunk and wasm-bindgen.
pub fn page_tools(workspace: &Workspace) -> Result<()> {
    wasm_target(workspace)?;
    install(workspace, &TRUNK)?;
    install(workspace, &WASM_BINDGEN)?;
    remove(&workspace.tools().join("build"))
}

/// What holds dependencies to `deny.toml`.
pub fn deny(workspace: &Workspace) -> Result<()> {
    crates(workspace)?;
    install(workspace, &DENY)?;
    remove(&workspace.tools().join("build"))
}

/// The standard library that the page is compiled against.
pub fn wasm_target(workspace: &Workspace) -> Result<()> {
    let library = workspace.output_of("rustc", &["--print", "target-libdir", "--target", WASM]);
    if library.is_some_and(|folder| Path::new(&folder).is_dir()) {
        return Ok(());
    }
    say(WASM, "the page is compiled for it");
    run(
        &mut workspace.command("rustup", &["target", "add", WASM]),
        "install rustup from https://rustup.rs, or your distribution's Rust library for wasm32",
    )
}

/// The driver of the browser tests and a Chromium for it; returns the path of the latter.
pub fn browser(workspace: &Workspace) -> Result<PathBuf> {
    npm_packages(workspace)?;
    if let Some(chromium) = chromium(workspace)? {
        return Ok(chromium);
    }
    say("chromium", "the tests open the page in it");
    let remedy = "install Chromium, or name its program in the variable CHROMIUM";
    if !is_root() || workspace.find("apt-get").is_none() {
        bail!("no Chromium on PATH, and only root can install it with apt-get\nremedy: {remedy}");
    }
    run(&mut workspace.command("apt-get", &["update"]), remedy)?;
    run(
        workspace
            .command("apt-get", &["install", "-y", "--no-install-recommends", "chromium"])
            .env("DEBIAN_FRONTEND", "noninteractive"),
        remedy,
    )?;
    chromium(workspace)?.with_context(|| format!("apt-get installed no Chromium\nremedy: {remedy}"))
}

fn chromium(workspace: &Workspace) -> Result<Option<PathBuf>> {
    if let Some(named) = std::env::var_os("CHROMIUM").map(PathBuf::from) {
        if named.is_file() {
            return Ok(Some(named));
        }
        bail!("CHROMIUM names {}, which is no file\nremedy: correct or unset it", named.display());
    }
    let names = ["chromium", "chromium-browser", "google-chrome"];
    Ok(names.iter().find_map(|name| workspace.find(name)))
}

fn npm_packages(workspace: &Workspace) -> Result<()> {
    let folder = workspace.root.join("tests/browser");
    let modified = |name: &str| fs::metadata(folder.join(name)).and_then(|file| file.modified());
    let Ok(wanted) = modified("package-lock.json") else {
        return Ok(());
    };
    if modified("node_modules/.package-lock.json").is_ok_and(|installed| installed >= wanted) {
        return Ok(());
    }
    say("npm packages", "playwright-core drives the browser");
    run(
        workspace.command("npm", &["ci", "--no-audit", "--no-fund"]).current_dir(&folder),
        "install Node.js 18 or newer with npm (Debian: `apt-get install nodejs npm`)",
    )
}

/// Builds a tool unless PATH has this very version.
fn install(workspace: &Workspace, tool: &Tool) -> Result<()> {
    let printed = workspace.output_of(tool.program, &["--version"]);
    if printed.is_some_and(|text| text.split_whitespace().nth(1) == Some(tool.version)) {
        return Ok(());
    }
    say(&format!("{} {}", tool.package, tool.version), tool.reason);
    let mut cargo = workspace.cargo(&["install", "--quiet", "--no-default-features"]);
    if tool.locked {
        cargo.arg("--locked");
    }
    run(
        cargo
            .arg(format!("{}@{}", tool.package, tool.version))
            .arg("--root")
            .arg(workspace.tools())
            .arg("--target-dir")
            .arg(workspace.tools().join("build"))
            // The tools' own release profiles spend many minutes on link-time optimisation.
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", tool.opt_level),
        "it needs crates.io and a C compiler (Debian: `apt-get install gcc libc6-dev`)",
    )
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn say(what: &str, reason: &str) {
    eprintln!("installing {what}: {reason}");
}
