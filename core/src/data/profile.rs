//! What a table holds, column by column, as `datasets` would name it.

use serde::Serialize;
use serde_json::Value;

use crate::data::{Row, Table};

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnProfile {
    pub name: String,
    /// `string`, `int64`, `float64`, `bool`, `list`, `struct`, `null` or `mixed`. Of delimited files
    /// it is what all cells can be read as.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The names of its classes, where the file states them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// Rows without a value, or with an empty one.
    pub missing: usize,
    /// The first value there is.
    pub example: Value,
}

/// The columns of a table in order.
pub fn column_profiles(table: &Table) -> Vec<ColumnProfile> {
    table.columns.iter().map(|column| profile(table, column)).collect()
}

fn profile(table: &Table, column: &str) -> ColumnProfile {
    let mut kinds: Vec<&'static str> = Vec::new();
    let mut missing = 0;
    let mut example = None;
    for cell in table.rows.iter().map(|row: &Row| row.cells.get(column)) {
        match cell.filter(|cell| !is_missing(cell)) {
            None => missing += 1,
            Some(cell) => {
                let kind = kind(cell);
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
                example.get_or_insert(cell);
            }
        }
    }
    let class_names = table.class_names.get(column).cloned().unwrap_or_default();
    let kind = match kinds[..] {
        [] => "null",
        ["string"] => string_kind(table, column),
        [kind] => kind,
        ["int64", "float64"] | ["float64", "int64"] => "float64",
        _ => "mixed",
    };
    let example = example.cloned().unwrap_or_default();
    ColumnProfile { name: column.into(), kind, class_names, missing, example }
}

/// Whether a cell says nothing.
pub(super) fn is_missing(cell: &Value) -> bool {
    match cell {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

fn kind(cell: &Value) -> &'static str {
    match cell {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "struct",
    }
}

/// What cells that are all text can be read as: delimited files know no types.
fn string_kind(table: &Table, column: &str) -> &'static str {
    let all = |fits: fn(&str) -> bool| {
        let cells = table.rows.iter().filter_map(|row| row.cells.get(column)?.as_str());
        cells.map(str::trim).filter(|cell| !cell.is_empty()).all(fits)
    };
    match () {
        () if all(|cell| cell.parse::<i64>().is_ok()) => "int64",
        () if all(|cell| cell.parse::<f64>().is_ok()) => "float64",
        () if all(|cell| matches!(cell, "true" | "false" | "True" | "False")) => "bool",
        () => "string",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{BadRows, Format};

    fn kinds(format: &Format, text: &str) -> Vec<(&'static str, usize)> {
        let table = Table::parse("a", text.as_bytes(), format, &mut BadRows::Refuse).unwrap();
        column_profiles(&table).into_iter().map(|column| (column.kind, column.missing)).collect()
    }

    #[test]
    fn types_of_cells() {
        let json = "{\"a\": 1, \"b\": \"1\", \"c\": [], \"d\": true, \"e\": null}\n{\"a\": 0.5, \"c\": 1, \"b\": \"x\"}";
        let found = kinds(&Format::Jsonl, json);
        assert_eq!(found, [("float64", 0), ("string", 0), ("mixed", 0), ("bool", 1), ("null", 2)]);
        let csv = "a,b,c,d\n1,0.5,x,True\n-2,1,,False\n";
        let found = kinds(&Format::CSV, csv);
        assert_eq!(found, [("int64", 0), ("float64", 0), ("string", 1), ("bool", 0)]);
    }
}
