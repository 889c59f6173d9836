//! `emberlab compare`: whether two runs differ by more than chance on the same rows.

mod answers;
mod text;

use anyhow::{Result, bail, ensure};
use emberlab_core::metrics::Comparison;
use serde::Serialize;

use self::answers::{Answers, common_split, in_common};
use crate::Outcome;
use crate::cli::CompareArgs;
use crate::terminal::{json, print};

/// What was compared, and what came of it.
#[derive(Serialize)]
struct Report {
    a: String,
    b: String,
    #[serde(flatten)]
    comparison: Comparison,
}

/// Runs the command.
pub fn run(args: &CompareArgs) -> Result<Outcome> {
    let split = common_split(args)?;
    let a = Answers::read(&args.a, split.as_deref())?;
    let b = Answers::read(&args.b, split.as_deref())?;
    check_rows(&a, &b)?;
    let (labels, of_a, of_b) = in_common(&a, &b)?;
    if !of_a.has_gold_of(&of_b) {
        bail!("{} and {} answer the same texts, but their gold labels differ", a.name, b.name);
    }
    let comparison = Comparison::new(&of_a, &of_b, &labels, args.resamples, args.seed);
    let report = Report { a: a.name, b: b.name, comparison };
    if args.json {
        print(json(&report)?)?;
    } else {
        print(text::render(&report))?;
    }
    Ok(Outcome::Completed)
}

/// Refuses answers to other rows: more or fewer of them, or other texts where both state them.
fn check_rows(a: &Answers, b: &Answers) -> Result<()> {
    ensure!(
        a.rows.len() == b.rows.len(),
        "{} answers {} rows and {} {}; both must answer the same rows",
        a.name,
        a.rows.len(),
        b.name,
        b.rows.len()
    );
    for (index, (of_a, of_b)) in a.rows.iter().zip(&b.rows).enumerate() {
        for key in ["text", "text_pair", "question", "context", "tokens", "words"] {
            if let (Some(left), Some(right)) = (of_a.get(key), of_b.get(key)) {
                ensure!(
                    left == right,
                    "row {} of {} has another {key} than that of {}: {right} and {left}; both must answer the same rows in the same order",
                    index + 1,
                    b.name,
                    a.name
                );
            }
        }
    }
    Ok(())
}
