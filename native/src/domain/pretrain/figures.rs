//! What a person reads of a pretraining.

use serde_json::Value;

use super::held_out::HeldOutLoss;
use super::record::Measured;

/// Bits per character of each corpus, a line for each time they were measured.
pub fn table(measured: &[Measured]) -> String {
    let mut corpora: Vec<&str> = Vec::new();
    let mut steps: Vec<(usize, &str)> = Vec::new();
    for known in measured {
        if !corpora.contains(&known.loss.corpus.as_str()) {
            corpora.push(&known.loss.corpus);
        }
        if steps.last().is_none_or(|(step, _)| *step != known.step) {
            steps.push((known.step, &known.when));
        }
    }
    let width = |corpus: &str| corpus.chars().count().max(8);
    let heads = corpora.iter().map(|corpus| format!("  {corpus:>0$}", width(corpus)));
    let mut text = format!("{:10}{}\n", "held out", heads.collect::<String>());
    for (step, when) in steps {
        let cell = |corpus: &&str| {
            let found = measured.iter().find(|it| it.step == step && it.loss.corpus == **corpus);
            let figure =
                found.map_or_else(String::new, |it| format!("{:.4}", it.loss.bits_per_character));
            format!("  {figure:>0$}", width(corpus))
        };
        text.push_str(&format!("{when:10}{}\n", corpora.iter().map(cell).collect::<String>()));
    }
    text
}

/// A measurement as `run.json` holds it.
pub fn stored(value: &Value) -> Option<Measured> {
    let count = |key: &str| value[key].as_u64().map(|number| number as usize);
    Some(Measured {
        when: value["when"].as_str()?.to_owned(),
        step: count("step")?,
        loss: HeldOutLoss {
            corpus: value["corpus"].as_str()?.to_owned(),
            bits_per_character: value["bits_per_character"].as_f64()?,
            loss: value["loss"].as_f64()?,
            words: count("words")?,
            pieces: count("pieces")?,
            characters: count("characters")?,
        },
    })
}
