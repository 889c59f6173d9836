//! Malformed input ends in exit 1, with the file and the line or key named, no panic, and nothing
//! written.

mod config;
mod data;
mod folder;
mod headers;
mod memory;
mod models;
mod settings;

use crate::{
    command::Scratch,
    support::{root, say},
};

/// Four good rows, in two classes of the classifier `model`.
const GOOD: &str =
    "text,label\nlovely,praise\nwho pays,billing\nvery good,praise\nhow much,billing\n";

/// A folder with a classifier and rows in which nothing is wrong yet.
fn sound() -> Scratch {
    let scratch = Scratch::new();
    scratch.write_classifier("model");
    scratch.write("good.csv", GOOD);
    scratch
}

/// Runs a command that has to be refused with words that hold `says`.
fn refused(scratch: &Scratch, line: &str, says: &str) {
    let before = scratch.snapshot();
    let ran = scratch.run(line);
    println!("emberlab {line}\n{}", ran.stderr); // shown where the test fails
    let said = ran.error();
    assert!(said.contains(says), "it does not say \"{says}\"");
    assert!(scratch.snapshot() == before, "it wrote something: {:?}", scratch.files());
}

/// Each of the tables has a test that every one of its files is refused.
#[test]
fn there_are_as_many_as_the_page_on_reliability_says() {
    let parts = [
        ("safetensors headers", headers::count()),
        ("config.json and tokenizer.json", config::count()),
        ("model folders", models::count()),
        ("data files", data::count()),
    ];
    let all: usize = parts.iter().map(|(_, count)| count).sum();
    let shown = parts.map(|(what, count)| format!("{count} {what}")).join(", ");
    say(&format!("malformed inputs: {all} ({shown})\n"));
    assert!(all >= 200, "{all}");
    let page = std::fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    assert!(
        page.contains(&format!("{all} of {all} ({shown})")),
        "docs/reliability.md: {all} ({shown})"
    );
}

#[test]
fn without_a_mistake_nothing_is_refused() {
    let scratch = sound();
    for line in [
        "train --model model --train good.csv --eval good.csv --out run --epochs 1",
        "predict --model model --input good.csv --output out.jsonl",
        "evaluate --model model --data good.csv",
    ] {
        scratch.run(line).ok();
    }
}

/// A refusal leaves what was there before.
#[test]
fn earlier_results_stay() {
    let scratch = sound();
    scratch.run("train --model model --train good.csv --out run --epochs 1").ok();
    scratch.write("out.jsonl", "an earlier result");
    scratch.write("bad.csv", "text,label\nlovely,praise\nwho pays\n");
    let says = "bad.csv, line 3: 1 cells";
    refused(&scratch, "train --model model --train bad.csv --out run --overwrite", says);
    refused(&scratch, "predict --model run --input bad.csv --output out.jsonl", says);
}
