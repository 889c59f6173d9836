//! The page of a study.

use emberlab_core::grading::{Estimate, Found, GraderDifference};
use serde_json::Value;

use crate::run::markdown::fenced;

/// Markdown: what was measured on the corpus and on the answers, and what differs.
pub fn render(found: &Found, corpus: &[Vec<Value>], seeds: usize, command: &str) -> String {
    let command = fenced("sh", command);
    let mut text = format!("# Does adapting help?\n\n{command}\n{}", of_corpus(corpus));
    text.push_str(&format!(
        "\n## Held-out answers, mean of {seeds} seeds\n\n\
         | grader | Pearson | quadratic weighted kappa |\n| --- | --- | --- |\n"
    ));
    for of in &found.graders {
        let (pearson, kappa) = (estimate(&of.pearson), estimate(&of.quadratic_weighted_kappa));
        text.push_str(&format!("| {} | {pearson} | {kappa} |\n", of.grader));
    }
    text.push_str(
        "\nIn brackets: the middle 95 % of 1,000 resamples of the held-out questions.\n\n\
         ## Differences, on the same resamples\n\n\
         | | over | figure | difference | p | |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for difference in &found.differences {
        let GraderDifference { grader, over, figure, difference: of, p } = difference;
        let (of, said) = (estimate(of), verdict(difference));
        let figure = figure.replace('_', " ");
        text.push_str(&format!("| {grader} | {over} | {figure} | {of} | {p:.3} | {said} |\n"));
    }
    text
}

fn verdict(difference: &GraderDifference) -> &'static str {
    match difference.difference.mean {
        _ if !difference.is_shown() => "no effect shown",
        mean if mean > 0.0 => "better",
        _ => "worse",
    }
}

fn estimate(Estimate { mean, interval: [from, to] }: &Estimate) -> String {
    if mean.is_nan() {
        return "not defined".to_owned();
    }
    format!("{mean:.3} ({from:.3} to {to:.3})")
}

/// Bits per character before and after, of the model as it was and with new words.
fn of_corpus(corpus: &[Vec<Value>]) -> String {
    let mut text = "## Held-out text of the corpus, bits per character of masked words\n\n\
                    | model | before | after |\n| --- | --- | --- |\n"
        .to_owned();
    for (name, measured) in ["as it was", "with new words"].iter().zip(corpus) {
        let figure = |measured: Option<&Value>| {
            let bits = measured.and_then(|it| it["bits_per_character"].as_f64());
            bits.map_or_else(|| "–".to_owned(), |bits| format!("{bits:.4}"))
        };
        let (before, after) = (figure(measured.first()), figure(measured.last()));
        text.push_str(&format!("| {name} | {before} | {after} |\n"));
    }
    text
}
