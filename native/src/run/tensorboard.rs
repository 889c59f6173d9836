//! TensorBoard event files: the lines of `metrics.jsonl` as scalars, with the tags that transformers'
//! `Trainer` gives them (`train/loss`, `eval/accuracy`).
//!
//! Messages are encoded by `prost`, checksums are those of `crc32c`. The crates that write whole event
//! files need a protocol buffer compiler at build time (`tboard`), an old `image` (`tensorboard-rs`), or
//! turn on features that build Burn again (`tfrecord`); what is left to do is a dozen lines.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use prost::Message;
use serde_json::Value;

/// How the names of event files begin.
const NAME: &str = "events.out.tfevents.";

/// `tensorflow.Event`, as far as scalars need it.
#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

/// `tensorflow.Summary`
#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Scalar>,
}

/// `tensorflow.Summary.Value`
#[derive(Clone, PartialEq, Message)]
struct Scalar {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

/// The event file of a run under way.
pub struct EventFile(File);

impl EventFile {
    /// Starts the event file of a run folder with the lines that `metrics.jsonl` has so far; an earlier one
    /// makes room, so that a run that goes on is one line and not two.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn start(folder: &Path, metrics: &[u8]) -> Result<Self> {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(NAME) {
                let _ = fs::remove_file(entry.path());
            }
        }
        let path = folder.join(format!("{NAME}{:010.0}.emberlab.{}", now(), process::id()));
        let file = File::create(&path);
        let mut file = Self(file.with_context(|| format!("cannot write {}", path.display()))?);
        let version = Some("brain.Event:2".to_owned());
        file.write(&Event { wall_time: now(), file_version: version, ..Event::default() })?;
        for line in metrics.split(|&byte| byte == b'\n') {
            if let Ok(line) = serde_json::from_slice(line) {
                file.add(&line)?;
            }
        }
        Ok(file)
    }

    /// Adds the numbers of a line of `metrics.jsonl`.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn add(&mut self, line: &Value) -> Result<()> {
        let step = line["step"].as_i64().unwrap_or_default();
        self.write(&Event {
            wall_time: now(),
            step,
            summary: Some(scalars(line)),
            file_version: None,
        })
    }

    fn write(&mut self, event: &Event) -> Result<()> {
        self.0.write_all(&record(&event.encode_to_vec())).context("cannot write TensorBoard events")
    }
}

fn scalars(line: &Value) -> Summary {
    let group = line["split"].as_str().unwrap_or("train");
    let numbers = line.as_object().into_iter().flatten().filter(|(key, _)| *key != "step");
    let scalar = |(key, value): (&String, &Value)| {
        let simple_value = Some(value.as_f64()? as f32);
        Some(Scalar { tag: format!("{group}/{key}"), simple_value })
    };
    Summary { value: numbers.filter_map(scalar).collect() }
}

/// A TFRecord: length, checksum of the length, data, checksum of the data.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let checksum = |of: &[u8]| {
        let crc = crc32c::crc32c(of);
        crc.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
    };
    [&length[..], &checksum(&length), data, &checksum(data)].concat()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What TensorBoard's own `RecordWriter` makes of this event.
    const EXPECTED: &str = "2a00000000000000ae8d91f509000000000000f83f10032a1d0a110a0a747261696e2f6c6f7373150000803e0a080a017815000000005e4a6214";

    #[test]
    fn a_record_is_what_tensorboard_writes() {
        let scalar = |tag: &str, value| Scalar { tag: tag.to_owned(), simple_value: Some(value) };
        let value = vec![scalar("train/loss", 0.25), scalar("x", 0.0)];
        let summary = Some(Summary { value });
        let event = Event { wall_time: 1.5, step: 3, file_version: None, summary };
        let bytes = record(&event.encode_to_vec());
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, EXPECTED);
    }

    #[test]
    fn tags_are_those_of_the_trainer() {
        let line = serde_json::json!({"split": "eval", "step": 3, "accuracy": 0.5, "rows": 2});
        let tags: Vec<String> = scalars(&line).value.into_iter().map(|value| value.tag).collect();
        assert_eq!(tags, ["eval/accuracy", "eval/rows"]);
        assert_eq!(
            scalars(&serde_json::json!({"step": 1, "loss": 2.0})).value[0].tag,
            "train/loss"
        );
    }
}
