//! Text of pages: what stands at the top or foot of many of them is no part of it.

use std::collections::HashMap;

use super::report::{Reason, Report};
use super::{filter, text};

/// Lines at either end of a page that may be its header or footer.
const ENDS: usize = 2;
/// A line that stands on so many pages, and on this part of them, is one.
const PAGES: usize = 3;
const PART: f64 = 0.2;

/// The paragraphs of pages that form feeds part. Headers, footers and page numbers are counted.
pub fn blocks(content: &str, report: &mut Report) -> Vec<String> {
    let pages: Vec<Vec<&str>> = content.split('\u{c}').map(|page| page.lines().collect()).collect();
    let mut known: HashMap<String, usize> = HashMap::new();
    for page in &pages {
        let mut keys: Vec<String> = ends(page).map(|at| key(page[at])).collect();
        keys.sort();
        keys.dedup();
        keys.into_iter().for_each(|key| *known.entry(key).or_default() += 1);
    }
    let most = (PART * pages.len() as f64).max(PAGES as f64);
    let mut kept = String::new();
    for page in &pages {
        let at_ends: Vec<usize> = ends(page).collect();
        let mut lines = Vec::new();
        for (at, line) in page.iter().enumerate() {
            let is_end = at_ends.contains(&at);
            if is_end && filter::is_page_number(line) {
                report.drop(Reason::PageNumber, line.trim());
            } else if is_end && known[&key(line)] as f64 >= most {
                report.drop(Reason::HeaderOrFooter, line.trim());
            } else {
                lines.push(*line);
            }
        }
        let page = lines.join("\n");
        let page = page.trim_matches(|c: char| c == '\n' || c == '\r');
        // A paragraph may go on where a page begins.
        let goes_on = kept.trim_end().ends_with(|c: char| c.is_alphabetic() || "-,‐".contains(c))
            && page.trim_start().starts_with(char::is_lowercase);
        kept.push_str(if goes_on { "\n" } else { "\n\n" });
        kept.push_str(page);
    }
    text::paragraphs(&kept, false)
}

/// The places of the lines at either end of a page that are not blank.
fn ends(page: &[&str]) -> impl Iterator<Item = usize> {
    let filled: Vec<usize> = (0..page.len()).filter(|&at| !page[at].trim().is_empty()).collect();
    let last = filled.len().saturating_sub(ENDS);
    filled.into_iter().enumerate().filter(move |(n, _)| *n < ENDS || *n >= last).map(|(_, at)| at)
}

/// A line but for its numbers.
fn key(line: &str) -> String {
    let letters = line.chars().filter(|c| !c.is_numeric() && !c.is_whitespace());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_footers_go_and_paragraphs_run_over_pages() {
        let page = |number: usize, text: &str| {
            format!("Chapter 1 | The Heart      {number}\n\n{text}\n\n{number}\n\u{c}")
        };
        let content = [
            page(1, "The heart has four cham-"),
            page(2, "bers. It beats."),
            page(3, "Veins bring blood back."),
        ];
        let mut report = Report::default();
        let found = blocks(&content.concat(), &mut report);
        assert_eq!(found, ["The heart has four chambers. It beats.", "Veins bring blood back."]);
        assert_eq!(report.dropped(Reason::HeaderOrFooter), 3);
        assert_eq!(report.dropped(Reason::PageNumber), 3);
    }
}
