//! The report as one page that stands by itself: no script, nothing from elsewhere.

use std::fmt::Write;

use emberlab_core::text::{Cut, Lengths};

use super::text::{example, kind, labels_in_all, repeated, role, score_figures, score_range};
use super::{DataReport, SplitReport, labels::LabelReport};
use crate::files::hub;
use crate::page::{STYLE, page};
use crate::terminal::{counted, escape, grouped};

/// More labels than this are not drawn.
const DRAWN_LABELS: usize = 40;

/// The page.
pub fn render(report: &DataReport) -> String {
    let rows: usize = report.splits.iter().map(|split| split.rows).sum();
    let names: Vec<String> = report.splits.iter().map(|split| split.split.clone()).collect();
    let title = escape(&title(report));
    let mut body = format!(
        "<header>\n<h1>{title}</h1>\n<p>{} in {}: {}</p>\n</header>\n",
        counted(rows, "row"),
        counted(report.splits.len(), "split"),
        escape(&names.join(", "))
    );
    if report.splits.len() > 1 {
        body.push_str(&sizes(report, rows));
    }
    body.push_str(&warnings(&report.warnings));
    report.splits.iter().for_each(|split| body.push_str(&section(split)));
    body.push_str(&duplicates(report));
    let _ = writeln!(
        body,
        "<footer>Lengths are counted in tokens of {}, special tokens included. Made by \
         <code>emberlab data</code> {}.</footer>",
        escape(&report.tokenizer.display().to_string()),
        env!("CARGO_PKG_VERSION")
    );
    page(&format!("{title}: data"), STYLE, &body)
}

/// The folder or file, where there is one only.
fn title(report: &DataReport) -> String {
    let mut names: Vec<String> = Vec::new();
    for split in &report.splits {
        let file = split.path.file_name().unwrap_or(split.path.as_os_str());
        let file = || file.to_string_lossy().into_owned();
        let name = hub::id_of(&split.path).unwrap_or_else(file);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

/// One bar that all splits share.
fn sizes(report: &DataReport, rows: usize) -> String {
    let mut bar = "<div class=\"sizes\">\n".to_owned();
    for split in &report.splits {
        let share = split.rows as f64 * 100.0 / rows.max(1) as f64;
        let _ = writeln!(
            bar,
            "<div style=\"flex-grow:{}\"><i></i><b>{}</b> {} <span>{share:.0} %</span></div>",
            split.rows,
            escape(&split.split),
            grouped(split.rows),
        );
    }
    bar + "</div>\n"
}

fn warnings(warnings: &[String]) -> String {
    if warnings.is_empty() {
        return "<p class=\"fine\">Nothing to warn of.</p>\n".to_owned();
    }
    let items = warnings.iter().map(|warning| format!("<li>{}</li>\n", escape(warning)));
    let heading = counted(warnings.len(), "warning");
    format!(
        "<section class=\"warnings\">\n<h2>{heading}</h2>\n<ul>\n{}</ul>\n</section>\n",
        items.collect::<String>()
    )
}

fn section(split: &SplitReport) -> String {
    let mut html = format!(
        "<section>\n<h2>{} <small>{}</small></h2>\n<p class=\"quiet\">{}</p>\n<div class=\"pair\">\n",
        escape(&split.split),
        counted(split.rows, "row"),
        escape(&split.path.display().to_string())
    );
    html.push_str(&labels(split));
    if let Some(tokens) = &split.tokens {
        html.push_str(&histogram(tokens, split.rows));
    }
    html.push_str("</div>\n<div class=\"pair\">\n");
    html.push_str(&columns(split));
    if let Some(tokens) = &split.tokens {
        html.push_str(&cuts(tokens));
    }
    html + "</div>\n</section>\n"
}

fn labels(split: &SplitReport) -> String {
    let LabelReport { task, label_counts, scores, empty_sets, .. } = &split.labels;
    let Some(task) = task else {
        return "<div><h3>Labels</h3><p class=\"quiet\">none</p></div>\n".to_owned();
    };
    let mut html = format!("<div><h3>Labels</h3><p class=\"quiet\">{task}</p>\n");
    if let Some(scores) = scores {
        let bins = scores.histogram.iter().map(|bin| (score_range(bin), bin.rows)).collect();
        html.push_str(&bars(bins, split.rows));
        let _ = writeln!(html, "<p class=\"quiet\">{}</p>", score_figures(scores));
        return html + "</div>\n";
    }
    let counts = label_counts.iter().take(DRAWN_LABELS);
    let mut counts: Vec<_> = counts.map(|count| (count.label.clone(), count.rows)).collect();
    counts.extend(empty_sets.map(|rows| ("(none)".to_owned(), rows)));
    html.push_str(&bars(counts, labels_in_all(label_counts, *task, split.rows)));
    if label_counts.len() > DRAWN_LABELS {
        let more = grouped(label_counts.len() - DRAWN_LABELS);
        let _ = writeln!(html, "<p class=\"quiet\">and {more} more</p>");
    }
    html + "</div>\n"
}

/// A bar for each name, as long as its share of the largest.
fn bars(counts: Vec<(String, usize)>, rows: usize) -> String {
    let largest = counts.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let mut html = "<table class=\"bars\">\n".to_owned();
    for (name, count) in counts {
        let _ = writeln!(
            html,
            "<tr><th>{}</th><td class=\"bar\"><i style=\"width:{:.2}%\"></i></td><td>{}</td><td>{:.1} %</td></tr>",
            escape(&name),
            count as f64 * 100.0 / largest as f64,
            grouped(count),
            count as f64 * 100.0 / rows.max(1) as f64
        );
    }
    html + "</table>\n"
}

fn histogram(tokens: &Lengths, rows: usize) -> String {
    let largest = tokens.histogram.iter().map(|bin| bin.rows).max().unwrap_or(0).max(1);
    let mut html = format!(
        "<div><h3>Tokens per text</h3>\n<p class=\"figures\"><span><b>{:.0}</b> mean</span> <span><b>{}</b> median</span> \
         <span><b>{}</b> 95 % up to</span> <span><b>{}</b> longest</span></p>\n<div class=\"histogram\">\n",
        tokens.mean,
        grouped(tokens.median),
        grouped(tokens.percentile_95),
        grouped(tokens.longest)
    );
    let width = tokens.histogram.first().map_or(0, |bin| bin.to - bin.from);
    for bin in &tokens.histogram {
        let longer = if bin.to - bin.from > width { "+" } else { "" };
        let percent = bin.rows as f64 * 100.0 / rows.max(1) as f64;
        let _ = writeln!(
            html,
            "<div title=\"{}–{} tokens: {} ({percent:.1} %)\"><p><i style=\"height:{:.2}%\"></i></p><span>{}{longer}</span></div>",
            bin.from,
            bin.to,
            counted(bin.rows, "text"),
            bin.rows as f64 * 100.0 / largest as f64,
            bin.from
        );
    }
    html + "</div>\n</div>\n"
}

fn columns(split: &SplitReport) -> String {
    let mut html =
        "<div><h3>Columns</h3>\n<table class=\"rows\">\n<tr><th>name</th><th>type</th><th>used as</th>\
         <th>first value</th><th>missing</th></tr>\n"
            .to_owned();
    for column in &split.columns {
        let _ = writeln!(
            html,
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td class=\"quiet\">{}</td><td class=\"number\">{}</td></tr>",
            escape(&column.name),
            escape(&kind(column)),
            role(split, &column.name),
            escape(&example(column)),
            grouped(column.missing)
        );
    }
    html + "</table>\n</div>\n"
}

fn cuts(tokens: &Lengths) -> String {
    let mut html =
        "<div><h3>What a cut takes away</h3>\n<table class=\"rows\">\n<tr><th>--max-length</th><th>texts shortened</th>\
         <th>of all texts</th><th>of all tokens</th></tr>\n"
            .to_owned();
    for Cut { max_length, rows, share_of_rows, share_of_tokens } in &tokens.cuts {
        let _ = writeln!(
            html,
            "<tr><td class=\"number\">{max_length}</td><td class=\"number\">{}</td><td class=\"number\">{:.1} %</td>\
             <td class=\"number\">{:.1} %</td></tr>",
            grouped(*rows),
            share_of_rows * 100.0,
            share_of_tokens * 100.0
        );
    }
    html + "</table>\n</div>\n"
}

fn duplicates(report: &DataReport) -> String {
    let mut html =
        "<section>\n<h2>Texts that stand twice</h2>\n<table class=\"rows\">\n".to_owned();
    for repeats in &report.duplicates.within {
        let (split, repeated) = (escape(&repeats.split), repeated(repeats.rows));
        let _ = writeln!(html, "<tr><td>within {split}</td><td>{repeated}</td></tr>");
    }
    for overlap in &report.duplicates.across {
        let _ = writeln!(
            html,
            "<tr><td>{} and {}</td><td>{} in both</td></tr>",
            escape(&overlap.split),
            escape(&overlap.also_in),
            counted(overlap.rows, "text")
        );
    }
    html + "</table>\n</section>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_data_is_markup() {
        assert_eq!(escape("<b a='\"'>&"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
        let page = warnings(&["<script>".to_owned()]);
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
    }
}
