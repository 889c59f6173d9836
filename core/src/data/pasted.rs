//! Rows out of text that a person pasted, in whatever way it was laid out.

use std::collections::HashMap;

use super::Example;

/// Reads pasted text line by line: `text TAB label`, `text,label` (as a spreadsheet or a CSV file
/// gives them, quotes included) or texts alone. A first line that names its columns is passed over.
///
/// A comma parts text and label only where the line ends in a short last cell, and all lines or half of them end in
/// cells that come again, or there is a header; a sentence with a comma is a sentence.
pub fn pasted(text: &str) -> Vec<Example> {
    let mut lines = lines(text);
    let has_header = lines.first().is_some_and(Line::is_header);
    if has_header {
        lines.remove(0);
    }
    let counts_all = has_header || lines.len() == 1;
    let is_label = labels_after_commas(&lines, counts_all);
    lines.iter().filter_map(|line| line.example(&is_label)).collect()
}

/// Characters of the longest label that a comma may set apart.
const LONGEST_LABEL: usize = 40;

struct Line<'a> {
    raw: &'a str,
    cells: Vec<String>,
    by_tab: bool,
}

impl Line<'_> {
    fn is_header(&self) -> bool {
        match &self.cells[..] {
            [text, label] => {
                text.eq_ignore_ascii_case("text") && label.trim().eq_ignore_ascii_case("label")
            }
            _ => false,
        }
    }

    /// What stands behind the last comma, where it may be a label.
    fn after_comma(&self) -> Option<&str> {
        let (last, before) = self.cells.split_last()?;
        let last = last.trim();
        let may_be = !self.by_tab
            && !before.is_empty()
            && !last.is_empty()
            && last.chars().count() <= LONGEST_LABEL
            && !last.ends_with(['.', '!', '?']);
        may_be.then_some(last)
    }

    fn example(&self, is_label: &impl Fn(&str) -> bool) -> Option<Example> {
        let (text, label) = match (&self.cells[..], self.after_comma()) {
            ([text, label, ..], _) if self.by_tab => (text.clone(), Some(&**label)),
            ([text], _) => (text.clone(), None),
            // An unquoted comma within a text is part of it.
            ([before @ .., _], Some(label)) if is_label(label) => (before.join(","), Some(label)),
            _ => (self.raw.to_owned(), None),
        };
        let label = label.map(str::trim).filter(|label| !label.is_empty()).map(str::to_owned);
        let text = text.trim().to_owned();
        (!text.is_empty()).then_some(Example { text, label })
    }
}

/// Whether what stands behind a line's last comma is its label: labels come again, the ends of sentences do not.
fn labels_after_commas<'a>(lines: &'a [Line], counts_all: bool) -> impl Fn(&str) -> bool + use<'a> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    lines
        .iter()
        .filter_map(Line::after_comma)
        .for_each(|label| *counts.entry(label).or_default() += 1);
    let found: usize = counts.values().sum();
    let again: usize = counts.values().filter(|count| **count > 1).sum();
    let by_comma = lines.iter().filter(|line| !line.by_tab).count();
    let least = match () {
        () if counts_all || (found == by_comma && again > 0) => 1,
        () if 2 * again >= by_comma => 2,
        () => usize::MAX,
    };
    move |label| counts.get(label).is_some_and(|count| *count >= least)
}

/// Those that are not blank.
fn lines(text: &str) -> Vec<Line<'_>> {
    let (mut lines, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (tabs, after_tabs) = cells(rest, '\t');
        let by_tab = tabs.len() > 1;
        let (cells, after) = if by_tab { (tabs, after_tabs) } else { cells(rest, ',') };
        let raw = &rest[..rest.len() - after.len()];
        if !raw.trim().is_empty() {
            lines.push(Line { raw, cells, by_tab });
        }
        rest = after.strip_prefix("\r\n").or(after.strip_prefix(['\n', '\r'])).unwrap_or(after);
    }
    lines
}

/// The cells of the first line, and what follows them, the line's end included.
fn cells(text: &str, delimiter: char) -> (Vec<String>, &str) {
    let (mut cells, mut rest) = (Vec::new(), text);
    loop {
        let quoted = rest.strip_prefix('"').and_then(|inner| quoted(inner, delimiter));
        let (cell, after) = quoted.unwrap_or_else(|| {
            let end = rest.find([delimiter, '\n', '\r']).unwrap_or(rest.len());
            (rest[..end].to_owned(), &rest[end..])
        });
        cells.push(cell);
        match after.strip_prefix(delimiter) {
            Some(next) => rest = next,
            None => return (cells, after),
        }
    }
}

/// A cell whose first quote is passed, as spreadsheets write one with delimiters, quotes or line ends in it. None
/// where the next quote does not end a cell: then it is a sentence that begins with a quotation.
fn quoted(inner: &str, delimiter: char) -> Option<(String, &str)> {
    let (mut cell, mut rest) = (String::new(), inner);
    loop {
        let (part, after) = rest.split_once('"')?;
        cell.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                cell.push('"');
                rest = more;
            }
            None => {
                let ends = after.is_empty() || after.starts_with([delimiter, '\n', '\r']);
                return ends.then_some((cell, after));
            }
        }
    }
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

    #[test]
    fn one_odd_line_takes_no_labels_of_others() {
        let odd = ["   ", "\"What a goal!\" she said, sport", "\"stray, sport", "no label here"];
        for odd in odd {
            let rows =
                read(&format!("A match, sport\n{odd}\nBread and butter, food\nA game, sport\n"));
            assert_eq!(rows[0], row("A match", "sport"), "{odd}");
            assert_eq!(rows[rows.len() - 1], row("A game", "sport"), "{odd}");
        }
        let rows = read("A match, sport\n\"What a goal!\" she said, sport\nA\tgame\nA race, sport");
        assert_eq!(rows[1], row("\"What a goal!\" she said", "sport"));
        assert_eq!(rows[2..], [row("A", "game"), row("A race", "sport")]);
    }

    #[test]
    fn a_quoted_cell_may_have_lines() {
        let expected = [row("two\nlines, \"quoted\"", "joy"), row("one", "joy")];
        assert_eq!(read("\"two\nlines, \"\"quoted\"\"\",joy\none,joy"), expected);
        assert_eq!(read("\"two\nlines, \"\"quoted\"\"\"\tjoy\none\tjoy"), expected);
    }
}
