//! What a result was measured on, and with which versions.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

use super::report::About;
use super::setup::Bench;
use crate::workspace::Workspace;

const VERSIONS: &str = "import importlib.metadata as m, json, platform
names = ['torch', 'transformers', 'tokenizers', 'onnxruntime', 'accelerate']
print(json.dumps({'Python': platform.python_version()} | {n: m.version(n) for n in names}))";

pub fn about(workspace: &Workspace, bench: &Bench) -> Result<About> {
    let text = |program: &str, arguments: &[&str]| {
        workspace.output_of(program, arguments).unwrap_or_else(|| "unknown".into())
    };
    let mut commit = text("git", &["rev-parse", "--short", "HEAD"]);
    if workspace.output_of("git", &["diff", "--quiet", "HEAD"]).is_none() {
        commit.push_str(" with changes");
    }
    let python = bench.python.display().to_string();
    let printed = text(&python, &["-c", VERSIONS]);
    let mut versions: BTreeMap<String, String> =
        serde_json::from_str(&printed).context("the peers' Python names no versions")?;
    versions.insert("rustc".into(), text("rustc", &["--version"]).replace("rustc ", ""));
    let lock = fs::read_to_string(workspace.root.join("bench/Cargo.lock"))?;
    for package in ["burn", "candle-core"] {
        versions.insert(package.into(), locked(&lock, package).into());
    }
    Ok(About {
        date: text("date", &["-u", "+%Y-%m-%d"]),
        commit,
        machine: machine(bench),
        versions,
    })
}

/// Processor, threads, memory and system, as Linux tells them.
fn machine(bench: &Bench) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpu.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let model = field("model name").unwrap_or_else(|| "unknown processor".into());
    let flags = field("flags").unwrap_or_default();
    let wide = ["avx512f", "avx2"].into_iter().find(|f| flags.split(' ').any(|flag| flag == *f));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok());
    let memory = kib.map_or_else(String::new, |kib| format!(", {:.0} GiB", kib / 1024.0 / 1024.0));
    format!(
        "{model} ({}), {} threads{memory}, {} {}",
        wide.unwrap_or("no AVX2"),
        bench.threads,
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

/// The version of a package in a `Cargo.lock`.
fn locked<'a>(lock: &'a str, package: &str) -> &'a str {
    let start = format!("name = \"{package}\"\nversion = \"");
    let rest = lock.split_once(&start).map_or("unknown\"", |(_, rest)| rest);
    rest.split('"').next().unwrap_or_default()
}
