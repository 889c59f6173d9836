//! Questions, reference answers, students' answers and their points, as a data set holds them.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use emberlab_core::data::{Row, Table};
use serde_json::{Map, Value};

use crate::cli::{AnswerColumns, ReadArgs};
use crate::files::hub::{self, Kind};
use crate::load::{Loader, Source};

const ANSWERS: [&str; 5] = ["answer", "student_answer", "response", "student", "text"];
const REFERENCES: [&str; 6] = [
    "reference",
    "reference_answer",
    "desired_answer",
    "model_answer",
    "expected_answer",
    "text_b",
];
const QUESTIONS: [&str; 2] = ["question", "prompt"];
const SCORES: [&str; 5] = ["score", "score_avg", "points", "grade", "label"];
const RATERS: [[&str; 2]; 2] = [["score_me", "score_other"], ["rater_1", "rater_2"]];
const MOST: [&str; 2] = ["max_score", "max_points"];

/// Rows, column by column; all are equally long.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    pub questions: Vec<String>,
    pub references: Vec<String>,
    pub answers: Vec<String>,
    pub scores: Vec<f32>,
    /// The most that the question gives.
    pub most: Vec<f32>,
    /// The points of two raters, where all rows have them.
    pub raters: Option<[Vec<f32>; 2]>,
}

impl Answers {
    /// The rows of a file. `highest` is the most that a question gives where the file does not say so;
    /// where that is not known, it is the highest of the points.
    ///
    /// # Errors
    /// A column that is not there; a row without a text or with points that are none, with its place.
    pub fn read(path: &Path, columns: &AnswerColumns, highest: Option<f32>) -> Result<Self> {
        let table = table(path)?;
        let mut answers = Self::texts(&table, columns)?;
        let name = named_or(&table, columns.score_column.as_deref(), &SCORES, "score")?;
        let score = |row| score(row, &name, &columns.correct);
        answers.scores = table.rows.iter().map(score).collect::<Result<_>>()?;
        if let Some(raters) = raters(&table, columns)? {
            let of = |name: &str| -> Result<Vec<f32>> {
                table.rows.iter().map(|row| number(row, name)).collect()
            };
            answers.raters = Some([of(&raters[0])?, of(&raters[1])?]);
        }
        let given = answers.scores.iter().copied().fold(0.0, f32::max);
        answers.set_most(&table, columns, highest.unwrap_or(given))?;
        let beyond = answers.scores.iter().zip(&answers.most);
        let mut beyond = beyond.zip(&table.rows).filter(|((score, most), _)| score > most);
        if let Some(((score, most), row)) = beyond.next() {
            bail!(
                "{}: {score} points, but the question gives {most} at most; name the column of the most with --max-score-column",
                row.place
            );
        }
        Ok(answers)
    }

    /// The texts of a file whose answers may have no points yet, and its rows as they are.
    ///
    /// # Errors
    /// A column that is not there; a row without a text, with its place.
    pub fn read_unscored(
        path: &Path,
        columns: &AnswerColumns,
        highest: f32,
    ) -> Result<(Self, Vec<Map<String, Value>>)> {
        let table = table(path)?;
        let mut answers = Self::texts(&table, columns)?;
        answers.scores = vec![0.0; table.rows.len()];
        answers.set_most(&table, columns, highest)?;
        Ok((answers, table.rows.into_iter().map(|row| row.cells).collect()))
    }

    /// A single answer.
    pub fn one(question: String, reference: String, answer: String) -> Self {
        Self {
            questions: vec![question],
            references: vec![reference],
            answers: vec![answer],
            scores: vec![0.0],
            ..Self::default()
        }
    }

    fn texts(table: &Table, columns: &AnswerColumns) -> Result<Self> {
        let column = |named: &Option<String>, usual: &[&str], role: &str| -> Result<Vec<String>> {
            let name = named_or(table, named.as_deref(), usual, role)?;
            table.rows.iter().map(|row| text(row, &name)).collect()
        };
        Ok(Self {
            questions: column(&columns.question_column, &QUESTIONS, "question")?,
            references: column(&columns.reference_column, &REFERENCES, "reference")?,
            answers: column(&columns.answer_column, &ANSWERS, "answer")?,
            ..Self::default()
        })
    }

    fn set_most(&mut self, table: &Table, columns: &AnswerColumns, highest: f32) -> Result<()> {
        let name = match &columns.max_score_column {
            Some(name) => Some(named_or(table, Some(name), &[], "max-score")?),
            None => find(table, &MOST),
        };
        self.most = match name {
            Some(name) => table.rows.iter().map(|row| number(row, &name)).collect::<Result<_>>()?,
            None => vec![highest; table.rows.len()],
        };
        let row = self.most.iter().position(|most| *most <= 0.0);
        let Some(row) = row.and_then(|row| table.rows.get(row)) else { return Ok(()) };
        bail!("{}: the most that the question gives is not above 0", row.place)
    }

    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// The most that any question gives.
    pub fn highest(&self) -> f32 {
        self.most.iter().copied().fold(0.0, f32::max)
    }

    /// The points as parts of the most, 0 to 1.
    pub fn parts(&self) -> Vec<f32> {
        let parts = self.scores.iter().zip(&self.most);
        parts.map(|(score, most)| (score / most).clamp(0.0, 1.0)).collect()
    }

    pub fn distinct_questions(&self) -> usize {
        self.questions.iter().collect::<BTreeSet<_>>().len()
    }

    /// These rows, in this order.
    pub fn select(&self, rows: &[usize]) -> Self {
        fn pick<T: Clone>(all: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|&row| all[row].clone()).collect()
        }
        Self {
            questions: pick(&self.questions, rows),
            references: pick(&self.references, rows),
            answers: pick(&self.answers, rows),
            scores: pick(&self.scores, rows),
            most: pick(&self.most, rows),
            raters: self.raters.as_ref().map(|[a, b]| [pick(a, rows), pick(b, rows)]),
        }
    }
}

fn table(path: &Path) -> Result<Table> {
    let read = ReadArgs::default();
    Ok(Loader::new(&read).load(&Source::new(&hub::folder(path, Kind::Dataset)?))?.table)
}

fn find(table: &Table, names: &[&str]) -> Option<String> {
    let same = |name: &&str| table.columns.iter().find(|column| column.eq_ignore_ascii_case(name));
    names.iter().find_map(same).cloned()
}

fn named_or(table: &Table, named: Option<&str>, usual: &[&str], role: &str) -> Result<String> {
    let found = match named {
        Some(name) => find(table, &[name]),
        None => find(table, usual),
    };
    let asked = named.map_or_else(String::new, |name| format!(" \"{name}\""));
    found.with_context(|| {
        format!(
            "{}: no {role} column{asked}; it has: {}. Name one with --{role}-column",
            table.name,
            table.columns.join(", ")
        )
    })
}

fn raters(table: &Table, columns: &AnswerColumns) -> Result<Option<[String; 2]>> {
    if let [first, second] = columns.rater_column.as_slice() {
        let of = |name: &String| named_or(table, Some(name), &[], "rater");
        return Ok(Some([of(first)?, of(second)?]));
    }
    let both = |[a, b]: &[&str; 2]| Some([find(table, &[a])?, find(table, &[b])?]);
    Ok(RATERS.iter().find_map(both))
}

fn text(row: &Row, column: &str) -> Result<String> {
    match row.cells.get(column) {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        _ => bail!("{}: \"{column}\" is empty", row.place),
    }
}

/// Points, or what a label is worth.
fn score(row: &Row, column: &str, correct: &str) -> Result<f32> {
    match row.cells.get(column) {
        Some(Value::String(label)) if label.trim().parse::<f32>().is_err() => {
            Ok(if label.trim() == correct { 1.0 } else { 0.0 })
        }
        _ => number(row, column),
    }
}

fn number(row: &Row, column: &str) -> Result<f32> {
    let number = match row.cells.get(column) {
        Some(Value::Number(number)) => number.as_f64().map(|number| number as f32),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.filter(|number| number.is_finite());
    let number = number.with_context(|| format!("{}: \"{column}\" is no number", row.place))?;
    ensure!(number >= 0.0, "{}: \"{column}\" is {number}; points are not below 0", row.place);
    Ok(number)
}
