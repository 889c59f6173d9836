//! `cargo xtask study emotion6`: what the public six-emotion set can tell, with three seeds, beside what
//! needs no network at all. `docs/example-report` is what it writes.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::native;
use crate::python::python;
use crate::workspace::{Workspace, run};

/// Relative to the root, as in the README.
const DATA: &str = "../shared/data/emotion6";
const MODEL: &str = "../shared/models/minilm-l6";
const OUT: &str = "runs/study-emotion6";
const REPORT: &str = "docs/example-report";
const SEEDS: [u64; 3] = [42, 43, 44];

pub fn study(workspace: &Workspace) -> Result<()> {
    let split = |split: &str| format!("{DATA}/{split}.jsonl");
    for needed in [split("train"), MODEL.to_owned()] {
        ensure!(workspace.root.join(&needed).exists(), "{needed} is not on this machine");
    }
    let emberlab = native::build(workspace)?;
    let out = workspace.root.join(OUT);
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;

    let baseline = format!("{OUT}/tf-idf-svc.jsonl");
    let words = ["bench/peers/tf_idf_svc.py", &split("train"), &split("test"), &baseline];
    run(
        &mut workspace.command(python(workspace)?, &words),
        "the message above says what is wrong",
    )?;

    let [train, eval, test] = ["train", "dev", "test"].map(split);
    let seeds = SEEDS.len().to_string();
    let minilm = format!("{OUT}/minilm-l6");
    let words = [
        &["train", "--model", MODEL, "--train", &train, "--eval", &eval, "--test", &test][..],
        &["--epochs", "2", "--batch-size", "32", "--learning-rate", "1e-4", "--calibrate"],
        &["--seeds", &seeds, "--out", &minilm],
    ]
    .concat();
    run(
        &mut workspace.command(&emberlab, &words),
        "`emberlab doctor` says what this machine lacks",
    )?;

    let report = workspace.root.join(REPORT);
    fs::create_dir_all(&report).with_context(|| format!("cannot make {}", report.display()))?;
    let of_seed = |seed: u64| format!("{minilm}/seed-{seed}");
    for seed in SEEDS {
        let path = report.join(format!("compare-seed-{seed}.txt"));
        let file =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let of_seed = of_seed(seed);
        let mut compare = workspace.command(&emberlab, &["compare", &baseline, &of_seed]);
        run(compare.stdout(file), "the message above says what is wrong")?;
        print!("{}", fs::read_to_string(&path)?);
    }
    let first = workspace.root.join(of_seed(SEEDS[0])).join("report.html");
    copy(&first, &report.join("report.html"))?;
    copy(&workspace.root.join(&minilm).join("seeds.json"), &report.join("seeds.json"))?;
    println!("wrote {REPORT}");
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}
