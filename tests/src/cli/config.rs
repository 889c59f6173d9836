//! `emberlab train --config`, and what `--dry-run` shows.

use std::process::Command;

use super::train::{TRAIN, weights, with_rows};
use crate::command::{Ran, Scratch, emberlab};

#[test]
fn the_file_of_a_run_repeats_it() {
    let scratch = with_rows();
    let rest =
        "--epochs 1 --warmup-steps 2 --seed 11 --r-drop-alpha 0.5 --eval held-out.csv --out run";
    scratch.run(&format!("{TRAIN} {rest}")).ok();
    // From another folder, which has rows of the same name.
    scratch.write("elsewhere/train.jsonl", "{\"text\": \"a\", \"label\": \"joy\"}\n");
    let mut again =
        scratch.command(["train", "--config", "../run/train.toml", "--out", "../again"]);
    let ran: Ran = again.current_dir(scratch.path("elsewhere")).output().unwrap().into();
    ran.ok();
    assert!(weights(&scratch, "again") == weights(&scratch, "run"), "other weights");
    assert_eq!(scratch.read("again/metrics.jsonl"), scratch.read("run/metrics.jsonl"));
    let [again, run] = ["again", "run"].map(|run| scratch.json(&format!("{run}/run.json")));
    for key in ["recipe", "max_length"] {
        assert_eq!(again[key], run[key], "{key}");
    }
    assert_eq!(again["data"][0]["sha256"], run["data"][0]["sha256"]);
    // What is typed takes its place.
    scratch.run("train --config run/train.toml --out other --seed 12 --warmup-ratio 0.3").ok();
    let recipe = &scratch.json("other/run.json")["recipe"];
    assert_eq!((&recipe["seed"], &recipe["warmup_ratio"]), (&12.into(), &0.3.into()));
    assert!(recipe["warmup_steps"].is_null() && recipe["loss"]["r_drop_alpha"] == 0.5, "{recipe}");
    assert!(weights(&scratch, "other") != weights(&scratch, "run"));
    // And a run goes on with what the file said, whatever it says later.
    scratch.write(
        "mine.toml",
        "model = \"bert-tiny\"\ntrain = \"train.jsonl\"\nepochs = 1\nout = \"mine\"\n",
    );
    scratch.run("train --config mine.toml").ok();
    assert!(scratch.read("mine/run.json").contains("--epochs=1"));
}

#[test]
fn what_a_file_says_wrong_is_named() {
    let scratch = with_rows();
    let before = scratch.files().len();
    scratch.write("bad.toml", "learning_rates = 1e-3\n");
    let said = scratch.run(&format!("{TRAIN} --config bad.toml --out run")).error();
    assert!(
        said.contains("bad.toml: there is no setting learning_rates; is it learning_rate?"),
        "{said}"
    );
    scratch.write("bad.toml", "epochs = \"many\"\n");
    let ran = scratch.run(&format!("{TRAIN} --config bad.toml --out run"));
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("'many' for '--epochs"), "{}", ran.stderr);
    let said = scratch.run("train --config nowhere.toml").error();
    assert!(said.contains("cannot read nowhere.toml"), "{said}");
    assert_eq!(scratch.files().len(), before + 1);
}

#[test]
fn a_dry_run_shows_memory_and_the_learning_rate() {
    let scratch = with_rows();
    let plan = scratch.run(&format!("{TRAIN} --epochs 4 --out run --dry-run")).ok();
    assert!(plan.contains("memory  about ") && plan.contains("activations "), "{plan}");
    assert!(plan.contains("5.0e-5 │") && plan.contains("24 steps"), "{plan}");
}

/// `emberlab` with so much memory (in KiB of addresses).
fn capped(scratch: &Scratch, kibibytes: u64, line: &str) -> Ran {
    let script = format!("ulimit -v {kibibytes}; exec \"$0\" {line}");
    let ran = Command::new("bash")
        .args(["-c", &script])
        .arg(emberlab())
        .current_dir(scratch.path("."))
        .output();
    ran.unwrap().into()
}

const LONG: &str = "train --model bert-tiny --train long.jsonl --batch-size 64 --max-length 512 --epochs 1 --device cpu";

fn with_long_rows() -> Scratch {
    let scratch = with_rows();
    let text = "word ".repeat(500);
    let rows = (0..64).map(|row| {
        format!("{{\"text\": \"{text}{row}\", \"label\": \"{}\"}}\n", ["a", "b"][row % 2])
    });
    scratch.write("long.jsonl", rows.collect::<String>());
    scratch
}

/// With less memory the same rows make a step, in smaller batches; and where one row is too much, it says
/// what would do.
#[test]
fn batches_fit_into_the_memory_there_is() {
    let scratch = with_long_rows();
    let line = LONG;
    let plan = scratch.run(&format!("{line} --dry-run --out run")).ok();
    assert!(plan.contains("(64 × 50"), "{plan}");
    let mut found = None;
    for mebibytes in (300..3000).step_by(50) {
        let rest = "--auto-find-batch-size --out run";
        let ran = capped(&scratch, mebibytes * 1024, &format!("{line} {rest} --dry-run"));
        if ran.code == Some(0) && ran.stderr.contains("batches to a step") {
            found = Some((mebibytes, ran));
            break;
        }
    }
    let (mebibytes, plan) = found.expect("no cap makes the batch smaller");
    assert!(plan.stderr.contains("ulimit -v has"), "{}", plan.stderr);
    // Where not even one row fits, it says what would.
    let too_little = (150..mebibytes).rev().step_by(5).find_map(|mebibytes| {
        let rest = "--auto-find-batch-size --out run --dry-run";
        let ran = capped(&scratch, mebibytes * 1024, &format!("{line} {rest}"));
        (ran.code == Some(1)).then_some(ran)
    });
    let said = too_little.expect("no cap is too small for a row").error();
    assert!(said.contains("a batch of one row of 50"), "{said}");
    assert!(said.contains("would fit") || said.contains("--freeze-layers N"), "{said}");
    // It says so, and then it does run with that.
    let ran =
        capped(&scratch, mebibytes * 1024, &format!("{line} --auto-find-batch-size --out run"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let recipe = &scratch.json("run/run.json")["recipe"];
    let size = |key: &str| recipe[key].as_u64().unwrap();
    assert!(size("batch_size") < 64, "{recipe}");
    assert_eq!(size("batch_size") * size("gradient_accumulation_steps"), 64);
    assert_eq!(scratch.json("run/run.json")["total_steps"], 1);
    assert!(
        scratch.read("run/train.toml").contains(&format!("batch_size = {}", size("batch_size")))
    );
}

/// Where the estimate is wrong, a trial finds out. Here because of an allocator that has nothing to give beyond a
/// size, which no estimate can know: the widened layer of 64 rows of 512 tokens is 64 MiB.
#[test]
fn what_the_estimate_misses_is_tried() {
    let scratch = with_long_rows();
    let allocator = r#"
        #include <stddef.h>
        void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
        enum { MOST = 20 << 20 };
        void *malloc(size_t size) { return size > MOST ? NULL : __libc_malloc(size); }
        void *calloc(size_t n, size_t size) { return n * size > MOST ? NULL : __libc_calloc(n, size); }
        void *realloc(void *old, size_t size) { return size > MOST ? NULL : __libc_realloc(old, size); }
    "#;
    scratch.write("little.c", allocator);
    let library = scratch.compile("little.c", "little.so");
    let run = |rest: &str| -> Ran {
        let line = format!("{LONG} --out run {rest}");
        let mut command = scratch.command(line.split_whitespace());
        command.env("LD_PRELOAD", &library).output().unwrap().into()
    };
    assert_eq!(run("").code, None, "without a trial the process is ended");
    assert!(!scratch.path("run/model.safetensors").exists());
    let ran = run("--auto-find-batch-size --overwrite");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for (rows, fewer, batches) in [(64, 32, 2), (32, 16, 4)] {
        let said = format!("with batches of {rows} rows did not fit (memory allocation of");
        let then = format!("{fewer} rows × {batches} batches to a step");
        let line = ran.stderr.lines().find(|line| line.contains(&said));
        assert!(line.is_some_and(|line| line.ends_with(&then)), "{}", ran.stderr);
    }
    let record = scratch.json("run/run.json");
    let recipe = &record["recipe"];
    assert_eq!(
        (&recipe["batch_size"], &recipe["gradient_accumulation_steps"]),
        (&16.into(), &4.into())
    );
    assert_eq!(record["total_steps"], 1);
}
