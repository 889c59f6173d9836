//! Rows 7 to 10, measured in Chromium by `bench/browser/bench.mjs`.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::report::{Case, Measured, OURS, Side};
use super::setup::Bench;
use crate::workspace::run;

/// Keys that hold a side's samples, and their units.
const UNITS: [(&str, &str); 4] =
    [("ms", "ms"), ("s", "s"), ("bytes", "bytes"), ("dispatches", "dispatches")];

pub fn row(bench: &mut Bench, row: u8) -> Result<Measured> {
    let folder = bench.workspace.root.join("bench/browser");
    let script = bench.existing("bench/browser/bench.mjs")?;
    let dist = bench.workspace.dist();
    if !dist.join("index.html").is_file() {
        bail!("{} is no built page\nremedy: `cargo xtask page`", dist.display());
    }
    if !folder.join("node_modules").is_dir() {
        let mut npm = bench.workspace.command("npm", &["ci", "--no-audit", "--no-fund"]);
        run(npm.current_dir(&folder), "install Node.js 18 or newer with npm")?;
    }
    let model = bench.fine_tuned()?;
    let mut node = bench.program("node".as_ref());
    node.arg(script).arg("--dist").arg(dist).args(["--row", &row.to_string()]).arg("--model");
    node.arg(model).arg("--onnx-dir").arg(bench.folder.join("onnx/browser"));
    node.arg("--python").arg(&bench.python);
    if bench.quick {
        node.arg("--quick");
    }
    let output = node.stderr(Stdio::inherit()).output().context("node could not be started")?;
    if !output.status.success() {
        bail!("bench/browser/bench.mjs failed ({}); its own words are above", output.status);
    }
    let printed: Value = serde_json::from_slice(&output.stdout)
        .context("bench/browser/bench.mjs printed no JSON document")?;
    measured(&printed, row)
}

/// Gathers the sides of each case, in the order in which they were printed.
fn measured(printed: &Value, row: u8) -> Result<Measured> {
    let mut cases: Vec<Case> = Vec::new();
    for entry in printed["rows"].as_array().into_iter().flatten() {
        if entry["row"].as_u64() != Some(u64::from(row)) {
            continue;
        }
        let name = entry["case"].as_str().context("a result without a case")?;
        let side = entry["side"].as_str().context("a result without a side")?;
        let side = if side == "ours" { OURS } else { side };
        let (unit, side) = side_of(entry, side)?;
        match cases.iter_mut().find(|case| case.name == name) {
            Some(case) => {
                if side.is_measured() && !case.sides.iter().any(Side::is_measured) {
                    case.unit = unit.into();
                }
                case.sides.push(side);
            }
            None => cases.push(Case::new(name, unit, vec![side])),
        }
    }
    if cases.is_empty() {
        bail!("bench/browser/bench.mjs printed nothing for row {row}");
    }
    let versions = printed["versions"].as_object().into_iter().flatten();
    let versions: Vec<String> =
        versions.map(|(name, v)| format!("{name} {}", v.as_str().unwrap_or("?"))).collect();
    let mut notes = vec![format!("In the browser: {}.", versions.join(", "))];
    if row == 8 {
        notes.push("Natively through `--device wgpu`: not measured: no GPU here.".into());
    }
    Ok(Measured { cases, notes, ..Measured::default() })
}

fn side_of(entry: &Value, name: &str) -> Result<(&'static str, Side)> {
    if let Some(reason) = entry["unsupported"].as_str() {
        return Ok(("ms", Side::unable(name, reason)));
    }
    let found = UNITS.iter().find_map(|(key, unit)| Some((unit, samples(entry.get(key)?))));
    let (unit, samples) = found.with_context(|| format!("a result without samples: {entry}"))?;
    let note = entry["note"].as_str().unwrap_or_default().to_owned();
    Ok((unit, Side::new(name, &samples, note)))
}

fn samples(value: &Value) -> Vec<f64> {
    match value.as_array() {
        Some(values) => values.iter().filter_map(Value::as_f64).collect(),
        None => value.as_f64().into_iter().collect(),
    }
}
