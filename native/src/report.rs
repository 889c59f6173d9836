//! `report.html` of a run folder, made from the files that are there: what was trained on what, how it
//! went, and where it is wrong.

mod answers;
mod charts;
mod data_card;
mod mistakes;
mod reliability;
mod run;
mod settings;
mod training;

use std::path::Path;

use anyhow::Result;

use self::run::Run;
use crate::Outcome;
use crate::cli::ReportArgs;
use crate::files::staged;
use crate::page::{STYLE, page};
use crate::terminal::figures::in_words;
use crate::terminal::{escape, grouped, note};

pub const FILE: &str = "report.html";

/// Runs the command.
pub fn run(args: &ReportArgs) -> Result<Outcome> {
    write(&args.run)?;
    note(format_args!("wrote   {}", args.run.join(FILE).display()));
    Ok(Outcome::Completed)
}

/// Writes the report of the run in `folder`.
///
/// # Errors
/// It is no run folder, or cannot be written to.
pub fn write(folder: &Path) -> Result<()> {
    let run = Run::open(folder)?;
    staged::write(&folder.join(FILE), render(&run).as_bytes())
}

fn render(run: &Run) -> String {
    let title = escape(&run.title());
    let style = format!("{STYLE}{}", include_str!("report/report.css"));
    let body = [
        format!("<header>\n<h1>{title}</h1>\n<p>{}</p>\n</header>\n", escape(&run.subtitle())),
        headline(run),
        training::section(run),
        answers::section(run),
        reliability::section(run),
        mistakes::section(run),
        data_card::section(run),
        settings::section(run),
        footer(),
    ];
    page(&title, &style, &body.concat())
}

/// The figures that sum all up, with their intervals, by split.
fn headline(run: &Run) -> String {
    let Some(measured) = run.shown() else {
        let why = "Nothing was measured: there were no evaluation or test rows, or not yet.";
        return format!("<p class=\"fine\">{why}</p>\n");
    };
    let figure = |(name, value): (&str, f64)| {
        let interval = measured.interval(name).map_or_else(String::new, |[from, to]| {
            format!("<span class=\"interval\" title=\"95 % bootstrap interval over the rows\">{from:.4} – {to:.4}</span>")
        });
        format!(
            "<div><span>{} {}</span><b>{value:.4}</b>{interval}</div>\n",
            escape(&measured.split),
            escape(&in_words(name))
        )
    };
    // Of one label a row, micro F1 is the accuracy.
    let figures = measured.figures();
    let is_accuracy = figures.first().is_some_and(|(name, _)| *name == "accuracy");
    let shown = figures.into_iter().filter(|(name, _)| !(is_accuracy && *name == "micro_f1"));
    let mut cards: String = shown.take(4).map(figure).collect();
    if let Some(error) = measured.expected_calibration_error() {
        cards.push_str(&format!(
            "<div><span>expected calibration error</span><b>{error:.4}</b><span class=\"interval\">0 is calibrated</span></div>\n"
        ));
    }
    let seeds = match &run.seeds[..] {
        [] | [_] => format!(
            "One run with one seed ({}): the intervals are of the {} rows; how far another seed would differ was not measured.",
            run.seed(),
            grouped(measured.rows())
        ),
        seeds => format!(
            "Seed {} of {}; the intervals are of the {} rows.",
            run.seed(),
            seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
            grouped(measured.rows())
        ),
    };
    format!("<div class=\"cards\">\n{cards}</div>\n<p class=\"quiet\">{}</p>\n", escape(&seeds))
}

fn footer() -> String {
    format!(
        "<footer>Made from the files of the run folder by <code>emberlab report</code> {}.</footer>\n",
        env!("CARGO_PKG_VERSION")
    )
}
