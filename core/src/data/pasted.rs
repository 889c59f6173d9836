//! Rows out of text that a person pasted, in whatever way it was laid out.

use super::Example;

/// Reads pasted text line by line: `text TAB label`, `text,label` (as a spreadsheet or a CSV file
/// gives them, quotes included) or texts alone. A first line that names its columns is passed over.
///
/// A comma parts text and label only where every line ends in a short last cell, and those come again
/// or have a header; a sentence with a comma is a sentence.
pub fn pasted(text: &str) -> Vec<Example> {
    let rows = if text.contains('\t') {
        cells(text, b'\t')
    } else {
        labelled_by_comma(text).unwrap_or_else(|| lines(text))
    };
    let header = rows.first().is_some_and(|row| is_header(row));
    rows.into_iter().skip(usize::from(header)).filter_map(example).collect()
}

fn is_header(row: &[String]) -> bool {
    match row {
        [text, label] => text.eq_ignore_ascii_case("text") && label.eq_ignore_ascii_case("label"),
        _ => false,
    }
}

/// Characters of the longest label that a comma may set apart.
const LONGEST_LABEL: usize = 40;

fn labelled_by_comma(text: &str) -> Option<Vec<Vec<String>>> {
    let rows: Vec<Vec<String>> = cells(text, b',').into_iter().map(join_all_but_last).collect();
    let labels: std::collections::HashSet<&str> =
        rows.iter().filter_map(|row| row.get(1)).map(String::as_str).collect();
    let short = labels.iter().all(|label| {
        !label.is_empty()
            && label.chars().count() <= LONGEST_LABEL
            && !label.ends_with(['.', '!', '?'])
    });
    let all = rows.iter().all(|row| row.len() == 2);
    // Labels come again; the ends of sentences do not.
    (all && short
        && (labels.len() < rows.len()
            || rows.len() == 1
            || rows.first().is_some_and(|row| is_header(row))))
    .then_some(rows)
}

/// An unquoted comma within a text is part of it.
fn join_all_but_last(mut cells: Vec<String>) -> Vec<String> {
    match cells.pop() {
        Some(last) if !cells.is_empty() => vec![cells.join(","), last.trim().into()],
        Some(only) => vec![only],
        None => cells,
    }
}

fn cells(text: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.delimiter(delimiter).flexible(true).has_headers(false);
    let records = reader.from_reader(text.as_bytes()).into_records().flatten();
    records.map(|record| record.iter().map(String::from).collect()).collect()
}

fn lines(text: &str) -> Vec<Vec<String>> {
    text.lines().map(|line| vec![line.to_string()]).collect()
}

fn example(cells: Vec<String>) -> Option<Example> {
    let mut cells = cells.into_iter().map(|cell| cell.trim().to_string());
    let text = cells.next().filter(|text| !text.is_empty())?;
    let label = cells.next().filter(|label| !label.is_empty());
    Some(Example { text, label })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Option<String>)> {
        pasted(text).into_iter().map(|Example { text, label }| (text, label)).collect()
    }

    fn row(text: &str, label: &str) -> (String, Option<String>) {
        (text.into(), (!label.is_empty()).then(|| label.into()))
    }

    #[test]
    fn tabs_part_text_and_label() {
        let expected = [row("What, a day!", "joy"), row("Oh no", "fear"), row("alone", "")];
        assert_eq!(read("text\tlabel\nWhat, a day!\tjoy\r\nOh no\t fear \n\nalone\n"), expected);
    }

    #[test]
    fn commas_do_where_every_line_ends_in_a_label() {
        let expected = [row("Well, yes", "good"), row("He said \"no\", twice", "bad")];
        assert_eq!(
            read("text,label\nWell, yes,good\n\"He said \"\"no\"\", twice\",bad\n"),
            [expected.clone(), [row("so, so", "bad"), row("fine", "good")]].concat()[..2]
        );
        assert_eq!(
            read("Well, yes,good\nso, so,bad\nfine,good"),
            [row("Well, yes", "good"), row("so, so", "bad"), row("fine", "good"),]
        );
    }

    #[test]
    fn nothing_is_no_row() {
        assert_eq!([read(""), read("\n \n"), read("text\tlabel\n")], [vec![], vec![], vec![]]);
    }

    #[test]
    fn sentences_with_commas_stay_whole() {
        let text = "When it rained, we ran.\nAfter all, it was late.\nNo comma here.";
        assert_eq!(read(text), text.lines().map(|line| row(line, "")).collect::<Vec<_>>());
        let text = "When it rained, we ran\nAfter all, it was late";
        assert_eq!(read(text), text.lines().map(|line| row(line, "")).collect::<Vec<_>>());
    }
}
