//! What has come of a training: accuracy before and after, the confusion matrix, and the mistakes,
//! whose labels can be corrected.

use super::{
    super::{
        dom::{append, append_as, by_id, set, show},
        most::most,
        text::{counted, fill, percent, text},
    },
    rows::{Labelled, Rows},
    run::Outcome,
};
use web_sys::{Element, HtmlButtonElement, HtmlElement, HtmlInputElement, HtmlSelectElement};

/// Mistakes that the list shows.
const SHOWN: usize = 50;

pub struct OutcomeView {
    pub mistakes: Element,
    pub save: HtmlButtonElement,
    pub save_name: HtmlInputElement,
    pub train_on: HtmlButtonElement,
    none: HtmlElement,
    found: HtmlElement,
    before: Element,
    after: Element,
    macro_f1: Element,
    confusion: Element,
    mistakes_said: Element,
}

impl OutcomeView {
    pub fn new() -> Self {
        Self {
            mistakes: by_id("mistakes"),
            save: by_id("save"),
            save_name: by_id("save-name"),
            train_on: by_id("train-on"),
            none: by_id("outcome-none"),
            found: by_id("outcome-found"),
            before: by_id("accuracy-before"),
            after: by_id("accuracy-after"),
            macro_f1: by_id("macro-f1"),
            confusion: by_id("confusion"),
            mistakes_said: by_id("mistakes-said"),
        }
    }

    pub fn clear(&self) {
        show(&self.none, true);
        show(&self.found, false);
    }

    /// `held_out` are the rows that were measured, by number.
    pub fn render(&self, outcome: &Outcome, rows: &Rows, held_out: &Labelled) {
        show(&self.none, false);
        show(&self.found, true);
        self.before.set_text_content(Some(&percent(outcome.before.accuracy, 0)));
        self.after.set_text_content(Some(&percent(outcome.after.accuracy, 0)));
        self.macro_f1.set_text_content(Some(&percent(outcome.after.macro_f1, 0)));
        self.render_confusion(&outcome.labels, &outcome.after.confusion_matrix);
        self.render_mistakes(outcome, rows, held_out)
    }

    fn render_confusion(&self, labels: &[String], matrix: &[Vec<usize>]) {
        self.confusion.set_text_content(None);
        let head = append(&append(&self.confusion, "thead", "", ""), "tr", "", "");
        set(&append(&head, "th", "corner", &text("confusion.corner")), &[("scope", "col")]);
        for label in labels {
            set(&append(&head, "th", "number", label), &[("scope", "col")]);
        }
        let body = append(&self.confusion, "tbody", "", "");
        for (gold, (label, counts)) in labels.iter().zip(matrix).enumerate() {
            let row = append(&body, "tr", "", "");
            set(&append(&row, "th", "", label), &[("scope", "row")]);
            let rows = counts.iter().sum::<usize>().max(1);
            for (predicted, &count) in counts.iter().enumerate() {
                let class = if gold == predicted { "right" } else { "wrong" };
                let cell = append(&row, "td", class, &count.to_string());
                // Five shades: how much of the row's label went there.
                let shade = (count * 4).div_ceil(rows).min(4).to_string();
                set(&cell, &[("data-shade", &shade)]);
            }
        }
    }

    fn render_mistakes(&self, outcome: &Outcome, rows: &Rows, held_out: &Labelled) {
        self.mistakes.set_text_content(None);
        let after = &outcome.after;
        let measured = held_out.rows.iter().zip(&held_out.texts).zip(&held_out.labels);
        let found = measured.zip(after.predicted.iter().zip(&after.scores));
        let (mut mistakes, mut gone) = (Vec::new(), false);
        for (((&index, text), given), (&id, &score)) in found {
            let Some(label) = outcome.labels.get(id) else { continue };
            match rows.list.get(index).filter(|row| row.text == *text) {
                Some(row) if row.label != *label => mistakes.push((index, row, label, score)),
                Some(_) => {}
                // Removed or written anew meanwhile.
                None => gone |= given != label,
            }
        }
        self.mistakes_said.set_text_content(Some(&match mistakes.len() {
            0 if gone => text("mistakes.gone"),
            0 => text("mistakes.none"),
            count => counted("mistakes.said", count),
        }));
        // The surest mistakes first: there the label is wrong most often.
        let shown = most(mistakes, SHOWN, |mistake| mistake.3);
        for (place, (index, row, label, score)) in (1..).zip(shown) {
            let item = append(&self.mistakes, "li", "", "");
            set(&item, &[("data-place", &place.to_string()), ("tabindex", "-1")]);
            append(&item, "p", "text", &row.text);
            let line = append(&item, "p", "verdict", "");
            let score = percent(score.into(), 0);
            append(
                &line,
                "span",
                "",
                &fill("mistakes.model", &[("label", label), ("score", &score)]),
            );
            let name = fill("mistakes.label_of", &[("n", &(index + 1).to_string())]);
            let choice: HtmlSelectElement = append_as(&line, "select", "");
            set(&choice, &[("data-row", &index.to_string()), ("aria-label", &name)]);
            for known in &outcome.labels {
                set(&append(&choice, "option", "", known), &[("value", known)]);
            }
            choice.set_value(&row.label);
        }
    }
}
