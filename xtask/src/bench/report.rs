//! What is kept of a measurement: `docs/benchmarks.json`, one row of the table a line.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::disturbance;
use super::statistics::quantile;

/// The name of our side.
pub const OURS: &str = "Emberlab";

const JSON: &str = "docs/benchmarks.json";
const DOCUMENT: &str = "docs/benchmarks.md";

/// The latest result of each row.
#[derive(Default)]
pub struct Report {
    pub rows: BTreeMap<u8, RowResult>,
}

#[derive(Serialize, Deserialize)]
pub struct RowResult {
    pub row: u8,
    #[serde(flatten)]
    pub about: About,
    #[serde(flatten)]
    pub measured: Measured,
}

/// Where and when a row was measured.
#[derive(Clone, Serialize, Deserialize)]
pub struct About {
    pub date: String,
    pub commit: String,
    pub machine: String,
    pub versions: BTreeMap<String, String>,
}

#[derive(Default, Serialize, Deserialize)]
pub struct Measured {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Case>,
    /// What a reader of the figures must know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The share of the machine that other processes took meanwhile, from 0 to 1, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<f64>,
    /// Why there are no figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_measured: Option<String>,
}

/// One piece of work, done by several sides.
#[derive(Serialize, Deserialize)]
pub struct Case {
    pub name: String,
    pub unit: String,
    pub sides: Vec<Side>,
}

/// What one side needed for it; less is better.
#[derive(Serialize, Deserialize)]
pub struct Side {
    #[serde(rename = "side")]
    pub name: String,
    /// The number of samples; 0 where the side cannot do the work.
    pub n: usize,
    #[serde(default)]
    pub median: f64,
    #[serde(default)]
    pub min: f64,
    #[serde(default)]
    pub quartiles: [f64; 2],
    #[serde(default)]
    pub max: f64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl RowResult {
    pub fn new(row: u8, measured: Measured, about: About) -> Self {
        Self { row, about, measured }
    }
}

impl Measured {
    pub fn not_measured(reason: &str) -> Self {
        Self { not_measured: Some(reason.into()), ..Self::default() }
    }

    /// Whether other processes took so much of the machine that the ratios are wrong.
    pub fn is_disturbed(&self) -> bool {
        self.others.is_some_and(disturbance::spoils)
    }
}

impl Case {
    pub fn new(name: &str, unit: &str, sides: Vec<Side>) -> Self {
        Self { name: name.into(), unit: unit.into(), sides }
    }

    pub fn side(&self, name: &str) -> Option<&Side> {
        self.sides.iter().find(|side| side.name == name)
    }
}

impl Side {
    pub fn new(name: &str, samples: &[f64], note: String) -> Self {
        let at = |part| rounded(quantile(samples, part));
        Self {
            name: name.into(),
            n: samples.len(),
            median: at(0.5),
            min: at(0.0),
            quartiles: [at(0.25), at(0.75)],
            max: at(1.0),
            note,
        }
    }

    /// A side that cannot do the work.
    pub fn unable(name: &str, reason: &str) -> Self {
        let (name, note) = (name.into(), reason.into());
        Self { name, n: 0, median: 0.0, min: 0.0, quartiles: [0.0; 2], max: 0.0, note }
    }

    pub fn is_measured(&self) -> bool {
        self.n > 0
    }
}

impl Report {
    /// The report as it was last written; empty where there is none.
    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join(JSON);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let rows: Vec<RowResult> = serde_json::from_str(&text)
            .with_context(|| format!("{} is no report; remove it", path.display()))?;
        Ok(Self { rows: rows.into_iter().map(|row| (row.row, row)).collect() })
    }

    /// Puts a row in the place of its last result.
    pub fn put(&mut self, row: RowResult) {
        self.rows.insert(row.row, row);
    }

    pub fn write(&self, root: &Path, document: &str) -> Result<()> {
        let lines: Result<Vec<String>, _> = self.rows.values().map(serde_json::to_string).collect();
        fs::create_dir_all(root.join("docs")).context("cannot make docs/")?;
        for (name, text) in
            [(JSON, format!("[\n{}\n]\n", lines?.join(",\n"))), (DOCUMENT, document.into())]
        {
            fs::write(root.join(name), text).with_context(|| format!("cannot write {name}"))?;
        }
        Ok(())
    }
}

/// Four significant digits: more is noise, and makes the file long.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_four_digits() {
        assert_eq!(rounded(123.456), 123.5);
        assert_eq!(rounded(0.000123456), 0.0001235);
    }
}
