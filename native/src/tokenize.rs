//! `emberlab tokenize`: what a tokenizer makes of texts, token by token.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use emberlab_core::text::{Tokenized, Tokenizer};
use serde::Serialize;
use serde_json::Value;

use crate::cli::{Padding, TokenizeArgs};
use crate::files::embedded;
use crate::files::hub::{self, Kind};
use crate::predict::rows::halves;
use crate::terminal::{counted, note, print};
use crate::{Outcome, files};

/// Runs the command.
pub fn run(args: &TokenizeArgs) -> Result<Outcome> {
    let halves = halves(&args.text, &args.text_pair)?;
    let opened = OpenTokenizer::find(args.model.as_deref())?;
    let max_length = args.max_length.unwrap_or(usize::MAX);
    let mut tables: Vec<Tokenized> = halves
        .map(|(text, pair)| opened.tokenizer.explain(text, pair, max_length))
        .collect::<Result<_, _>>()?;
    let length = match args.padding {
        Padding::DoNotPad => 0,
        Padding::Longest => tables.iter().map(Tokenized::len).max().unwrap_or(0),
        Padding::MaxLength => {
            args.max_length.context("--padding max_length needs --max-length N")?
        }
    };
    tables.iter_mut().for_each(|table| table.pad(length, &opened.pad_token, opened.pad_token_id));
    if args.json {
        for (index, table) in tables.iter().enumerate() {
            let (text, text_pair) = (&args.text[index], args.text_pair.get(index));
            print(format_args!("{}\n", serde_json::to_string(&Line { text, text_pair, table })?))?;
        }
        return Ok(Outcome::Completed);
    }
    note(format_args!("tokenizer  {}", opened.folder.display()));
    for (index, table) in tables.iter().enumerate() {
        let gap = if index > 0 { "\n" } else { "" };
        let pair = args.text_pair.get(index).map_or_else(String::new, |pair| format!(" | {pair}"));
        print(format_args!("{gap}{}{pair}\n\n{}", args.text[index], render(table)))?;
    }
    Ok(Outcome::Completed)
}

/// One text as JSON.
#[derive(Serialize)]
struct Line<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_pair: Option<&'a String>,
    #[serde(flatten)]
    table: &'a Tokenized,
}

/// A tokenizer by itself: of its model's folder neither weights nor a whole configuration are
/// needed.
pub struct OpenTokenizer {
    pub folder: PathBuf,
    pub tokenizer: Tokenizer,
    pad_token: String,
    pad_token_id: u32,
}

impl OpenTokenizer {
    /// The tokenizer in `model`, or that of the embedded model.
    ///
    /// # Errors
    /// There is no readable `tokenizer.json` or `vocab.txt`.
    pub fn find(model: Option<&Path>) -> Result<Self> {
        let folder = match model {
            Some(folder) => hub::folder(folder, Kind::Tokenizer)?,
            None => embedded::find(embedded::MODEL, "--model DIR")?,
        };
        let path = |file: &str| folder.join(file);
        let optional =
            |file: &str| path(file).is_file().then(|| files::read(&path(file))).transpose();
        let name = |file: &str| path(file).display().to_string();
        let tokenizer = match (optional("tokenizer.json")?, optional("vocab.txt")?) {
            (Some(json), _) => Tokenizer::from_json(&name("tokenizer.json"), &json)?,
            (None, Some(vocab)) => {
                let options = optional("tokenizer_config.json")?;
                Tokenizer::from_vocab(&name("vocab.txt"), &vocab, options.as_deref())?
            }
            (None, None) => bail!("{}: no tokenizer.json or vocab.txt there", folder.display()),
        };
        let config = optional("config.json")?;
        let config = config.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let id = config.and_then(|config| config["pad_token_id"].as_u64()).unwrap_or(0);
        let pad_token_id = u32::try_from(id).unwrap_or(0);
        let pad_token = tokenizer.token(pad_token_id).unwrap_or_else(|| "[PAD]".to_owned());
        Ok(Self { folder, tokenizer, pad_token, pad_token_id })
    }
}

/// A row for each token, columns lined up.
fn render(table: &Tokenized) -> String {
    let number = |value: &u32| value.to_string();
    let optional = |value: Option<usize>| value.map_or_else(|| "–".to_owned(), |v| v.to_string());
    let offsets = table.offset_mapping.iter().zip(&table.sequence_ids).map(|((from, to), text)| {
        if text.is_none() { "–".to_owned() } else { format!("{from}..{to}") }
    });
    let words = table.word_ids.iter().map(|word| optional(word.map(|word| word as usize)));
    let mut columns: Vec<(&str, Vec<String>)> = vec![
        ("", (0..table.len()).map(|position| position.to_string()).collect()),
        ("token", table.tokens.clone()),
        ("id", table.input_ids.iter().map(number).collect()),
        ("offsets", offsets.collect()),
        ("word", words.collect()),
        ("type", table.token_type_ids.iter().map(number).collect()),
        ("attention", table.attention_mask.iter().map(number).collect()),
        ("special", table.special_tokens_mask.iter().map(number).collect()),
    ];
    let mut text = String::new();
    let widths: Vec<usize> = columns
        .iter()
        .map(|(name, cells)| {
            let cells = cells.iter().map(|cell| cell.chars().count());
            cells.max().unwrap_or(0).max(name.len())
        })
        .collect();
    columns.iter_mut().for_each(|(name, cells)| cells.insert(0, (*name).to_owned()));
    for row in 0..=table.len() {
        let cells = columns.iter().zip(&widths).map(|((name, cells), width)| match *name {
            "token" => format!("{:<width$}", cells[row]),
            _ => format!("{:>width$}", cells[row]),
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let padding = table.attention_mask.iter().filter(|&&mask| mask == 0).count();
    let _ = write!(text, "\n{}", counted(table.len() - padding, "token"));
    if padding > 0 {
        let _ = write!(text, " and {padding} of padding");
    }
    if !table.cut_tokens.is_empty() {
        let _ =
            write!(text, "; {} cut off: {}", table.cut_tokens.len(), table.cut_tokens.join(" "));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_and_cut_are_visible() {
        let mut table = Tokenized {
            tokens: vec!["[CLS]".into(), "a".into()],
            input_ids: vec![101, 7],
            token_type_ids: vec![0, 0],
            attention_mask: vec![1, 1],
            special_tokens_mask: vec![1, 0],
            offset_mapping: vec![(0, 0), (0, 1)],
            word_ids: vec![None, Some(0)],
            sequence_ids: vec![None, Some(0)],
            cut_tokens: vec!["##b".into()],
        };
        table.pad(3, "[PAD]", 0);
        let expected = "   token   id  offsets  word  type  attention  special
0  [CLS]  101        –     –     0          1        1
1  a        7     0..1     0     0          1        0
2  [PAD]    0        –     –     0          0        1

2 tokens and 1 of padding; 1 cut off: ##b
";
        assert_eq!(render(&table), expected);
    }
}
