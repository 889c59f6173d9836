//! The command line from end to end: exit codes, streams, devices.
//!
//! A panic, a hang or a result on the wrong stream shows here and nowhere else.

mod best;
mod config;
mod lora;
mod predict;
mod questions;
mod report;
mod results;
mod resume;
mod resume_stream;
mod tasks;
pub mod train;
pub mod transformers;

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{command::Scratch, support::say};

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
fn auto_says_what_it_chose_and_why() {
    let scratch = Scratch::new();
    scratch.write_classifier("model");
    let ran = scratch.run("predict --model model --text hello --device auto");
    let device = ran.stderr.lines().find(|line| line.starts_with("device  ")).unwrap();
    let (chosen, reason) = device.split_once(", chosen by auto: ").unwrap();
    assert!(chosen.contains("cpu (") || chosen.contains("cuda:0 ("), "{device}");
    assert!(!reason.is_empty());
    ran.ok();
}

/// A device that was asked for by name and is absent is an error, said in one line.
#[test]
fn cuda_without_a_driver_is_refused_in_one_line() {
    if Path::new("/proc/driver/nvidia/version").exists() {
        return say("SKIPPED: cuda_without_a_driver…, because this machine has a driver\n");
    }
    let scratch = Scratch::new();
    scratch.write_classifier("model");
    for device in ["cuda", "cuda:1"] {
        let line = format!("predict --model model --text hello --device {device}");
        let said = scratch.run(&line).error();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("error: ") && said.contains("CUDA") || said.contains("NVIDIA"));
    }
}

/// A build with CUDA starts, computes on the CPU and says what is missing, where there is no driver.
#[test]
fn a_build_with_cuda_runs_without_a_driver() {
    let Some(program) = env::var_os("EMBERLAB_CUDA_BIN").map(PathBuf::from) else {
        return say(
            "SKIPPED: a_build_with_cuda…: EMBERLAB_CUDA_BIN is unset; `cargo xtask test` builds it\n",
        );
    };
    if Path::new("/proc/driver/nvidia/version").exists() {
        return say("SKIPPED: a_build_with_cuda…, because this machine has a driver\n");
    }
    let scratch = Scratch::new();
    scratch.write_classifier("model");
    let predict = "predict --model model --text hello";
    let on_cpu = scratch.run(&format!("{predict} --device cpu")).ok();
    assert_eq!(scratch.run_build(&program, &format!("{predict} --device cpu")).ok(), on_cpu);
    let auto = scratch.run_build(&program, predict);
    assert!(auto.stderr.contains("chosen by auto: no NVIDIA driver"), "{}", auto.stderr);
    assert_eq!(auto.ok(), on_cpu);
    let refused = scratch.run_build(&program, &format!("{predict} --device cuda")).error();
    assert_eq!(refused.lines().count(), 1, "{refused}");
    assert!(refused.contains("NVIDIA driver"), "{refused}");
    assert!(scratch.run_build(&program, "doctor").ok().contains("cuda"));
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
