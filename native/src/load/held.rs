//! What rows take in memory.

use emberlab_core::data::Table;
use serde_json::Value;

/// A cell beside its text: its place in the row, and what its key and an index of it take.
const CELL: usize = size_of::<(u64, String, Value)>() + 80;

/// About how many bytes the rows of a table take.
pub fn held(table: &Table) -> usize {
    let row = |cells: &serde_json::Map<String, Value>| cells.iter().map(entry).sum::<usize>();
    table.rows.iter().map(|each| size_of_val(each) + row(&each.cells)).sum()
}

fn entry((key, value): (&String, &Value)) -> usize {
    CELL + key.len() + behind(value)
}

/// What a value takes beside itself.
fn behind(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| size_of_val(item) + behind(item)).sum(),
        Value::Object(entries) => entries.iter().map(entry).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use emberlab_core::data::{BadRows, Format};

    use super::*;

    fn of(format: &Format, text: &str) -> usize {
        held(&Table::parse("a", text.as_bytes(), format, &mut BadRows::Refuse).unwrap())
    }

    #[test]
    fn small_cells_take_more_than_their_text() {
        let csv = format!("a,b\n{}", "0,0\n".repeat(1000));
        assert!(of(&Format::CSV, &csv) > 100 * 2000);
        let list = format!("{{\"a\": [{}0]}}", "0,".repeat(1000));
        assert!(of(&Format::Jsonl, &list) > 24 * 1000);
        let text = format!("a\n{}\n", "a".repeat(1 << 20));
        assert!((1 << 20..1_100_000).contains(&of(&Format::CSV, &text)));
    }
}
