//! `emberlab explain`: which words made a classifier say what it says.

mod html;

use anyhow::{Context, Result};
use emberlab_core::explain::Explanation as Explained;
use emberlab_core::text::WordTokens;
use serde::Serialize;

use crate::Outcome;
use crate::cli::ExplainArgs;
use crate::files::staged::StagedFile;
use crate::inference::Inference;
use crate::predict::rows::halves;
use crate::terminal::{note, print, rounded};

/// Characters of the longest bar on each side of the line.
const BAR: usize = 24;

/// Runs the command.
pub fn run(args: &ExplainArgs) -> Result<Outcome> {
    let halves = halves(&args.text, &args.text_pair)?;
    let inference = Inference::open(args.model.as_deref(), &args.inference)?;
    let mut explanations = Vec::new();
    for (text, pair) in halves {
        explanations.push(explain(&inference, text, pair, args.label.as_deref())?);
    }
    if let Some(path) = &args.html {
        StagedFile::write(path, html::render(&explanations).as_bytes())?;
        note(format_args!("wrote   {}", path.display()));
    }
    for (index, explanation) in explanations.iter().enumerate() {
        if args.json {
            print(format_args!("{}\n", serde_json::to_string(explanation)?))?;
        } else if args.html.is_none() {
            print(format_args!("{}{}", if index > 0 { "\n" } else { "" }, render(explanation)))?;
        }
    }
    Ok(Outcome::Completed)
}

/// One text, explained.
#[derive(Serialize)]
struct Explanation {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_pair: Option<String>,
    /// The class whose logit the scores add up to.
    label: String,
    /// None for a score.
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    logit: f64,
    baseline_logit: f64,
    completeness_error: f64,
    words: Vec<Scored>,
    tokens: Vec<Scored>,
}

/// A word or a token, and what it adds to the logit.
#[derive(Serialize)]
struct Scored {
    text: String,
    score: f64,
}

fn explain(
    inference: &Inference,
    text: &str,
    pair: Option<&str>,
    label: Option<&str>,
) -> Result<Explanation> {
    let classifier = &inference.classifier;
    let labels = classifier.label_map();
    let id = |name: &str| {
        let known = || format!("--label {name}: the model knows {}", labels.names().join(", "));
        labels.id(name).with_context(known)
    };
    let label = label.map(id).transpose()?;
    let explaining = classifier.explain(text, pair, label, inference.max_length());
    let explained = pollster::block_on(explaining)?;
    let table = &explained.tokens;
    if !table.cut_tokens.is_empty() {
        note(format_args!("cut     {} at {} tokens", table.cut_tokens.join(" "), table.len()));
    }
    let label = labels.name(explained.attribution.label).to_owned();
    Ok(explanation(text, pair, explained, label))
}

fn explanation(text: &str, pair: Option<&str>, explained: Explained, label: String) -> Explanation {
    let Explained { tokens, words, prediction, attribution, completeness_error } = explained;
    let word = |WordTokens { text, tokens }: WordTokens| Scored {
        text,
        score: rounded(attribution.scores[tokens].iter().sum()),
    };
    let token =
        |(token, &score): (&String, &f32)| Scored { text: token.clone(), score: rounded(score) };
    Explanation {
        text: text.to_owned(),
        text_pair: pair.map(str::to_owned),
        label,
        probability: prediction.probabilities.get(attribution.label).copied().map(rounded),
        logit: rounded(attribution.logit),
        baseline_logit: rounded(attribution.baseline_logit),
        completeness_error: rounded(completeness_error),
        words: words.into_iter().map(word).collect(),
        tokens: tokens.tokens.iter().zip(&attribution.scores).map(token).collect(),
    }
}

impl Explanation {
    /// `joy 97.31%`, or a score.
    fn verdict(&self) -> String {
        match self.probability {
            Some(probability) => format!("{} {:.2}%", self.label, probability * 100.0),
            None => format!("{} {:.3}", self.label, self.logit),
        }
    }

    /// The largest score of a word, up or down.
    fn largest(&self) -> f64 {
        self.words.iter().map(|word| word.score.abs()).fold(f64::MIN_POSITIVE, f64::max)
    }

    fn sum(&self) -> String {
        format!(
            "the words add up to {:+.3}: logit {:.3} with them, {:.3} with [PAD] in their place \
             (the integral is {:.1}% off)",
            self.words.iter().map(|word| word.score).sum::<f64>(),
            self.logit,
            self.baseline_logit,
            self.completeness_error * 100.0
        )
    }
}

/// A line for each word, with a bar to the left where it speaks against the class.
fn render(explanation: &Explanation) -> String {
    let width = explanation.words.iter().map(|word| word.text.chars().count()).max().unwrap_or(0);
    let largest = explanation.largest();
    let mut text = format!("{}\n\n", explanation.verdict());
    for Scored { text: word, score } in &explanation.words {
        let bar = "█".repeat((score.abs() / largest * BAR as f64).round() as usize);
        let padding = " ".repeat(width - word.chars().count());
        let (against, for_it) =
            if *score < 0.0 { (bar, String::new()) } else { (String::new(), bar) };
        text.push_str(&format!("{word}{padding}  {score:+7.3}  {against:>BAR$}│{for_it}\n"));
    }
    text + "\n" + &explanation.sum() + "\n"
}
