//! The rows that the model was surest of, and wrong: what most often shows wrong labels and missing
//! examples.

use serde_json::Value;

use super::run::{Measured, Run};
use crate::terminal::escape;

const SHOWN: usize = 12;

/// A row, how wrong it is, and what is said of it.
struct Mistake<'a> {
    row: &'a Value,
    weight: f64,
    said: String,
    /// The places of words that are wrong.
    words: Vec<usize>,
}

pub fn section(run: &Run) -> String {
    let Some(measured) = run.shown() else { return String::new() };
    if measured.predictions.is_empty() {
        return String::new();
    }
    let is_score = measured.metrics.contains_key("pearson");
    let title = if is_score { "Largest errors" } else { "Most confident mistakes" };
    let mut mistakes = found(measured);
    mistakes.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let list = match mistakes.is_empty() {
        true => "<p class=\"quiet\">None.</p>\n".to_owned(),
        false => {
            let items = mistakes.iter().take(SHOWN).map(Mistake::render);
            format!("<ol class=\"mistakes\">\n{}</ol>\n", items.collect::<String>())
        }
    };
    format!(
        "<section>\n<h2>{title} <small>{}</small></h2>\n{list}</section>\n",
        escape(&measured.split)
    )
}

fn found(measured: &Measured) -> Vec<Mistake<'_>> {
    let mistake = |row| match () {
        () if measured.metrics.contains_key("confusion_matrix") => of_class(row),
        () if measured.metrics.contains_key("per_class") => of_labels(row),
        () if measured.metrics.contains_key("per_type") => of_tags(row),
        () if measured.metrics.contains_key("pearson") => of_score(row),
        () if measured.metrics.contains_key("exact_match") => of_answer(row),
        () => None,
    };
    measured.predictions.iter().filter_map(mistake).collect()
}

fn of_class(row: &Value) -> Option<Mistake<'_>> {
    let (gold, label) = (row["gold"].as_str()?, row["label"].as_str()?);
    let weight = row["score"].as_f64()?;
    let said = verdict(label, weight, gold);
    (gold != label).then_some(Mistake { row, weight, said, words: Vec::new() })
}

/// The label that is most wrong.
fn of_labels(row: &Value) -> Option<Mistake<'_>> {
    let gold: Vec<&str> = names(&row["gold"]);
    let probabilities = row["probabilities"].as_object()?.iter();
    let off = probabilities.filter_map(|(label, p)| {
        let (p, is_so) = (p.as_f64()?, gold.contains(&label.as_str()));
        let weight = if is_so { 1.0 - p } else { p };
        (weight > 0.5).then_some((weight, label, is_so))
    });
    let (weight, label, is_so) = off.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let (label, sure) = (escape(label), weight * 100.0);
    let said = match is_so {
        true => format!("<b>{label}</b> was missed, {sure:.1} % sure"),
        false => format!("<b>{label}</b> was answered, {sure:.1} % sure"),
    };
    let gold = if gold.is_empty() { "none".to_owned() } else { escape(&gold.join(", ")) };
    Some(Mistake { row, weight, said: format!("{said}; the labels are {gold}"), words: Vec::new() })
}

/// The surest wrong tag.
fn of_tags(row: &Value) -> Option<Mistake<'_>> {
    let (gold, tags) = (names(&row["gold"]), names(&row["tags"]));
    let scores: Vec<f64> = row["scores"].as_array()?.iter().filter_map(Value::as_f64).collect();
    let wrong = |&index: &usize| gold.get(index) != tags.get(index);
    let wrong: Vec<usize> = (0..tags.len()).filter(wrong).collect();
    let score = |index: usize| scores.get(index).copied().unwrap_or_default();
    let worst = wrong.iter().copied().max_by(|a, b| score(*a).total_cmp(&score(*b)))?;
    let said = verdict(tags[worst], score(worst), gold.get(worst).copied().unwrap_or_default());
    let places: Vec<usize> = row["words"]
        .as_array()?
        .iter()
        .filter_map(|place| Some(place.as_u64()? as usize))
        .collect();
    let words = wrong.iter().filter_map(|&index| places.get(index).copied()).collect();
    Some(Mistake { row, weight: score(worst), said, words })
}

fn of_score(row: &Value) -> Option<Mistake<'_>> {
    let (gold, score) = (row["gold"].as_f64()?, row["score"].as_f64()?);
    let said = format!("<b>{score:.3}</b>, and it is {gold}");
    Some(Mistake { row, weight: (score - gold).abs(), said, words: Vec::new() })
}

/// An answer that is none of the gold ones; the less it has of them, the more it is wrong.
fn of_answer(row: &Value) -> Option<Mistake<'_>> {
    let (answer, gold) = (row["answer"].as_str()?, names(&row["gold"]));
    let (score, f1) = (row["score"].as_f64()?, row["f1"].as_f64()?);
    let none = "the context does not say";
    let answer = if answer.is_empty() { none } else { answer };
    let gold = if gold.is_empty() { none.to_owned() } else { gold.join(" / ") };
    let said = verdict(answer, score, &gold);
    let weight = score * (1.0 - f1);
    (row["exact_match"] == false).then_some(Mistake { row, weight, said, words: Vec::new() })
}

fn verdict(label: &str, score: f64, gold: &str) -> String {
    let (label, gold) = (escape(label), escape(gold));
    format!("<b>{label}</b>, {:.1} % sure, and it is <b>{gold}</b>", score * 100.0)
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

impl Mistake<'_> {
    fn render(&self) -> String {
        let text = match self.row["tokens"].as_array() {
            Some(words) => {
                let words = words.iter().enumerate().map(|(place, word)| {
                    let word = escape(word.as_str().unwrap_or_default());
                    match self.words.contains(&place) {
                        true => format!("<mark>{word}</mark>"),
                        false => word,
                    }
                });
                words.collect::<Vec<_>>().join(" ")
            }
            None => match self.row["text"].as_str() {
                Some(text) => escape(text),
                None => format!("row {}", self.row["row"]),
            },
        };
        let pair = self.row["text_pair"]
            .as_str()
            .map(|pair| format!("<p class=\"text\">{}</p>\n", escape(pair)));
        format!(
            "<li><p class=\"text\">{text}</p>\n{}<p class=\"quiet\">{}</p></li>\n",
            pair.unwrap_or_default(),
            self.said
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_of_the_data_is_markup() {
        let row = json!({"text": "<script>", "gold": "<i>", "label": "<b>", "score": 0.9});
        let html = of_class(&row).unwrap().render();
        assert!(
            html.contains("&lt;script&gt;")
                && html.contains("&lt;i&gt;")
                && html.contains("&lt;b&gt;")
        );
        assert!(!html.contains("<script>") && !html.contains("<i>"));
    }

    #[test]
    fn what_is_right_is_no_mistake() {
        let row = json!({"text": "a", "gold": "joy", "label": "joy", "score": 0.9});
        assert!(of_class(&row).is_none());
        let row = json!({"gold": ["a"], "probabilities": {"a": 0.8, "b": 0.3}});
        assert!(of_labels(&row).is_none());
        let row = json!({"gold": ["a"], "probabilities": {"a": 0.2, "b": 0.9}});
        assert_eq!(of_labels(&row).unwrap().weight, 0.9);
        let row = json!({"gold": ["O", "B"], "tags": ["O", "O"], "scores": [0.9, 0.6], "words": [0, 2],
            "tokens": ["x", "y", "z"]});
        let found = of_tags(&row).unwrap();
        assert_eq!(found.words, [2]);
        assert!(found.render().contains("x y <mark>z</mark>"));
    }
}
