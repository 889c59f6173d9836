//! What `predict` shows of tagged words.

use std::cmp::Reverse;

use emberlab_core::data::LabelMap;
use emberlab_core::metrics::entities;
use emberlab_core::model::Prediction;
use serde_json::{Value, json};

use crate::terminal::rounded;

/// An entity of a text, with the fields that a pipeline of transformers gives
/// (`aggregation_strategy="first"`).
pub struct Entity<'a> {
    /// Its type; `_` where tags are bare `B` and `I`.
    pub group: &'a str,
    /// The mean of its words' probabilities.
    pub score: f32,
    /// As it stands in the text.
    pub word: &'a str,
    /// Where it begins and ends, in characters.
    start: usize,
    end: usize,
}

/// The entities of a text in order.
pub fn entities_of<'a>(
    text: &'a str,
    prediction: &Prediction,
    tags: &'a LabelMap,
) -> Vec<Entity<'a>> {
    let tagged = prediction.tags();
    let names: Vec<&str> = tagged.iter().map(|&(id, _)| tags.name(id)).collect();
    let mut found: Vec<_> = entities(&names).into_iter().collect();
    found.sort_by_key(|&(_, first, last)| (first, Reverse(last)));
    let characters = |bytes: usize| text.get(..bytes).unwrap_or(text).chars().count();
    let entity = |(group, first, last): (&'a str, usize, usize)| {
        let (start, end) = (prediction.words[first].start, prediction.words[last].end);
        let scores = tagged[first..=last].iter().map(|(_, score)| score);
        Entity {
            group,
            score: scores.sum::<f32>() / (last - first + 1) as f32,
            word: text.get(start..end).unwrap_or_default(),
            start: characters(start),
            end: characters(end),
        }
    };
    found.into_iter().map(entity).collect()
}

impl Entity<'_> {
    pub fn json(&self) -> Value {
        let Self { group, score, word, start, end } = self;
        let score = rounded(*score);
        json!({ "entity_group": group, "score": score, "word": word, "start": start, "end": end })
    }
}

/// The tag of each of `words` words; none for those that the model did not see.
pub fn tags_of<'a>(
    words: usize,
    prediction: &Prediction,
    tags: &'a LabelMap,
) -> Vec<Option<&'a str>> {
    let mut named = vec![None; words];
    for (word, (id, _)) in prediction.words.iter().zip(prediction.tags()) {
        named[word.index] = Some(tags.name(id));
    }
    named
}

#[cfg(test)]
mod tests {
    use emberlab_core::text::Word;

    use super::*;

    #[test]
    fn entities_know_their_place_and_unseen_words_have_no_tag() {
        let tags = ["B-PER", "I-PER", "O"].map(str::to_owned);
        let tags = LabelMap::new("test", tags.into()).unwrap();
        let word = |index, start, end| Word { index, token: index + 1, start, end };
        let probabilities = vec![0.1, 0.1, 0.8, 0.9, 0.1, 0.0, 0.3, 0.7, 0.0];
        let words = vec![word(0, 0, 6), word(1, 7, 10), word(2, 11, 19)];
        let prediction = Prediction { probabilities, words, ..Prediction::default() };
        let found = entities_of("D\u{e9}j\u{e0} Ada Lovelace", &prediction, &tags);
        let json = found[0].json();
        assert_eq!(found.len(), 1);
        assert_eq!((&json["entity_group"], &json["score"]), (&json!("PER"), &json!(0.8)));
        assert_eq!((&json["start"], &json["end"]), (&json!(5), &json!(17)));
        let named = tags_of(4, &prediction, &tags);
        assert_eq!(named, [Some("O"), Some("B-PER"), Some("I-PER"), None]);
    }
}
