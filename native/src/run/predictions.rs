//! The predictions that a run folder keeps of each split it was measured on: `predictions-test.jsonl`, a
//! row a line in the order of the data, with the fields that `emberlab predict` gives.

use anyhow::Result;
use emberlab_core::data::{LabelMap, Targets};
use emberlab_core::metrics::RowScore;
use emberlab_core::model::Prediction;
use emberlab_core::text::Texts;
use serde_json::{Map, Value, json};

use crate::predict::answers::Answers;
use crate::terminal::rounded;

/// The name of a split's file.
pub fn file_name(split: &str) -> String {
    format!("predictions-{split}.jsonl")
}

/// Rows as lines.
pub fn to_jsonl(rows: impl Iterator<Item = Map<String, Value>>) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for cells in rows {
        serde_json::to_writer(&mut out, &cells)?;
        out.push(b'\n');
    }
    Ok(out)
}

/// The rows with what was predicted of them. `texts` are those of all rows, or none of a set that is not
/// held in memory.
pub fn rows<'a>(
    texts: &'a Texts,
    targets: &'a Targets,
    predictions: &'a [Prediction],
    labels: &'a LabelMap,
) -> impl Iterator<Item = Map<String, Value>> {
    let answers = Answers::new(targets.task(), labels, texts);
    predictions.iter().enumerate().map(move |(index, prediction)| {
        let mut cells = Map::from_iter([("row".to_owned(), index.into())]);
        cells.extend(words_of(texts, index));
        match targets {
            Targets::Tags(gold) => cells.extend(tags(&gold[index], prediction, labels)),
            _ => {
                cells.insert("gold".to_owned(), gold(targets, index, labels));
                cells.extend(answers.json(index, prediction));
            }
        }
        if let Targets::Scores(_) = targets {
            // To the last bit: scores that are rounded alike would share a rank.
            cells.insert("score".to_owned(), f64::from(prediction.score()).into());
        }
        if let Targets::Answers(gold) = targets {
            let gold: Vec<&str> = gold[index].iter().map(|answer| &*answer.text).collect();
            let RowScore { exact_match, f1, .. } = RowScore::new(&gold, prediction.answer());
            cells.insert("exact_match".to_owned(), exact_match.into());
            cells.insert("f1".to_owned(), f1.into());
            return cells;
        }
        let logits = prediction.logits.iter().map(|&logit| rounded(logit));
        cells.insert("logits".to_owned(), logits.collect());
        cells
    })
}

fn words_of(texts: &Texts, index: usize) -> Vec<(String, Value)> {
    let mut cells = Vec::new();
    match (texts.words.get(index), texts.first.get(index)) {
        (Some(words), _) => cells.push(("tokens".to_owned(), json!(words))),
        (None, Some(text)) => cells.push(("text".to_owned(), json!(text))),
        (None, None) => {}
    }
    cells.extend(texts.second(index).map(|second| ("text_pair".to_owned(), json!(second))));
    cells
}

fn gold(targets: &Targets, index: usize, labels: &LabelMap) -> Value {
    match targets {
        Targets::Labels(gold) => labels.name(gold[index]).into(),
        Targets::LabelSets(gold) | Targets::Tags(gold) => {
            gold[index].iter().map(|&id| labels.name(id)).collect()
        }
        Targets::Scores(gold) => f64::from(gold[index]).into(),
        Targets::Answers(gold) => gold[index].iter().map(|answer| &*answer.text).collect(),
        Targets::Spans(_) => Value::Null,
    }
}

/// Of the words that the model saw: their places, gold tags, tags and probabilities.
fn tags(gold: &[usize], prediction: &Prediction, labels: &LabelMap) -> [(String, Value); 4] {
    let words = || prediction.words.iter().map(|word| word.index);
    let tags = prediction.tags();
    let named =
        |ids: &mut dyn Iterator<Item = usize>| -> Value { ids.map(|id| labels.name(id)).collect() };
    [
        ("words".to_owned(), words().collect()),
        ("gold".to_owned(), named(&mut words().map(|index| gold[index]))),
        ("tags".to_owned(), named(&mut tags.iter().map(|(id, _)| *id))),
        ("scores".to_owned(), tags.iter().map(|(_, score)| rounded(*score)).collect()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_was_asked_and_what_was_answered() {
        let labels = LabelMap::new("t", vec!["joy".into(), "fear".into()]).unwrap();
        let texts = vec!["a".to_owned()].into();
        let prediction = Prediction {
            logits: vec![2.0, 0.0],
            probabilities: vec![0.75, 0.25],
            ..Prediction::default()
        };
        let (targets, predictions) = (Targets::Labels(vec![1]), [prediction]);
        let rows = to_jsonl(rows(&texts, &targets, &predictions, &labels)).unwrap();
        assert_eq!(
            String::from_utf8(rows).unwrap(),
            "{\"row\":0,\"text\":\"a\",\"gold\":\"fear\",\"label\":\"joy\",\"score\":0.75,\
             \"probabilities\":{\"joy\":0.75,\"fear\":0.25},\"logits\":[2.0,0.0]}\n"
        );
    }
}
