//! The explanations as one page that stands by itself: no script, nothing from elsewhere.

use std::fmt::Write;

use super::{Explanation, Scored};
use crate::page::page;
use crate::terminal::escape;

const STYLE: &str = include_str!("explain.css");

/// The page.
pub fn render(explanations: &[Explanation]) -> String {
    const TITLE: &str = "Which words made it say that";
    let mut body = format!(
        "<h1>{TITLE}</h1>\n\
         <p class=\"key\"><mark class=\"for\">speaks for the class</mark> <mark class=\"against\">speaks against it</mark></p>\n"
    );
    explanations.iter().for_each(|explanation| body.push_str(&section(explanation)));
    let _ = writeln!(
        body,
        "<footer>Integrated gradients (Sundararajan, Taly and Yan 2017) of the logit. Made by \
         <code>emberlab explain</code> {}.</footer>",
        env!("CARGO_PKG_VERSION")
    );
    page(TITLE, STYLE, &body)
}

fn section(explanation: &Explanation) -> String {
    let mut text =
        format!("<section>\n<h2>{}</h2>\n<p class=\"text\">", escape(&explanation.verdict()));
    let largest = explanation.largest();
    for word in &explanation.words {
        let _ = write!(text, "{} ", tinted(word, largest));
    }
    text.push_str("</p>\n<table>\n<tr><th>word</th><th>adds to the logit</th><th></th></tr>\n");
    let mut words: Vec<&Scored> = explanation.words.iter().collect();
    words.sort_by(|a, b| b.score.abs().total_cmp(&a.score.abs()));
    for word in words.into_iter().take(12) {
        let side = if word.score < 0.0 { "against" } else { "for" };
        let _ = writeln!(
            text,
            "<tr><td>{}</td><td>{:+.3}</td><td><i class=\"{side}\" style=\"width:{:.0}%\"></i></td></tr>",
            escape(&word.text),
            word.score,
            word.score.abs() / largest * 100.0
        );
    }
    let _ = writeln!(
        text,
        "</table>\n<p class=\"quiet\">{}</p>\n</section>",
        escape(&explanation.sum())
    );
    text
}

/// A word with a ground that is the stronger the more it adds.
fn tinted(Scored { text, score }: &Scored, largest: f64) -> String {
    let side = if *score < 0.0 { "against" } else { "for" };
    let strength = (score.abs() / largest * 100.0).round();
    format!(
        "<mark class=\"{side}\" style=\"--strength:{strength}%\" title=\"{score:+.3}\">{}</mark>",
        escape(text)
    )
}
