//! `emberlab predict`: texts in, labels and probabilities out, in the same order.

use std::io::{self, IsTerminal};

use anyhow::{Result, bail};
use emberlab_core::data::Table;

use crate::answers::Answers;
use crate::cli::{OutputFormat, PredictArgs};
use crate::hub::{self, Kind};
use crate::inference::Inference;
use crate::load::{Loader, Source};
use crate::report::{note, print};
use crate::{Outcome, files, rows, staged};

/// Runs the command.
pub fn run(args: &PredictArgs) -> Result<Outcome> {
    let format = output_format(args)?;
    let mut loader = Loader::new(&args.read);
    let mut table = read(args, &mut loader)?;
    let columns = loader.columns(&table, None)?;
    let texts = table.texts(&columns, &mut loader.bad)?;
    loader.report_skipped();
    let inference = Inference::open(args.model.as_deref(), &args.inference)?;
    let predictions = inference.predict(&texts)?;
    let answers = Answers::of(&inference.classifier, &texts, args.top_k);
    let rendered = match format {
        Some(OutputFormat::Csv) => rows::to_csv(&table, &predictions, &answers)?,
        Some(OutputFormat::Jsonl) => rows::to_jsonl(&table, &predictions, &answers)?,
        None if !args.text.is_empty() && io::stdout().is_terminal() => {
            rows::to_bars(&texts, &predictions, &answers).into_bytes()
        }
        None => rows::to_jsonl(&table, &predictions, &answers)?,
    };
    match &args.output {
        Some(path) => {
            staged::write(path, &rendered)?;
            note(format_args!("wrote   {}", path.display()));
        }
        None => print(String::from_utf8_lossy(&rendered))?,
    }
    Ok(Outcome::Completed)
}

/// The format asked for by `--format` or by the ending of `--output`.
fn output_format(args: &PredictArgs) -> Result<Option<OutputFormat>> {
    let Some(path) = &args.output else { return Ok(args.format) };
    match (args.format, path.extension().and_then(|ending| ending.to_str())) {
        (Some(format), _) => Ok(Some(format)),
        (None, Some("csv")) => Ok(Some(OutputFormat::Csv)),
        (None, Some("jsonl")) => Ok(Some(OutputFormat::Jsonl)),
        (None, _) => bail!("{}: end the name in .jsonl or .csv, or add --format", path.display()),
    }
}

fn read(args: &PredictArgs, loader: &mut Loader) -> Result<Table> {
    if !args.text.is_empty() {
        return rows::from_arguments(&args.text, &args.text_pair);
    }
    match &args.input {
        Some(path) => {
            let path = hub::folder(path, Kind::Dataset)?;
            let source = Source::with_split(&path, args.split.as_deref());
            let loaded = loader.load(&source)?;
            loaded.note_clamped(&source);
            Ok(loaded.table)
        }
        None => {
            if io::stdin().is_terminal() {
                note("reading standard input: one text a line, Ctrl-D at the end");
            }
            rows::from_stdin(&files::read_stdin()?, &mut loader.bad)
        }
    }
}
