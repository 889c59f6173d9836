//! What the files of a run folder say. Only what is looked at is read, so that a folder of another
//! version still has a report.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::files::{self, METRICS, RUN_FILE, hub};
use crate::run::predictions::file_name;
use crate::terminal::counted;

/// A run folder as it was read.
pub struct Run {
    /// `run.json`
    pub record: Value,
    /// The lines of `metrics.jsonl`.
    pub log: Vec<Value>,
    pub seeds: Vec<u64>,
    /// The splits that were measured, in their order.
    measured: Vec<Measured>,
}

/// The figures of a split.
pub struct Measured {
    pub split: String,
    /// The object in `run.json`.
    pub metrics: Map<String, Value>,
    /// `predictions-<split>.jsonl`, where it is there.
    pub predictions: Vec<Value>,
}

impl Run {
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(RUN_FILE);
        let record =
            files::read(&path).with_context(|| format!("{} is no run folder", folder.display()))?;
        let record: Value = serde_json::from_slice(&record)
            .with_context(|| format!("{}: not a JSON object", path.display()))?;
        let lines = |name: &str| -> Vec<Value> {
            let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
            text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
        };
        let measured = record["metrics"].as_object().into_iter().flatten();
        let measured = measured.filter_map(|(split, metrics)| {
            let predictions = lines(&file_name(split));
            let metrics = metrics.as_object()?.clone();
            Some(Measured { split: split.clone(), metrics, predictions })
        });
        let measured = measured.collect();
        let seeds = numbers(&record["seeds"]).into_iter().map(|seed| seed as u64).collect();
        Ok(Self { log: lines(METRICS), measured, seeds, record })
    }

    /// The split that the report is about: the test rows, or else the evaluation rows.
    pub fn shown(&self) -> Option<&Measured> {
        let test = self.measured.iter().find(|measured| measured.split == "test");
        test.or(self.measured.last())
    }

    /// `minilm-l6 on emotion6`
    pub fn title(&self) -> String {
        let model = name(&self.record["base_model"]["path"]);
        let data = self.record["data"].as_array().and_then(|data| data.first());
        let path = data.and_then(|data| data["path"].as_str()).map(PathBuf::from);
        // Of a file, which is rarely called more than train, the folder.
        let data = path.and_then(|path| {
            let folder = path.parent().and_then(Path::file_name);
            let folder = folder.filter(|_| path.extension().is_some()).or(path.file_name());
            hub::id_of(&path).or(Some(folder?.to_string_lossy().into_owned()))
        });
        data.map_or_else(|| model.clone(), |data| format!("{model} on {data}"))
    }

    /// Task, steps and time.
    pub fn subtitle(&self) -> String {
        let record = &self.record;
        let word = |key: &str| record[key].as_str().unwrap_or_default().replace('_', " ");
        let steps = record["steps"].as_u64().unwrap_or_default() as usize;
        let interrupted = match record["status"].as_str() {
            Some("completed") => String::new(),
            _ => format!(" of {} (it did not end)", record["total_steps"]),
        };
        format!(
            "{}, {}{interrupted}, begun {} UTC",
            word("task"),
            counted(steps, "step"),
            word("started_at").replace('T', " ").trim_end_matches('Z')
        )
    }

    pub fn seed(&self) -> String {
        self.record["seed"].to_string()
    }
}

impl Measured {
    pub fn rows(&self) -> usize {
        self.metrics.get("rows").and_then(Value::as_u64).unwrap_or_default() as usize
    }

    /// The figures that sum all up, the most telling first: those that have an interval.
    pub fn figures(&self) -> Vec<(&str, f64)> {
        let intervals = self.metrics.get("confidence_intervals").and_then(Value::as_object);
        let names = intervals.into_iter().flatten().map(|(name, _)| name.as_str());
        names.filter_map(|name| Some((name, self.metrics.get(name)?.as_f64()?))).collect()
    }

    pub fn interval(&self, figure: &str) -> Option<[f64; 2]> {
        let ends = numbers(self.metrics.get("confidence_intervals")?.get(figure)?);
        ends.try_into().ok()
    }

    pub fn expected_calibration_error(&self) -> Option<f64> {
        self.metrics.get("calibration")?["expected_calibration_error"].as_f64()
    }
}

/// The numbers of an array; none where it is something else.
pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

/// The id on the hub, or else the last part, of a path.
pub fn name(path: &Value) -> String {
    let path = PathBuf::from(path.as_str().unwrap_or_default());
    let last = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    hub::id_of(&path).unwrap_or_else(last)
}
