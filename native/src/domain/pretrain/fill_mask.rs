//! `emberlab fill-mask`: what a masked language model guesses, beside another's guesses if asked for.

use std::path::Path;

use anyhow::Result;
use emberlab_core::model::{Guess, MaskedLm};
use serde_json::{Value, json};

use crate::cli::FillMaskArgs;
use crate::files::embedded;
use crate::files::hub::{self, Kind};
use crate::machine::device::{self, ChosenDevice};
use crate::terminal::{note, print, rounded};
use crate::{Outcome, files};

/// Runs the command.
pub fn run(args: &FillMaskArgs) -> Result<Outcome> {
    let device = device::choose(args.device.device)?;
    let first = embedded::model(args.model.as_deref())?;
    let mut models = vec![open(&first, args, &device)?];
    if let Some(folder) = &args.compare {
        models.push(open(&hub::folder(folder, Kind::Model)?, args, &device)?);
    }
    note(format_args!("device  {device}"));
    for text in &args.text {
        let mut guesses = Vec::new();
        for (_, model) in &models {
            guesses.push(pollster::block_on(model.fill_mask(text, args.top_k))?);
        }
        for mask in 0..guesses[0].len() {
            let of_mask: Vec<&[Guess]> = guesses.iter().map(|of| of[mask].as_slice()).collect();
            let names: Vec<&str> = models.iter().map(|(name, _)| name.as_str()).collect();
            if args.json {
                print(format_args!("{}\n", as_json(text, mask, &names, &of_mask)))?;
            } else {
                print(table(text, mask, &names, &of_mask))?;
            }
        }
    }
    Ok(Outcome::Completed)
}

fn open(folder: &Path, args: &FillMaskArgs, device: &ChosenDevice) -> Result<(String, MaskedLm)> {
    let model = MaskedLm::open(&files::read_model(folder)?, &device.device)?;
    let model = if args.device.no_kernels { model.without_kernels() } else { model };
    Ok((folder.display().to_string(), model))
}

fn as_json(text: &str, mask: usize, names: &[&str], guesses: &[&[Guess]]) -> Value {
    let of_model = |(name, guesses): (&&str, &&[Guess])| {
        let guesses = guesses.iter().map(|guess| {
            json!({ "token": guess.token_id, "token_str": guess.token, "score": rounded(guess.probability) })
        });
        json!({ "model": name, "guesses": guesses.collect::<Vec<_>>() })
    };
    let models: Vec<Value> = names.iter().zip(guesses).map(of_model).collect();
    json!({ "text": text, "mask": mask, "models": models })
}

fn table(text: &str, mask: usize, names: &[&str], guesses: &[&[Guess]]) -> String {
    let cell = |guess: &Guess| format!("{:5.1} %  {}", guess.probability * 100.0, guess.token);
    let width = |of: usize| {
        let cells = guesses[of].iter().map(|guess| cell(guess).chars().count());
        cells.max().unwrap_or(0).max(names[of].chars().count())
    };
    let line = |cells: Vec<String>| {
        let padded = cells.iter().enumerate().map(|(of, cell)| format!("{cell:0$}", width(of)));
        format!("{}\n", padded.collect::<Vec<_>>().join("  |  ").trim_end())
    };
    let mut out = format!("{text}  (mask {})\n", mask + 1);
    out.push_str(&line(names.iter().map(|&name| name.to_owned()).collect()));
    for rank in 0..guesses[0].len() {
        out.push_str(&line(guesses.iter().map(|of| cell(&of[rank])).collect()));
    }
    out.push('\n');
    out
}
