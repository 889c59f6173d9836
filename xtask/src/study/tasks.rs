//! `cargo xtask study tasks`: each task on a public set, with three seeds, beside transformers' `Trainer` with the
//! same recipe. `docs/tasks.md` is what it writes. What was measured is kept in `runs/study-tasks`, so that a study
//! that broke off goes on; without that folder it begins anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::native;
use crate::python::python;
use crate::workspace::{Workspace, run};

const DATA: &str = "../shared/data";
const MODEL: &str = "models/bert-tiny";
const OUT: &str = "runs/study-tasks";
const PAGE: &str = "docs/tasks.md";
const SEEDS: [u64; 3] = [42, 43, 44];
/// Of both sides.
const RECIPE: [&str; 8] =
    ["--epochs", "4", "--batch-size", "32", "--learning-rate", "5e-4", "--max-length", "128"];

/// A set, the rows it is measured on, and its figures.
struct Set {
    folder: &'static str,
    what: &'static str,
    test: &'static str,
    figures: &'static [&'static str],
    /// Beside [`RECIPE`].
    more: &'static [&'static str],
}

/// Without weights neither side learns to name a label: most sentences have none.
const WEIGHTED: [&str; 2] = ["--class-weights", "balanced"];

const SETS: [Set; 4] = [
    Set {
        folder: "glue_mrpc",
        what: "MRPC: pairs, two classes",
        test: "dev",
        figures: &["accuracy", "macro_f1"],
        more: &[],
    },
    Set {
        folder: "glue_stsb",
        what: "STS-B: pairs, a score",
        test: "dev",
        figures: &["pearson", "spearman"],
        more: &[],
    },
    Set {
        folder: "bio_hoc",
        what: "HoC: ten labels, any number of them",
        test: "test",
        figures: &["micro_f1", "macro_f1"],
        more: &WEIGHTED,
    },
    Set {
        folder: "bio_ncbi_disease",
        what: "NCBI-disease: tags of words",
        test: "test",
        figures: &["f1"],
        more: &[],
    },
];

/// A figure's values, one for each seed.
type Figures = BTreeMap<String, Vec<f64>>;

pub fn study(workspace: &Workspace) -> Result<()> {
    for set in &SETS {
        let folder = format!("{DATA}/{}", set.folder);
        ensure!(workspace.root.join(&folder).exists(), "{folder} is not on this machine");
    }
    let emberlab = native::build(workspace)?;
    let python = python(workspace)?;
    let out = workspace.root.join(OUT);
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let mut table = String::new();
    for set in &SETS {
        let kept = out.join(format!("{}.md", set.folder));
        let lines = match fs::read_to_string(&kept) {
            Ok(lines) => lines,
            Err(_) => {
                let lines = measure(workspace, [&emberlab, &python], set)?;
                fs::write(&kept, &lines)
                    .with_context(|| format!("cannot write {}", kept.display()))?;
                lines
            }
        };
        print!("{lines}");
        table.push_str(&lines);
    }
    let page = page(&table);
    fs::write(workspace.root.join(PAGE), page).with_context(|| format!("cannot write {PAGE}"))?;
    println!("wrote {PAGE}");
    Ok(())
}

/// The lines of one set.
fn measure(workspace: &Workspace, [emberlab, python]: [&Path; 2], set: &Set) -> Result<String> {
    let ours = ours(workspace, emberlab, set)?;
    let theirs = theirs(workspace, python, set)?;
    let line = |name: &&str| Ok(line(set.what, name, of(&ours, name)?, of(&theirs, name)?));
    set.figures.iter().map(line).collect()
}

fn of<'a>(figures: &'a Figures, name: &str) -> Result<&'a [f64]> {
    Ok(figures.get(name).with_context(|| format!("no {name} was measured"))?)
}

fn files(set: &Set) -> [String; 2] {
    ["train", set.test].map(|split| format!("{DATA}/{}/{split}.jsonl", set.folder))
}

fn ours(workspace: &Workspace, emberlab: &Path, set: &Set) -> Result<Figures> {
    let [train, test] = files(set);
    let out = format!("{OUT}/{}", set.folder);
    let seeds = SEEDS.len().to_string();
    let mut command = workspace.command(emberlab, &["train", "--device", "cpu", "--overwrite"]);
    command.args(["--model", MODEL, "--train", &train, "--test", &test, "--out", &out]);
    command.args(["--seeds", &seeds]).args(RECIPE).args(set.more);
    run(&mut command, "the message above says what is wrong")?;
    let text = fs::read_to_string(workspace.root.join(&out).join("seeds.json"))?;
    let summary: Value = serde_json::from_str(&text)?;
    let figures = summary["metrics"]["test"].as_object().context("seeds.json has no figures")?;
    let values = |figure: &Value| {
        figure["values"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
    };
    Ok(figures.iter().map(|(name, figure)| (name.clone(), values(figure))).collect())
}

fn theirs(workspace: &Workspace, python: &Path, set: &Set) -> Result<Figures> {
    let [train, test] = files(set);
    let mut figures = Figures::new();
    for seed in SEEDS {
        let mut command = workspace.command(python, &["bench/peers/tasks.py"]);
        command.args(["--model", MODEL, "--train", &train, "--test", &test]);
        command.args(["--out", &format!("{OUT}/peer"), "--seed", &seed.to_string()]);
        command.args(RECIPE).args(set.more);
        for (name, figure) in measured(command)? {
            figures.entry(name).or_default().push(figure);
        }
    }
    Ok(figures)
}

/// The object that the peer prints last.
fn measured(mut command: Command) -> Result<BTreeMap<String, f64>> {
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{command:?} failed");
    let text = String::from_utf8(output.stdout)?;
    let last = text.lines().last().context("the peer printed nothing")?;
    serde_json::from_str(last).with_context(|| format!("the peer printed {last}"))
}

fn line(what: &str, name: &str, ours: &[f64], theirs: &[f64]) -> String {
    let ([a, a_deviation], [b, b_deviation]) = (spread(ours), spread(theirs));
    let within = (a - b).abs() <= a_deviation.max(b_deviation);
    let verdict = match (within, a > b) {
        (true, _) => "within one deviation",
        (false, true) => "ours is higher",
        (false, false) => "ours is lower",
    };
    format!(
        "| {what} | {name} | {a:.4} ± {a_deviation:.4} | {b:.4} ± {b_deviation:.4} | {verdict} |\n"
    )
}

/// Mean and standard deviation of the sample.
fn spread(values: &[f64]) -> [f64; 2] {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    [mean, (squares / (values.len() as f64 - 1.0)).sqrt()]
}

fn page(table: &str) -> String {
    let seeds = SEEDS.map(|seed| seed.to_string()).join(", ");
    let mut page = String::from("# Each task beside transformers\n\n");
    let _ = writeln!(
        page,
        "`cargo xtask study tasks` wrote this page: `{MODEL}` fine-tuned on public sets, once by `emberlab train`, once by\n\
         transformers' `Trainer` (`bench/peers/tasks.py`) on the same rows with the same recipe (`{}`,\n\
         a tenth of warm-up, linear decay, weight decay 0.01), with the seeds {seeds} each. HoC also has `{}`, as\n\
         most of its sentences have no label and without weights neither side learns to name one. Mean and standard deviation over the\n\
         seeds; the last column says whether the means are within the larger of the two deviations. Our figures are our own; those\n\
         of transformers' runs are scikit-learn's, scipy's and seqeval's. MRPC and STS-B are measured on their dev rows, as the test\n\
         rows have no public labels.\n",
        RECIPE.join(" "),
        WEIGHTED.join(" ")
    );
    page.push_str(
        "| set | figure | emberlab | transformers | |\n| --- | --- | --- | --- | --- |\n",
    );
    page.push_str(table);
    page
}

#[cfg(test)]
mod tests {
    use super::{line, spread};

    #[test]
    fn means_are_compared_by_their_deviations() {
        assert_eq!(spread(&[1.0, 2.0, 3.0]), [2.0, 1.0]);
        assert!(line("a", "b", &[0.5, 0.6, 0.7], &[0.6, 0.7, 0.8]).contains("within one"));
        assert!(line("a", "b", &[0.5, 0.5, 0.5], &[0.6, 0.6, 0.6]).contains("ours is lower"));
    }
}
