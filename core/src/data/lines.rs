//! Plain text: one text a line.

use serde_json::{Map, Value};

use super::table::Reading;
use crate::Result;

/// A row for each line that is not empty.
pub(super) fn read(bytes: &[u8], reading: &mut Reading) -> Result<()> {
    for (line, content) in numbered_lines(bytes) {
        let Some(text) = reading.text(line, content)? else { continue };
        if !text.trim().is_empty() {
            reading.row(line, Map::from_iter([("text".to_owned(), Value::from(text))]))?;
        }
    }
    Ok(())
}

/// Whether lines end in `\r` alone, as on old Macs: then the first one goes on behind it.
pub(super) fn are_of_old_macs(bytes: &[u8]) -> bool {
    let first = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    first.trim_ascii().contains(&b'\r')
}

/// The lines with their numbers from 1, without their ends.
pub(super) fn numbered_lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = bytes.split(|&byte| byte == b'\n').enumerate();
    lines.map(|(index, line)| (index + 1, line.strip_suffix(b"\r").unwrap_or(line)))
}
