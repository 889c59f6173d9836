//! The command line from end to end: exit codes, streams, devices.
//!
//! A panic, a hang or a result on the wrong stream shows here and nowhere else.

mod best;
mod config;
mod cuda;
mod lora;
mod predict;
mod questions;
mod report;
mod results;
pub mod resume;
mod resume_refused;
mod resume_stream;
mod tasks;
pub mod train;
pub mod transformers;

use crate::command::Scratch;

#[test]
fn doctor_reports_on_standard_output() {
    let ran = Scratch::new().run("doctor");
    assert_eq!(ran.stderr, "");
    let report = ran.ok();
    let names = |subject| report.lines().any(|line| line.starts_with(&format!("{subject} ")));
    for subject in ["emberlab", "cpu", "memory", "driver", "wgpu", "embedded", "auto"] {
        assert!(names(subject), "no line on {subject}:\n{report}");
    }
    assert!(report.contains("CUDA"), "{report}");
}

#[test]
fn wrong_usage_exits_2() {
    let scratch = Scratch::new();
    let before = scratch.files();
    for line in [
        "",
        "classify",
        "train --train rows.csv",
        "train --eval rows.csv --out run",
        "train --dtype int8",
        "train --logging-steps 0",
        "train --save-steps 0",
        "train --save-minutes 0",
        "train --save-steps 5 --save-minutes 5",
        "train --save-total-limit 0",
        "train --resume run --overwrite",
        "train --resume run --config train.toml",
        "train --schedule steps",
        "train --warmup-steps 5 --warmup-ratio 0.1",
        "train --lora-alpha 8",
        "train --lora-r 8 --freeze-layers 1",
        "train --early-stopping-threshold 0.1",
        "train --eval-steps 0",
        "predict --device gpu --text hello",
        "predict --text hello --input rows.csv",
        "predict --text hello --batch-size 0",
        "predict --text hello --top-k 0",
        "evaluate --model bert-tiny",
        "convert --model bert-tiny --out copy --dtype f8",
    ] {
        let ran = scratch.run(line);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "emberlab {line}");
        assert!(ran.stderr.contains("Usage") || ran.stderr.contains("--help"), "{}", ran.stderr);
    }
    assert_eq!(scratch.files(), before);
}

#[test]
fn the_embedded_default_is_found_from_another_folder() {
    let scratch = Scratch::new();
    let plan = scratch.run("train --dry-run").ok();
    assert!(plan.contains("models/bert-tiny") && plan.contains("data/emotions"), "{plan}");
    let predicted = scratch.run("predict --text hello").ok();
    assert!(predicted.contains("\"joy\":"), "{predicted}");
    assert!(!scratch.path("runs").exists());
}
