//! Answers with their gold, from a run folder or from a file of predictions.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use emberlab_core::data::{LabelMap, Task};
use emberlab_core::metrics::Answered;
use serde_json::{Map, Value};

use crate::cli::{CompareArgs, ReadArgs};
use crate::load::{Loader, Source};
use crate::run::predictions::file_name;

/// The rows of one side.
pub struct Answers {
    /// What they come from, for messages.
    pub name: String,
    pub rows: Vec<Map<String, Value>>,
}

/// The split to compare run folders on: the one that is asked for, else the first that all have.
pub fn common_split(args: &CompareArgs) -> Result<Option<String>> {
    let runs: Vec<&Path> = [&*args.a, &*args.b].into_iter().filter(|path| path.is_dir()).collect();
    if runs.is_empty() || args.split.is_some() {
        return Ok(args.split.clone());
    }
    let all_have = |split: &&str| runs.iter().all(|run| run.join(file_name(split)).is_file());
    let split = ["test", "eval"].into_iter().find(all_have);
    let Some(split) = split else {
        let names: Vec<String> = runs.iter().map(|run| run.display().to_string()).collect();
        bail!(
            "{}: no predictions-test.jsonl or predictions-eval.jsonl there; they are written by `emberlab train` with --test or --eval",
            names.join(", ")
        )
    };
    Ok(Some(split.to_owned()))
}

impl Answers {
    /// Reads a file, or that of a split in a run folder.
    ///
    /// # Errors
    /// It cannot be read, or its rows have no gold answer and no predicted one.
    pub fn read(path: &Path, split: Option<&str>) -> Result<Self> {
        let path = match split {
            Some(split) if path.is_dir() => path.join(file_name(split)),
            _ => path.to_owned(),
        };
        let name = path.display().to_string();
        ensure!(path.is_file(), "there is no file {name}");
        let args = ReadArgs::default();
        let table = Loader::new(&args).load(&Source::new(&path))?.table;
        let rows = table.rows.into_iter().map(|row| row.cells).collect();
        let answers = Self { name, rows };
        answers.task()?;
        Ok(answers)
    }

    /// What they are answers to, by the column that holds them.
    fn task(&self) -> Result<(Task, &'static str)> {
        let first = self.rows.first().context("no rows")?;
        let known = [
            ("answer", Task::QuestionAnswering),
            ("label", Task::SingleLabelClassification),
            ("labels", Task::MultiLabelClassification),
            ("tags", Task::TokenClassification),
            ("score", Task::Regression),
        ];
        let found = known.into_iter().find(|(column, _)| first.contains_key(*column));
        match found {
            Some((column, task)) if first.contains_key(gold_column(task, first)) => {
                Ok((task, column))
            }
            _ => bail!(
                "{}: expected rows with `gold` and `label` (or `labels`, `tags`, `score`, `answer`), as `emberlab predict` writes \
                 them of labelled rows; it has {}",
                self.name,
                first.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
            ),
        }
    }

    /// A cell as numbers, or as names.
    fn cell<T>(&self, column: &str, row: usize, read: impl Fn(&Value) -> Option<T>) -> Result<T> {
        let value = self.rows[row].get(column).unwrap_or(&Value::Null);
        read(value).with_context(|| format!("{}, row {}: {column} is {value}", self.name, row + 1))
    }

    /// All names that stand there.
    fn names(&self, column: &str, of_list: bool) -> Result<Vec<[Vec<String>; 2]>> {
        let read = |value: &Value| if of_list { list(value) } else { Some(vec![word(value)?]) };
        let row = |row| Ok([self.cell("gold", row, read)?, self.cell(column, row, read)?]);
        (0..self.rows.len()).map(row).collect()
    }
}

/// Both sides with the ids of the labels that stand in either.
pub fn in_common(a: &Answers, b: &Answers) -> Result<(LabelMap, Answered, Answered)> {
    let ((task, column), (task_b, column_b)) = (a.task()?, b.task()?);
    ensure!(
        task == task_b,
        "{} has `{column}` and {} `{column_b}`: these are answers to different questions",
        a.name,
        b.name
    );
    if task == Task::Regression {
        let scores = |side: &Answers| -> Result<Answered> {
            let row = |row| Ok((side.cell("gold", row, number)?, side.cell(column, row, number)?));
            Ok(Answered::Scores((0..side.rows.len()).map(row).collect::<Result<_>>()?))
        };
        return Ok((LabelMap::of_a_score(), scores(a)?, scores(b)?));
    }
    if task == Task::QuestionAnswering {
        let answers = |side: &Answers| -> Result<Answered> {
            let gold = side.rows.first().map_or("gold", |first| gold_column(task, first));
            let row = |row| Ok((side.cell(gold, row, texts)?, side.cell(column, row, word)?));
            Ok(Answered::Answers((0..side.rows.len()).map(row).collect::<Result<_>>()?))
        };
        return Ok((LabelMap::of_a_span(), answers(a)?, answers(b)?));
    }
    let of_list = task != Task::SingleLabelClassification;
    let sides = [a.names(column, of_list)?, b.names(column, of_list)?];
    for (side, rows) in [a, b].into_iter().zip(&sides) {
        check_names(side, rows)?;
    }
    let names: BTreeSet<&String> = sides.iter().flatten().flatten().flatten().collect();
    let labels = LabelMap::new(&a.name, names.into_iter().cloned().collect())?;
    let [of_a, of_b] = sides.map(|rows| answered(task, rows, &labels));
    Ok((labels, of_a, of_b))
}

/// Refuses gold labels that are other words than the predicted ones, such as ids beside names.
fn check_names(side: &Answers, rows: &[[Vec<String>; 2]]) -> Result<()> {
    let words =
        |which: usize| -> BTreeSet<&String> { rows.iter().flat_map(|row| &row[which]).collect() };
    let (gold, predicted) = (words(0), words(1));
    let apart = gold.is_disjoint(&predicted) && !gold.is_empty() && !predicted.is_empty();
    ensure!(
        !apart,
        "{}: no gold label is ever predicted ({} and {}); write both as the same words",
        side.name,
        gold.iter().next().map_or("", |word| word.as_str()),
        predicted.iter().next().map_or("", |word| word.as_str())
    );
    Ok(())
}

fn answered(task: Task, rows: Vec<[Vec<String>; 2]>, labels: &LabelMap) -> Answered {
    let id = |name: &String| labels.id(name).unwrap_or_default();
    let ids = |names: &[String]| names.iter().map(id).collect::<Vec<usize>>();
    let sorted = |names: &[String]| {
        let mut ids = ids(names);
        ids.sort_unstable();
        ids
    };
    match task {
        Task::MultiLabelClassification => {
            let row = |[gold, predicted]: &[Vec<String>; 2]| (sorted(gold), sorted(predicted));
            Answered::LabelSets(rows.iter().map(row).collect())
        }
        Task::TokenClassification => {
            let row = |[gold, predicted]: &[Vec<String>; 2]| (ids(gold), ids(predicted));
            Answered::Tags(rows.iter().map(row).collect())
        }
        _ => {
            let row = |[gold, predicted]: &[Vec<String>; 2]| (id(&gold[0]), id(&predicted[0]));
            Answered::Labels(rows.iter().map(row).collect())
        }
    }
}

/// The column of the gold answers: `emberlab predict` leaves those to questions as they were.
fn gold_column(task: Task, row: &Map<String, Value>) -> &'static str {
    let is_question = task == Task::QuestionAnswering && !row.contains_key("gold");
    if is_question { "answers" } else { "gold" }
}

/// The texts of gold answers: a list of them, or answers as SQuAD has them.
fn texts(value: &Value) -> Option<Vec<String>> {
    let text = |answer: &Value| word(answer.get("text").unwrap_or(answer));
    let list = value.get("text").unwrap_or(value).as_array()?;
    list.iter().map(text).collect()
}

/// A label, which may be a number.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        _ => None,
    }
}

fn list(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(word).collect()
}

fn number(value: &Value) -> Option<f32> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_f64().map(|number| number as f32),
    }
}
