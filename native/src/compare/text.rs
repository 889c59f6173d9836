//! The comparison for a terminal.

use std::fmt::Write;

use emberlab_core::metrics::{Comparison, Difference, McNemar};

use super::Report;
use crate::terminal::figures::in_words;
use crate::terminal::{counted, grouped};

/// What is usually called more than chance.
const SIGNIFICANT: f64 = 0.05;

pub fn render(Report { a, b, comparison }: &Report) -> String {
    let Comparison { rows, mcnemar, level, resamples, figures, .. } = comparison;
    let mut text = format!("A  {a}\nB  {b}\n{}\n\n", counted(*rows, "row"));
    text.push_str(&table(figures, *level));
    if let Some(mcnemar) = mcnemar {
        text.push_str(&of_mcnemar(mcnemar));
    }
    // Writing to a String cannot fail.
    let _ =
        write!(text, "\np of the figures: paired bootstrap, {} resamples\n", grouped(*resamples));
    if let Some(verdict) = verdict(comparison) {
        let _ = write!(text, "\n{verdict}\n");
    }
    text
}

fn table(figures: &[Difference], level: f64) -> String {
    let names: Vec<String> = figures.iter().map(|figure| in_words(figure.figure)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let heading = format!("{:.0} % interval", level * 100.0);
    let mut text = format!("{:width$}       A       B    B - A  {heading:>20}       p\n", "");
    for (name, Difference { a, b, difference, interval: [from, to], p, .. }) in
        names.iter().zip(figures)
    {
        let interval = format!("[{from:+.4}, {to:+.4}]");
        let p = p_value(*p);
        let _ = writeln!(
            text,
            "{name:width$}  {a:6.4}  {b:6.4}  {difference:+7.4}  {interval:>20}  {p:>6}"
        );
    }
    text
}

fn of_mcnemar(found: &McNemar) -> String {
    let McNemar { both_right, only_a_right, only_b_right, both_wrong, .. } = found;
    format!(
        "\nrows right in both {}, only in A {}, only in B {}, in neither {}\n\
         McNemar: p {} (exact), p {} (χ² {:.2} with continuity correction)\n",
        grouped(*both_right),
        grouped(*only_a_right),
        grouped(*only_b_right),
        grouped(*both_wrong),
        p_value(found.exact_p),
        p_value(found.corrected_p),
        found.statistic
    )
}

/// What the test says of the first figure, in a sentence.
fn verdict(comparison: &Comparison) -> Option<String> {
    let first = comparison.figures.first()?;
    // What McNemar's test is about is the share of rows that are right.
    let mcnemar = comparison.mcnemar.as_ref().filter(|_| first.figure == "accuracy");
    let (test, p) = match mcnemar {
        Some(mcnemar) => ("McNemar", mcnemar.exact_p),
        None => ("paired bootstrap", first.p),
    };
    let (name, is_error) = (in_words(first.figure), matches!(first.figure, "mse" | "mae"));
    Some(match p < SIGNIFICANT {
        true => {
            let better = if (first.difference > 0.0) == is_error { "A" } else { "B" };
            format!(
                "{better} is better ({name} {:.4} and {:.4}; {test}, p {} < {SIGNIFICANT})",
                first.a,
                first.b,
                p_value(p)
            )
        }
        false => format!(
            "these rows do not tell A from B ({name} {:.4} and {:.4}; {test}, p {})",
            first.a,
            first.b,
            p_value(p)
        ),
    })
}

/// `0.0312`, or `3.1e-8`.
fn p_value(p: f64) -> String {
    if p < 1e-4 { format!("{p:.1e}") } else { format!("{p:.4}") }
}
