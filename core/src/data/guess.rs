//! What the labels of a table are, from their cells.

use serde_json::Value;

use super::{
    Table, Task,
    answers::{as_flag, as_score},
    profile::is_missing,
    squad::is_answers,
};

/// A column of this name holds scores also where all of them are whole numbers.
pub(super) const SCORE_NAME: &str = "score";

/// The task for which these columns are labels: sets where a column holds lists or there are several,
/// scores where it holds numbers with a point, else classes.
pub(super) fn task(table: &Table, labels: &[String]) -> Task {
    let [label] = labels else {
        let several = labels.len() > 1;
        return if several { Task::MultiLabelClassification } else { Task::default() };
    };
    let cells = || {
        let cells = table.rows.iter().filter_map(|row| row.cells.get(label));
        cells.filter(|cell| !is_missing(cell))
    };
    // By the first: a list further down is a bad row.
    if cells().next().is_some_and(is_list) {
        return Task::MultiLabelClassification;
    }
    if is_scores(&mut cells(), label) {
        return Task::Regression;
    }
    Task::SingleLabelClassification
}

/// Whether the first cell of a column is a list.
pub(super) fn holds_lists(table: &Table, column: &str) -> bool {
    let cell = table.rows.first().and_then(|row| row.cells.get(column));
    matches!(cell, Some(Value::Array(_)))
}

/// Whether the first cell of a column that is no empty list holds answers to a question.
pub(super) fn holds_answers(table: &Table, column: &str) -> bool {
    let mut cells = table.rows.iter().filter_map(|row| row.cells.get(column));
    let is_empty = |cell: &&Value| cell.as_array().is_some_and(Vec::is_empty);
    let first = cells.clone().find(|cell| !is_empty(cell)).or(cells.next());
    first.is_some_and(is_answers)
}

fn is_list(cell: &Value) -> bool {
    match cell {
        Value::Array(_) => true,
        Value::String(text) => {
            let text = text.trim();
            text.starts_with('[') && text.ends_with(']')
        }
        _ => false,
    }
}

fn is_scores(cells: &mut dyn Iterator<Item = &Value>, column: &str) -> bool {
    let is_whole = |cell: &Value| match cell {
        Value::Number(number) => !number.is_f64(),
        Value::String(text) => text.trim().parse::<i64>().is_ok(),
        _ => false,
    };
    let (mut any, mut all_whole) = (false, true);
    for cell in cells {
        if as_score(cell).is_none() {
            return false;
        }
        any = true;
        all_whole &= is_whole(cell);
    }
    any && (!all_whole || column.eq_ignore_ascii_case(SCORE_NAME))
}

/// Of `columns`, those whose cells are all 0 or 1: classes of a multi-label set, where there are at
/// least two.
pub(super) fn flag_columns<'a>(
    table: &Table,
    columns: impl Iterator<Item = &'a String>,
) -> Vec<String> {
    let is_flag = |column: &&String| {
        let mut flags = table.rows.iter().map(|row| row.cells.get(*column).and_then(as_flag));
        !table.rows.is_empty() && flags.all(|flag| flag.is_some())
    };
    let flags: Vec<String> = columns.filter(is_flag).cloned().collect();
    if flags.len() > 1 { flags } else { Vec::new() }
}
