//! What `predict` shows of a prediction: as JSON, as cells of a CSV file, as bars.

use emberlab_core::data::{LabelMap, Task};
use emberlab_core::model::{Classifier, FoundAnswer, Prediction};
use emberlab_core::text::Texts;
use serde_json::{Map, Value};

use super::rows::cell;
use super::tagged::{entities_of, tags_of};
use crate::terminal::rounded;

/// What parts the labels of a set in a CSV cell.
const SEPARATOR: &str = "|";
/// Characters of a bar for a probability of 1.
const BAR: f32 = 30.0;

/// Puts the predictions of one model for `texts` into words.
pub struct Answers<'a> {
    task: Task,
    labels: &'a LabelMap,
    texts: &'a Texts,
    /// Only so many classes, the most probable first.
    top_k: Option<usize>,
    /// The input column of the true answers.
    gold: Option<&'a str>,
}

impl<'a> Answers<'a> {
    /// For predictions of a task, with all classes.
    pub fn new(task: Task, labels: &'a LabelMap, texts: &'a Texts) -> Self {
        Self { task, labels, texts, top_k: None, gold: None }
    }

    /// For the predictions of this model, one for each text.
    pub fn of(classifier: &'a Classifier, texts: &'a Texts, top_k: Option<usize>) -> Self {
        let (task, labels) = (classifier.task(), classifier.label_map());
        Self { task, labels, texts, top_k, gold: None }
    }

    /// The same, with the true answers in a column of the input, which becomes `gold`.
    pub fn with_gold(self, column: Option<&'a String>) -> Self {
        Self { gold: column.map(String::as_str), ..self }
    }

    /// What an input column is called beside a prediction: one that a prediction adds gives way, but the true
    /// answer becomes `gold` where there is none yet.
    pub fn kept<'c>(&self, column: &'c str, has_gold: bool) -> Option<&'c str> {
        // The answers of questions are more than their texts, and have another name than what is predicted.
        let is_gold = column == self.columns()[0]
            || (self.task != Task::QuestionAnswering && self.gold == Some(column));
        match is_gold && !has_gold {
            true => Some("gold"),
            false => (!self.columns().contains(&column)).then_some(column),
        }
    }

    /// The columns that a prediction adds, but for the probabilities of a CSV file. The first is the
    /// answer itself.
    pub fn columns(&self) -> &'static [&'static str] {
        match self.task {
            Task::MultiLabelClassification => &["labels", "probabilities"],
            Task::Regression => &["score"],
            Task::TokenClassification if self.texts.words.is_empty() => &["entities"],
            Task::TokenClassification => &["tags"],
            Task::QuestionAnswering if self.top_k.is_some() => {
                &["answer", "score", "start", "n_best"]
            }
            Task::QuestionAnswering => &["answer", "score", "start"],
            Task::SingleLabelClassification => &["label", "score", "probabilities"],
        }
    }

    /// The cells of [`Answers::columns`] as JSON for the text with this index.
    pub fn json(&self, index: usize, prediction: &Prediction) -> Map<String, Value> {
        let cells = match self.task {
            Task::MultiLabelClassification => {
                let labels = self.set(prediction).into_iter().map(Value::from).collect();
                vec![labels, self.probabilities(prediction)]
            }
            Task::Regression => vec![number(prediction.score())],
            Task::TokenClassification => vec![self.tagged(index, prediction)],
            Task::QuestionAnswering => {
                let best = prediction.answers.first().cloned().unwrap_or_default();
                let n_best = self.top_k.map(|k| {
                    let best = prediction.answers.iter().take(k);
                    best.map(|found| Value::Object(stated(found).into_iter().collect())).collect()
                });
                stated(&best).into_iter().map(|(_, cell)| cell).chain(n_best).collect()
            }
            Task::SingleLabelClassification => {
                let best = prediction.label();
                let score = number(prediction.probabilities[best]);
                vec![self.labels.name(best).into(), score, self.probabilities(prediction)]
            }
        };
        let columns = self.columns().iter().map(|column| (*column).to_owned());
        columns.zip(cells).collect()
    }

    /// The header of [`Answers::csv`]: `p_<label>` for each class.
    pub fn csv_header(&self) -> Vec<String> {
        let columns = self.columns().iter().filter(|column| **column != "probabilities");
        let columns = columns.map(|column| (*column).to_owned());
        let classes = self.labels.names().iter().map(|name| format!("p_{name}"));
        match self.task {
            Task::Regression | Task::TokenClassification | Task::QuestionAnswering => {
                columns.collect()
            }
            _ => columns.chain(classes).collect(),
        }
    }

    /// A prediction's cells in a CSV file; the probabilities below the top K are empty.
    pub fn csv(&self, index: usize, prediction: &Prediction) -> Vec<String> {
        let mut cells = match self.task {
            Task::MultiLabelClassification => vec![self.set(prediction).join(SEPARATOR)],
            Task::Regression => return vec![number(prediction.score()).to_string()],
            Task::TokenClassification => return vec![self.tagged(index, prediction).to_string()],
            Task::QuestionAnswering => {
                let cells = self.json(index, prediction).into_iter();
                return cells.map(|(_, value)| cell(&value)).collect();
            }
            Task::SingleLabelClassification => {
                let best = prediction.label();
                let score = number(prediction.probabilities[best]);
                vec![self.labels.name(best).to_owned(), score.to_string()]
            }
        };
        let mut probabilities = vec![String::new(); prediction.probabilities.len()];
        for (id, p) in self.ranked(prediction) {
            probabilities[id] = number(p).to_string();
        }
        cells.extend(probabilities);
        cells
    }

    /// For a person at a terminal: a bar for each class, the score, or the entities.
    pub fn bars(&self, index: usize, prediction: &Prediction) -> String {
        match self.task {
            Task::Regression => return format!("  {:.4}\n", prediction.score()),
            Task::TokenClassification => return self.entities(index, prediction),
            Task::QuestionAnswering => return self.best_answers(prediction),
            _ => {}
        }
        let width = self.labels.names().iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let mut ranked = self.ranked(prediction);
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let bar = |(id, p): (usize, f32)| {
            let (name, bar) = (self.labels.name(id), "█".repeat((p * BAR).round() as usize));
            format!("  {name:width$} {:5.1} % {bar}\n", p * 100.0)
        };
        ranked.into_iter().map(bar).collect()
    }

    /// The best answer, or as many as were asked for.
    fn best_answers(&self, prediction: &Prediction) -> String {
        let line = |FoundAnswer { text, score, .. }: &FoundAnswer| {
            let text = if text.is_empty() { "(the context does not say)" } else { text };
            format!("  {:5.1} % {text}\n", score * 100.0)
        };
        prediction.answers.iter().take(self.top_k.unwrap_or(1)).map(line).collect()
    }

    fn entities(&self, index: usize, prediction: &Prediction) -> String {
        let found = entities_of(&self.texts.first[index], prediction, self.labels);
        let line = |entity: &crate::predict::tagged::Entity| {
            format!("  {} {:5.1} % {}\n", entity.group, entity.score * 100.0, entity.word)
        };
        match found.is_empty() {
            true => "  no entities\n".to_owned(),
            false => found.iter().map(line).collect(),
        }
    }

    /// The tag of each word where words are given, else the entities of the text.
    fn tagged(&self, index: usize, prediction: &Prediction) -> Value {
        match self.texts.words.get(index) {
            Some(words) => tags_of(words.len(), prediction, self.labels).into(),
            None => {
                let found = entities_of(&self.texts.first[index], prediction, self.labels);
                found.iter().map(crate::predict::tagged::Entity::json).collect()
            }
        }
    }

    /// The labels of a multi-label prediction.
    fn set(&self, prediction: &Prediction) -> Vec<&'a str> {
        prediction.labels().into_iter().map(|id| self.labels.name(id)).collect()
    }

    fn probabilities(&self, prediction: &Prediction) -> Value {
        let ranked = self.ranked(prediction).into_iter();
        let named = ranked.map(|(id, p)| (self.labels.name(id).to_owned(), number(p)));
        Value::Object(named.collect())
    }

    /// The classes with their probabilities: in id order, or the K most probable, best first.
    fn ranked(&self, prediction: &Prediction) -> Vec<(usize, f32)> {
        let mut classes: Vec<(usize, f32)> =
            prediction.probabilities.iter().copied().enumerate().collect();
        if let Some(k) = self.top_k {
            classes.sort_by(|a, b| b.1.total_cmp(&a.1));
            classes.truncate(k);
        }
        classes
    }
}

/// An answer as transformers' pipeline names its parts, but for the end.
fn stated(FoundAnswer { text, start, score, .. }: &FoundAnswer) -> [(String, Value); 3] {
    [
        ("answer".to_owned(), text.as_str().into()),
        ("score".to_owned(), number(*score)),
        ("start".to_owned(), (*start).into()),
    ]
}

fn number(figure: f32) -> Value {
    Value::from(rounded(figure))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Answers of a task for a text.
    pub fn answers<'a>(
        task: Task,
        labels: &'a LabelMap,
        texts: &'a Texts,
        top_k: Option<usize>,
    ) -> Answers<'a> {
        Answers { task, labels, texts, top_k, gold: None }
    }

    #[test]
    fn sets_and_scores() {
        let names = ["joy", "fear", "love"].map(str::to_owned);
        let labels = LabelMap::new("test", names.into()).unwrap();
        let texts = vec!["a".to_owned()].into();
        let sets = answers(Task::MultiLabelClassification, &labels, &texts, None);
        let probabilities = vec![0.7, 0.3, 0.9];
        let prediction =
            Prediction { logits: vec![1.0, -1.0, 2.0], probabilities, ..Prediction::default() };
        let json = serde_json::to_string(&sets.json(0, &prediction)).unwrap();
        assert_eq!(
            json,
            r#"{"labels":["joy","love"],"probabilities":{"joy":0.7,"fear":0.3,"love":0.9}}"#
        );
        assert_eq!(sets.csv_header(), ["labels", "p_joy", "p_fear", "p_love"]);
        assert_eq!(sets.csv(0, &prediction), ["joy|love", "0.7", "0.3", "0.9"]);

        let scores = answers(Task::Regression, &labels, &texts, None);
        let prediction = Prediction { logits: vec![2.5], ..Prediction::default() };
        let json = serde_json::to_string(&scores.json(0, &prediction)).unwrap();
        assert_eq!(
            (json.as_str(), scores.csv_header()),
            (r#"{"score":2.5}"#, vec!["score".into()])
        );
        assert_eq!(scores.csv(0, &prediction), ["2.5"]);
    }
}
