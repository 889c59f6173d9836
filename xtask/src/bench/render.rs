//! `docs/benchmarks.md` from the results.

use std::fmt::Write;

use super::report::{Case, OURS, Report, RowResult, Side};
use super::targets::{TITLES, Verdict, ratio, verdicts};

const HEAD: &str = "\
# Benchmarks

Written by `cargo xtask bench`, which builds and installs what it needs and runs each comparison side by side, the sides in turns, in one run
on one machine. A ratio is our median divided by the peer's: below 1 we need less. Times of one machine say nothing of another's; repeat
them with the command above each table. The parts alone (tokenizing, batching, forward, step) are measured by `cargo bench` in `bench/`.
";

/// What no measurement says by itself.
const PROFILE: &str = include_str!("profile.md");

/// The ratios of one row, for the terminal.
pub fn ratios(row: &RowResult) -> String {
    let mut text = String::new();
    if let Some(reason) = &row.measured.not_measured {
        let _ = writeln!(text, "row {}: not measured: {reason}", row.row);
    }
    for case in &row.measured.cases {
        let _ = writeln!(text, "row {}, {}: {}", row.row, case.name, each_ratio(case).join(", "));
    }
    for note in row.measured.notes.iter().chain(&others(row)) {
        let _ = writeln!(text, "row {}: {note}", row.row);
    }
    text
}

/// What other processes took meanwhile, where that is known.
fn others(row: &RowResult) -> Option<String> {
    let share = row.measured.others? * 100.0;
    let note = format!("Other processes took {share:.1}% of the machine meanwhile");
    Some(match row.measured.is_disturbed() {
        true => format!("**{note}: too much; measure again on an idle machine.**"),
        false => format!("{note}."),
    })
}

/// The whole document.
pub fn document(report: &Report) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n## Summary\n\n| row | work | compared with | ratio | must reach | go for |\n| --- | --- | --- | --- | --- | --- |\n");
    for (row, title) in TITLES {
        text.push_str(&summary(row, title, report.rows.get(&row)));
    }
    for row in report.rows.values() {
        text.push_str(&section(row));
    }
    text.push_str(PROFILE);
    text
}

fn summary(row: u8, title: &str, result: Option<&RowResult>) -> String {
    let mut lines = String::new();
    let reason = match result {
        None => "not measured: not run yet",
        Some(result) => match &result.measured.not_measured {
            Some(reason) => &format!("not measured: {reason}"),
            None => "see below",
        },
    };
    for case in result.iter().flat_map(|result| &result.measured.cases) {
        for Verdict { peer, ratio, target } in verdicts(row, case) {
            let disturbed = result.is_some_and(|result| result.measured.is_disturbed());
            let bound = |limit| bound(ratio, limit, disturbed);
            let (must, goal) = (bound(target.must), bound(target.goal));
            let name = &case.name;
            let _ = writeln!(
                lines,
                "| {row} | {title}: {name} | {peer} | {} | {must} | {goal} |",
                digits(ratio)
            );
        }
    }
    if lines.is_empty() {
        let _ = writeln!(lines, "| {row} | {title} | | {reason} | | |");
    }
    lines
}

fn bound(ratio: f64, bound: Option<f64>, disturbed: bool) -> String {
    bound.map_or_else(String::new, |bound| {
        let verdict = match (disturbed, ratio <= bound) {
            (true, _) => "unknown (disturbed)",
            (false, true) => "met",
            (false, false) => "**not met**",
        };
        format!("≤ {bound}: {verdict}")
    })
}

fn section(row: &RowResult) -> String {
    let title = TITLES.iter().find(|(known, _)| *known == row.row).map_or("", |(_, title)| title);
    let mut text = format!("\n## Row {}: {title}\n", row.row);
    if let Some(reason) = &row.measured.not_measured {
        let _ = writeln!(text, "\nNot measured: {reason}.");
        return text;
    }
    let versions: Vec<String> =
        row.about.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let _ = writeln!(
        text,
        "\n`cargo xtask bench {}`, {}, commit {}, on {}; {}.",
        row.row,
        row.about.date,
        row.about.commit,
        row.about.machine,
        versions.join(", ")
    );
    for case in &row.measured.cases {
        text.push_str(&table(case));
    }
    text.push('\n');
    for note in row.measured.notes.iter().chain(&others(row)) {
        let _ = writeln!(text, "- {note}");
    }
    text
}

fn table(case: &Case) -> String {
    let unit = &case.unit;
    let mut text = format!(
        "\n{}\n\n| side | median, {unit} | quartiles | least–most | samples | ours / its | |\n| --- | --- | --- | --- | --- | --- | --- |\n",
        case.name
    );
    for side in &case.sides {
        let Side { name, n, median, min, quartiles: [low, high], max, note } = side;
        if !side.is_measured() {
            let _ = writeln!(text, "| {name} | unable: {note} | | | | | |");
            continue;
        }
        let compared = match case.side(OURS) {
            Some(ours) if name != OURS && ours.is_measured() => digits(ratio(ours, side)),
            _ => String::new(),
        };
        let [median, min, low, high, max] =
            [median, min, low, high, max].map(|value| digits(*value));
        let _ = writeln!(
            text,
            "| {name} | {median} | {low}–{high} | {min}–{max} | {n} | {compared} | {note} |"
        );
    }
    text
}

/// Ratios to each peer, or, where we are alone, to the first side.
fn each_ratio(case: &Case) -> Vec<String> {
    let sides = case.sides.iter().filter(|side| side.is_measured());
    match case.side(OURS).filter(|side| side.is_measured()) {
        Some(ours) => sides
            .filter(|side| side.name != OURS)
            .map(|side| format!("{} of {}", digits(ratio(ours, side)), side.name))
            .collect(),
        None => sides
            .map(|side| format!("{} for {}", digits(ratio(side, &case.sides[0])), side.name))
            .collect(),
    }
}

/// Three significant digits.
fn digits(value: f64) -> String {
    let places = (2 - value.abs().max(1e-9).log10().floor() as i32).clamp(0, 6);
    format!("{value:.0$}", places as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_count() {
        assert_eq!(digits(1234.5), "1234");
        assert_eq!(digits(12.345), "12.3");
        assert_eq!(digits(0.012345), "0.0123");
        assert_eq!(digits(0.0), "0.000000");
    }
}
