//! `emberlab train --resume` on a set that is a stream.

use std::process::Child;

use super::resume::{signal, start, wait_for};
use crate::{command::Scratch, support::bytes};

/// A set that is a stream goes on in its second window of shuffled rows and comes to the same third.
#[test]
fn a_stream_goes_on_in_a_later_window() {
    let scratch = Scratch::new();
    scratch.write_classifier("model");
    let row = |row: usize| {
        let label = ["billing", "praise"][row * row % 7 % 2];
        format!("{{\"text\": \"row {row}\", \"label\": \"{label}\"}}\n")
    };
    scratch.write("rows.jsonl", (0..210_000).map(row).collect::<String>());
    // 128 steps a window.
    let train = |run: &str| {
        let line = format!(
            "train --model model --train rows.jsonl --out {run} --epochs 1 --batch-size 512 --device cpu \
             --save-steps 150 --save-total-limit 9"
        );
        start(&scratch, &line)
    };
    let until = |run: &str, step: usize, mut training: Child| {
        wait_for(&scratch, &format!("{run}/checkpoints/checkpoint-{step}"), &mut training);
        assert_eq!(signal(training, "-KILL").code, None, "it had already ended");
    };
    until("whole", 300, train("whole"));
    until("run", 150, train("run"));
    until("run", 300, start(&scratch, "train --resume run"));
    let state = |run: &str| {
        bytes(&scratch.path(&format!("{run}/checkpoints/checkpoint-300/model.safetensors")))
    };
    assert!(state("run") == state("whole"), "other weights");
}
