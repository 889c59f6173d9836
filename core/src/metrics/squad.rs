//! Metrics of answers, defined as those of SQuAD: of `evaluate`'s `squad`, and, of questions whose context
//! does not say, of its `squad_v2`.

use std::collections::HashMap;

use serde::Serialize;

/// How answers compare with the gold ones. All are shares from 0 to 1, where `squad` has percent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AnswerMetrics {
    pub rows: usize,
    /// The mean F1 of the words of an answer, against the gold answer that is most like it.
    pub f1: f64,
    /// The share of answers that are one of the gold ones.
    pub exact_match: f64,
    /// Of the questions that have an answer, and of those that have none, where there are such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_answer: Option<AnswerPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_answer: Option<AnswerPart>,
}

/// The figures of some of the questions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AnswerPart {
    pub rows: usize,
    pub f1: f64,
    pub exact_match: f64,
}

/// What one question adds to the figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowScore {
    has_answer: bool,
    pub exact_match: bool,
    pub f1: f64,
}

impl RowScore {
    /// Of an answer, which is empty where it says that there is none, against the gold ones; any of them
    /// counts. No answer is right where there is no gold one.
    pub fn new<T: AsRef<str>>(gold: &[T], answer: &str) -> Self {
        let found = normalized(answer);
        let has_answer = !gold.is_empty();
        if !has_answer {
            let is_none = found.is_empty();
            return Self { has_answer, exact_match: is_none, f1: f64::from(u8::from(is_none)) };
        }
        let gold: Vec<String> = gold.iter().map(|text| normalized(text.as_ref())).collect();
        let f1 = gold.iter().map(|gold| f1(gold, &found)).fold(0.0, f64::max);
        Self { has_answer, exact_match: gold.contains(&found), f1 }
    }
}

impl AnswerMetrics {
    /// Adds up rows.
    pub fn of<'a>(rows: impl Iterator<Item = &'a RowScore> + Clone) -> Self {
        let part = |of: bool| AnswerPart::of(rows.clone().filter(|row| row.has_answer == of));
        let AnswerPart { rows: count, f1, exact_match } = AnswerPart::of(rows.clone());
        let (has_answer, no_answer) = (part(true), part(false));
        let is_mixed = no_answer.rows > 0;
        Self {
            rows: count,
            f1,
            exact_match,
            has_answer: is_mixed.then_some(has_answer).filter(|part| part.rows > 0),
            no_answer: is_mixed.then_some(no_answer),
        }
    }
}

impl AnswerPart {
    fn of<'a>(rows: impl Iterator<Item = &'a RowScore>) -> Self {
        let (mut count, mut sum, mut right) = (0, 0.0, 0);
        for row in rows {
            count += 1;
            sum += row.f1;
            right += usize::from(row.exact_match);
        }
        let mean = |sum: f64| if count == 0 { 0.0 } else { sum / count as f64 };
        Self { rows: count, f1: mean(sum), exact_match: mean(right as f64) }
    }
}

/// In small letters, without (ASCII) punctuation, articles and white space that parts no words.
fn normalized(text: &str) -> String {
    let plain: String = text.to_lowercase().chars().filter(|c| !c.is_ascii_punctuation()).collect();
    let mut without_articles = String::new();
    // Runs of letters and digits, and of whatever parts them.
    let is_word = char::is_alphanumeric;
    for run in plain.chars().collect::<Vec<char>>().chunk_by(|&a, &b| is_word(a) == is_word(b)) {
        let run: String = run.iter().collect();
        without_articles.push_str(if matches!(&*run, "a" | "an" | "the") { " " } else { &run });
    }
    without_articles.split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// F1 over the words of two normalized texts, each as often as it stands in both.
fn f1(gold: &str, found: &str) -> f64 {
    let [gold, found] = [gold, found].map(|text| text.split_whitespace().collect::<Vec<&str>>());
    let mut left: HashMap<&str, usize> = HashMap::new();
    gold.iter().for_each(|word| *left.entry(word).or_default() += 1);
    let mut common = 0;
    for word in &found {
        if let Some(count) = left.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            common += 1;
        }
    }
    if common == 0 {
        return 0.0;
    }
    let common = f64::from(common);
    let (precision, recall) = (common / found.len() as f64, common / gold.len() as f64);
    2.0 * precision * recall / (precision + recall)
}
