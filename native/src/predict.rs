//! `emberlab predict`: texts in, labels and probabilities out, in the same order.

pub(crate) mod answers;
mod output;
pub(crate) mod rows;
mod tagged;

use std::io::{self, BufReader, IsTerminal};

use anyhow::{Result, bail};
use emberlab_core::Error;
use emberlab_core::data::{BadRows, Columns, Table};

use self::answers::Answers;
use crate::Outcome;
use crate::cli::{OutputFormat, PredictArgs};
use crate::files::hub;
use crate::inference::{Inference, Work};
use crate::load::{Loader, Source, each_of_text};
use crate::terminal::note;
use output::Output;

/// Runs the command.
pub fn run(args: &PredictArgs) -> Result<Outcome> {
    let format = output_format(args)?;
    let mut loader = Loader::new(&args.read);
    if !args.text.is_empty() {
        let table = rows::from_arguments(&args.text, &args.text_pair)?;
        let mut predicting = Predicting::new(args, format, Some(table.rows.len()))?;
        predicting.add(table)?;
        return predicting.finish(loader);
    }
    let Some(path) = &args.input else { return from_stdin(args, format, loader) };
    let split = args.split.as_deref();
    let source = Source::with_split(&hub::dataset(path, split)?, split);
    if let Some(loaded) = loader.load_small(&source)? {
        loaded.selected.note_clamped(&source);
        let mut predicting = Predicting::new(args, format, Some(loaded.table.rows.len()))?;
        predicting.add(loaded.table)?;
        return predicting.finish(loader);
    }
    // Not in memory together: a first pass finds the columns, a second one predicts piece by piece.
    let scan = Loader::new(&args.read).scan(&source)?;
    scan.selected.note_clamped(&source);
    let mut loader = Loader::new(&args.read);
    let mut predicting = Predicting::new(args, format, Some(scan.selected.rows()))?;
    predicting.see(&scan.table)?;
    loader.each_selected_ahead(&scan, |piece| predicting.add(piece))?;
    predicting.finish(loader)
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

/// Predicts what comes on standard input, as it comes.
fn from_stdin(
    args: &PredictArgs,
    format: Option<OutputFormat>,
    mut loader: Loader,
) -> Result<Outcome> {
    if io::stdin().is_terminal() {
        note("reading standard input: one text a line, Ctrl-D at the end");
    }
    let mut input = BufReader::new(io::stdin());
    let lines = rows::stdin_format(&mut input)?;
    let mut predicting = Predicting::new(args, format, None)?;
    let each = &mut |piece| predicting.add(piece).map(|()| true);
    each_of_text(rows::STDIN, input, lines, &mut loader.bad, each)?;
    if predicting.work.rows() == 0 && predicting.bad.count() + loader.bad.count() == 0 {
        bail!("standard input holds no text; give one a line, or --text, or --input");
    }
    predicting.finish(loader)
}

/// Predictions under way. The model is opened when there is a text.
struct Predicting<'a> {
    args: &'a PredictArgs,
    /// What the rows come from, for messages.
    name: String,
    columns: Option<Columns>,
    /// Rows without a text.
    bad: BadRows,
    inference: Option<Inference>,
    work: Work,
    output: Output,
}

impl<'a> Predicting<'a> {
    /// `rows` is the number of rows to come, where it is known.
    fn new(
        args: &'a PredictArgs,
        format: Option<OutputFormat>,
        rows: Option<usize>,
    ) -> Result<Self> {
        let bad = Loader::new(&args.read).bad;
        let (work, output) = (Work::new(rows), Output::new(format, args.output.as_deref())?);
        let name = rows::STDIN.to_owned();
        Ok(Self { args, name, columns: None, bad, inference: None, work, output })
    }

    /// Takes the columns from a table, for all tables to come.
    fn see(&mut self, table: &Table) -> Result<()> {
        self.columns = Some(Loader::new(&self.args.read).columns(table, None)?);
        self.output.see_columns(table);
        Ok(())
    }

    /// Predicts rows and writes them.
    fn add(&mut self, mut table: Table) -> Result<()> {
        if self.columns.is_none() {
            self.see(&table)?;
            self.name.clone_from(&table.name);
        }
        let Some(columns) = &self.columns else { return Ok(()) };
        let texts = match table.texts(columns, &mut self.bad) {
            Err(Error::NoRows { .. }) => return Ok(()),
            texts => texts?,
        };
        if self.inference.is_none() {
            let inference = Inference::open(self.args.model.as_deref(), &self.args.inference)?;
            let asked = self.args.version_2_with_negative;
            self.inference = Some(inference.version_2_with_negative(asked));
        }
        let Some(inference) = &self.inference else { return Ok(()) };
        let predictions = inference.predict_some(&texts, &mut self.work)?;
        let answers = Answers::of(&inference.classifier, &texts, self.args.top_k)
            .with_gold(columns.labels.first().filter(|_| columns.labels.len() == 1));
        let (args, output) = (self.args, &mut self.output);
        self.work.above_bar(|| output.write(args, &mut table, &texts, &predictions, &answers))
    }

    /// Says what was done, and gives a file its name.
    fn finish(self, mut loader: Loader) -> Result<Outcome> {
        loader.bad.add(self.bad);
        loader.report_skipped();
        let Some(inference) = self.inference else {
            let (name, skipped) = (self.name, loader.bad.count());
            return Err(Error::NoRows { name, skipped }.into());
        };
        inference.note(&self.work);
        self.output.finish(self.args)?;
        Ok(Outcome::Completed)
    }
}
