//! Where predicted rows go: a file, which gets its name at the end, or standard output.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use emberlab_core::data::Table;
use emberlab_core::model::Prediction;
use emberlab_core::text::Texts;

use super::answers::Answers;
use super::rows;
use crate::cli::{OutputFormat, PredictArgs};
use crate::files::staged::StagedFile;
use crate::terminal::{note, print};

pub struct Output {
    format: Option<OutputFormat>,
    /// The columns of a CSV, which stand in its header.
    columns: Vec<String>,
    begun: bool,
    file: Option<(StagedFile, BufWriter<File>)>,
}

impl Output {
    /// # Errors
    /// The file cannot be written, which is better known before an hour of work.
    pub fn new(format: Option<OutputFormat>, path: Option<&Path>) -> Result<Self> {
        let file = path.map(StagedFile::create).transpose()?;
        let file = file.map(|(staged, file)| (staged, BufWriter::new(file)));
        Ok(Self { format, columns: Vec::new(), begun: false, file })
    }

    /// Takes the columns of all rows to come.
    pub fn see_columns(&mut self, table: &Table) {
        self.columns.clone_from(&table.columns);
    }

    /// Writes the rows of a table.
    ///
    /// # Errors
    /// They cannot be written; a CSV would need a column that its header lacks.
    pub fn write(
        &mut self,
        args: &PredictArgs,
        table: &mut Table,
        texts: &Texts,
        predictions: &[Prediction],
        answers: &Answers,
    ) -> Result<()> {
        let new = table.columns.iter().find(|column| !self.columns.contains(column));
        if let (Some(OutputFormat::Csv), Some(new)) = (self.format, new) {
            bail!(
                "column \"{new}\" comes up when the header of the CSV is written; add --format jsonl"
            );
        }
        table.columns.clone_from(&self.columns);
        let rendered = match self.format {
            Some(OutputFormat::Csv) => rows::to_csv(table, predictions, answers, !self.begun)?,
            None if !args.text.is_empty() && io::stdout().is_terminal() => {
                rows::to_bars(texts, predictions, answers).into_bytes()
            }
            Some(OutputFormat::Jsonl) | None => rows::to_jsonl(table, predictions, answers)?,
        };
        self.begun = true;
        let (Some(path), Some((_, file))) = (&args.output, &mut self.file) else {
            return print(String::from_utf8_lossy(&rendered));
        };
        file.write_all(&rendered).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Gives a file its name.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self, args: &PredictArgs) -> Result<()> {
        let (Some(path), Some((staged, file))) = (&args.output, self.file) else { return Ok(()) };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error);
        staged.finish(&file.with_context(|| format!("cannot write {}", path.display()))?)?;
        note(format_args!("wrote   {}", path.display()));
        Ok(())
    }
}
