//! `cargo xtask bench`: Emberlab beside what people would use instead, interleaved in one run.

mod browser;
mod disturbance;
mod growth;
mod in_process;
mod machine;
mod process;
mod render;
mod report;
mod setup;
mod statistics;
mod targets;
mod whole;
mod worker;

use anyhow::{Context, Result, bail, ensure};

use self::disturbance::Snapshot;
use self::report::{Measured, Report, RowResult};
use self::setup::Bench;
use self::targets::TITLES;
use crate::native;
use crate::workspace::Workspace;

/// What `--quick` measures where no row is named.
const QUICK_ROWS: [u8; 4] = [1, 2, 5, 4];

/// Row numbers from words.
///
/// # Errors
/// A word is no row of the table.
pub fn rows(words: impl Iterator<Item = String>) -> Result<Vec<u8>> {
    words
        .map(|word| {
            let row = word.parse().ok().filter(|row| TITLES.iter().any(|(known, _)| known == row));
            row.with_context(|| format!("`{word}` is no row: they are 1 to {}", TITLES.len()))
        })
        .collect()
}

/// Measures `rows`, all where none is named. What was measured takes its place in the report; a
/// row that fails leaves its last result there, and fails the command at the end.
pub fn bench(workspace: &Workspace, quick: bool, rows: &[u8]) -> Result<()> {
    let all: Vec<u8> = match (rows, quick) {
        ([], true) => QUICK_ROWS.to_vec(),
        ([], false) => TITLES.iter().map(|(row, _)| *row).collect(),
        (named, _) => named.to_vec(),
    };
    let mut bench = Bench::prepare(workspace, quick)?;
    let mut report = if quick { Report::default() } else { Report::read(&workspace.root)? };
    let mut failed = Vec::new();
    for &row in &all {
        eprintln!("\n== row {row}: {}", targets::title(row));
        let before = Snapshot::now();
        match measure(&mut bench, row) {
            Ok(mut measured) => {
                // Chromium's processes are not all counted as ours.
                if measured.not_measured.is_none() && !(7..=10).contains(&row) {
                    measured.others = before.and_then(|before| before.others_since());
                }
                let result = RowResult::new(row, measured, machine::about(workspace, &bench)?);
                print!("{}", render::ratios(&result));
                report.put(result);
            }
            Err(error) => {
                eprintln!("row {row} failed: {error:#}");
                failed.push(row.to_string());
            }
        }
        if !quick {
            report.write(&workspace.root, &render::document(&report))?;
        }
    }
    ensure!(failed.is_empty(), "not measured: row {}; see above", failed.join(", row "));
    Ok(())
}

fn measure(bench: &mut Bench, row: u8) -> Result<Measured> {
    match row {
        1 => in_process::forward(bench),
        2 => in_process::training_step(bench),
        3 => whole::fine_tuning(bench),
        4 => whole::predict(bench),
        5 => whole::one_text(bench),
        6 => whole::memory(bench),
        7..=10 => browser::row(bench, row),
        11 if native::features(bench.workspace).is_empty() => {
            Ok(Measured::not_measured("no CUDA device here"))
        }
        11 => whole::fine_tuning_on_cuda(bench),
        12 => growth::growth(bench),
        _ => bail!("there is no row {row}"),
    }
}
