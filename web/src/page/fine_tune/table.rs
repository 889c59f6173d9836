//! The rows to train on, as a table that can be typed into.

use super::{
    super::{
        dom::{append, append_as, by_id, set, show},
        text::{counted, fill, text},
    },
    rows::{Row, Rows},
};
use crate::messages::Finding;
use std::cell::Cell;
use web_sys::{Element, HtmlButtonElement, HtmlElement, HtmlInputElement};

/// Rows on one page of the table.
const PAGE: usize = 20;

pub struct Table {
    pub body: Element,
    pub before: HtmlButtonElement,
    pub after: HtmlButtonElement,
    said: Element,
    counts: Element,
    findings: Element,
    labels: Element,
    page_line: Element,
    region: HtmlElement,
    page: Cell<usize>,
}

impl Table {
    pub fn new() -> Self {
        Self {
            body: by_id("rows"),
            before: by_id("rows-before"),
            after: by_id("rows-after"),
            said: by_id("rows-said"),
            counts: by_id("label-counts"),
            findings: by_id("findings"),
            labels: by_id("labels"),
            page_line: by_id("rows-page"),
            region: by_id("rows-box"),
            page: Cell::new(0),
        }
    }

    pub fn say(&self, what: &str) {
        self.said.set_text_content(Some(what));
    }

    /// Turns to the page before or after.
    pub fn turn(&self, back: bool) {
        let page = self.page.get();
        self.page.set(if back { page.saturating_sub(1) } else { page + 1 });
    }

    /// Turns to the page with the last row.
    pub fn turn_to_end(&self, rows: &Rows) {
        self.page.set(rows.list.len().saturating_sub(1) / PAGE);
    }

    /// Draws the present page of the table.
    pub fn render(&self, rows: &Rows) {
        let pages = rows.list.len().div_ceil(PAGE).max(1);
        let page = self.page.get().min(pages - 1);
        self.page.set(page);
        self.body.set_text_content(None);
        for (index, row) in rows.list.iter().enumerate().skip(page * PAGE).take(PAGE) {
            let line = append(&self.body, "tr", "", "");
            set(&line, &[("data-row", &index.to_string())]);
            let number = (index + 1).to_string();
            let named = |key: &str| fill(key, &[("n", &number)]);
            let cell = append(&line, "td", "", "");
            input(
                &cell,
                &row.text,
                &[("data-part", "text"), ("aria-label", &named("rows.text_of"))],
            );
            let cell = append(&line, "td", "", "");
            let attributes = [
                ("data-part", "label"),
                ("list", "labels"),
                ("aria-label", &*named("rows.label_of")),
            ];
            input(&cell, &row.label, &attributes);
            append(&line, "td", "use", &if rows.unsplit { String::new() } else { used(row) });
            let cell = append(&line, "td", "", "");
            let button = append(&cell, "button", "bare", "×");
            let attributes = [
                ("type", "button"),
                ("data-part", "remove"),
                ("aria-label", &*named("rows.remove_n")),
            ];
            set(&button, &attributes);
        }
        show(&self.region, !rows.list.is_empty());
        self.before.set_disabled(page == 0);
        self.after.set_disabled(page + 1 >= pages);
        let values = [("page", &*(page + 1).to_string()), ("pages", &pages.to_string())];
        self.page_line.set_text_content(Some(&fill("rows.page", &values)));
        self.render_labels(rows)
    }

    /// Says of each row in sight what it is used for.
    pub fn show_use(&self, rows: &Rows) {
        let lines = self.body.children();
        for line in (0..lines.length()).filter_map(|index| lines.item(index)) {
            let row = line
                .get_attribute("data-row")
                .and_then(|row| rows.list.get(row.parse::<usize>().ok()?));
            if let (Some(row), Some(cell)) = (row, line.query_selector(".use").ok().flatten()) {
                cell.set_text_content(Some(&used(row)));
            }
        }
    }

    /// The labels with their counts, and as suggestions wherever a label is typed.
    pub fn render_labels(&self, rows: &Rows) {
        self.counts.set_text_content(None);
        self.labels.set_text_content(None);
        for (label, count) in rows.counts() {
            let chip = append(&self.counts, "li", "", "");
            append(&chip, "span", "", label);
            append(&chip, "b", "", &count.to_string());
            set(&append(&self.labels, "option", "", ""), &[("value", label)]);
        }
    }

    /// Says what there is to say about the rows.
    pub fn render_findings(&self, rows: &Rows, findings: &[Finding]) {
        self.findings.set_text_content(None);
        if rows.list.is_empty() {
            return;
        }
        if rows.incomplete() > 0 {
            append(&self.findings, "li", "", &counted("rows.incomplete", rows.incomplete()));
        }
        for finding in findings {
            append(&self.findings, "li", "", &in_words(finding));
        }
    }
}

fn used(row: &Row) -> String {
    match row {
        row if !row.is_complete() => String::new(),
        row => text(if row.held_out { "rows.held_out" } else { "rows.train" }),
    }
}

fn input(cell: &Element, value: &str, attributes: &[(&str, &str)]) {
    let input: HtmlInputElement = append_as(cell, "input", "");
    set(&input, &[("type", "text"), ("autocomplete", "off")]);
    set(&input, attributes);
    input.set_value(value);
}

fn in_words(finding: &Finding) -> String {
    match finding {
        Finding::OneLabel => text("finding.one_label"),
        Finding::FewRows { label, rows } => {
            fill("finding.few_rows", &[("label", label), ("n", &rows.to_string())])
        }
        Finding::Unbalanced { largest, smallest } => {
            fill("finding.unbalanced", &[("largest", largest), ("smallest", smallest)])
        }
        Finding::Duplicates { rows } => counted("finding.duplicates", *rows),
        Finding::Contradictions { texts, example } => {
            let values = [("n", &*texts.to_string()), ("example", example)];
            fill("finding.contradictions", &values)
        }
    }
}
