//! `emberlab train --config FILE`: arguments in a TOML file, by the names of their flags, and the file
//! that repeats a run.

use std::any::TypeId;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::builder::ValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory};
use emberlab_core::train::TrainConfig;
use toml::{Table, Value};

use super::Cli;
use crate::files;

/// The arguments of a run, in its folder.
pub const FILE: &str = "train.toml";
/// What no file says.
const TYPED_ONLY: [&str; 7] = ["config", "resume", "live", "dry-run", "trial", "help", "version"];

/// The words of the command line, with what a `--config` among them says and no other word does.
///
/// # Errors
/// The file cannot be read, or says what no flag is called.
pub fn expanded(words: Vec<OsString>) -> Result<Vec<OsString>> {
    let text: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    // With `--resume` it is a mistake, which the parser names.
    let resumes = text.iter().any(|word| name_of(word) == Some("resume"));
    if resumes || text.get(1).is_none_or(|it| it != "train") {
        return Ok(words);
    }
    let Some(file) = config_of(&text) else { return Ok(words) };
    let command = Cli::command();
    let train = command.find_subcommand("train").context("there is no train")?;
    let typed: Vec<&Arg> = text.iter().filter_map(|word| argument(train, name_of(word)?)).collect();
    let from_file = read(Path::new(&file), train, &typed)?;
    let (before, after) = words.split_at(2);
    let from_file: Vec<OsString> = from_file.into_iter().map(Into::into).collect();
    Ok([before, &from_file, after].concat())
}

/// The words of this process, expanded, without its name.
pub fn arguments() -> Result<Vec<OsString>> {
    Ok(expanded(env::args_os().collect())?.into_iter().skip(1).collect())
}

fn config_of(words: &[String]) -> Option<String> {
    let at = words.iter().position(|word| word == "--config");
    let next = at.and_then(|at| words.get(at + 1)).cloned();
    next.or_else(|| words.iter().find_map(|word| Some(word.strip_prefix("--config=")?.to_owned())))
}

/// `learning-rate` of `--learning-rate=1e-4`.
fn name_of(word: &str) -> Option<&str> {
    word.strip_prefix("--").map(|flag| flag.split_once('=').map_or(flag, |(name, _)| name))
}

/// The argument with a flag of this name.
fn argument<'a>(train: &'a Command, name: &str) -> Option<&'a Arg> {
    train.get_arguments().find(|argument| {
        let names = argument.get_long_and_visible_aliases().unwrap_or_default();
        names.contains(&name)
    })
}

/// The words of a file, but for those that `typed` ones take the place of.
fn read(path: &Path, train: &Command, typed: &[&Arg]) -> Result<Vec<String>> {
    let shown = path.display();
    let text = String::from_utf8(files::read(path)?)
        .with_context(|| format!("{shown}: not valid UTF-8"))?;
    let table: Table = text.parse().with_context(|| format!("{shown}: not a TOML file"))?;
    let mut words = Vec::new();
    for (key, value) in &table {
        let name = key.replace('_', "-");
        let known = argument(train, &name).filter(|_| !TYPED_ONLY.contains(&name.as_str()));
        let Some(known) = known else {
            bail!("{shown}: there is no setting {key}{}", nearest(train, &name));
        };
        let excludes = |typed: &&Arg| {
            typed.get_id() == known.get_id()
                || train
                    .get_arg_conflicts_with(typed)
                    .iter()
                    .any(|it| it.get_id() == known.get_id())
                || train
                    .get_arg_conflicts_with(known)
                    .iter()
                    .any(|it| it.get_id() == typed.get_id())
        };
        if !typed.iter().any(excludes) {
            let flag = known.get_long().unwrap_or(&name);
            let takes_value = !matches!(known.get_action(), ArgAction::SetTrue);
            add(&mut words, flag, takes_value, value)
                .with_context(|| format!("{shown}: {key} = {value}"))?;
        }
    }
    Ok(words)
}

fn add(words: &mut Vec<String>, flag: &str, takes_value: bool, value: &Value) -> Result<()> {
    match value {
        Value::Boolean(true) if !takes_value => words.push(format!("--{flag}")),
        Value::Boolean(false) if !takes_value => {}
        _ if !takes_value => bail!("expected true or false"),
        Value::String(text) => words.push(format!("--{flag}={text}")),
        Value::Integer(number) => words.push(format!("--{flag}={number}")),
        Value::Float(number) => words.push(format!("--{flag}={number}")),
        Value::Array(values) => {
            for value in values {
                add(words, flag, takes_value, value)?;
            }
        }
        _ => bail!("expected a number, a text or a list of them"),
    }
    Ok(())
}

/// The known name that is most like one that is none.
fn nearest(train: &Command, name: &str) -> String {
    let names = train.get_arguments().filter_map(Arg::get_long);
    let names = names.filter(|known| !TYPED_ONLY.contains(known));
    let nearest = names.min_by_key(|known| strsim::damerau_levenshtein(known, name));
    nearest.map_or_else(String::new, |known| format!("; is it {}?", known.replace('-', "_")))
}

/// The file that repeats a run: what its arguments were, and what they left to the defaults.
///
/// # Errors
/// The arguments cannot be read, which they could when the run began.
pub fn render(
    words: &[String],
    recipe: &TrainConfig,
    lengths: &[(&str, usize)],
    from: &Path,
) -> Result<String> {
    let command = Cli::command();
    let train = command.find_subcommand("train").context("there is no train")?;
    let words = std::iter::once("emberlab").chain(words.iter().map(String::as_str));
    let mut matches = command.clone().try_get_matches_from(words)?;
    let (_, matches) = matches.remove_subcommand().context("no command")?;
    let mut table = defaults(recipe, lengths);
    for argument in train.get_arguments() {
        let (Some(name), id) = (argument.get_long(), argument.get_id().as_str()) else { continue };
        let is_typed = matches.value_source(id) == Some(ValueSource::CommandLine);
        if is_typed && !TYPED_ONLY.contains(&name) && name != "auto-find-batch-size" {
            table.insert(name.replace('-', "_"), value_of(&matches, argument, from));
        }
    }
    // What was found out stands for what was asked.
    let size = |number: usize| Value::Integer(number as i64);
    table.insert("batch_size".into(), size(recipe.batch_size));
    table.insert("gradient_accumulation_steps".into(), size(recipe.gradient_accumulation_steps));
    Ok(format!(
        "# emberlab train --config {FILE} --out ANOTHER repeats this run, from any folder.\n\n{}",
        toml::to_string(&table)?
    ))
}

/// The recipe's values that do not follow from another's absence, and the lengths of texts.
fn defaults(recipe: &TrainConfig, lengths: &[(&str, usize)]) -> Table {
    let size = |number: usize| Value::Integer(number as i64);
    let mut table = Table::from_iter([
        ("epochs".to_owned(), size(recipe.epochs)),
        ("learning_rate".to_owned(), Value::Float(recipe.learning_rate)),
        ("schedule".to_owned(), Value::String(recipe.schedule.name().to_owned())),
        ("weight_decay".to_owned(), Value::Float(recipe.weight_decay)),
        ("max_grad_norm".to_owned(), Value::Float(recipe.max_grad_norm)),
        ("seed".to_owned(), seed(recipe.seed)),
    ]);
    table.extend(lengths.iter().map(|(name, length)| ((*name).to_owned(), size(*length))));
    if recipe.warmup_steps.is_none() {
        table.insert("warmup_ratio".to_owned(), Value::Float(recipe.warmup_ratio));
    }
    table
}

/// TOML has no whole numbers as large as a seed may be.
fn seed(seed: u64) -> Value {
    i64::try_from(seed).map_or_else(|_| Value::String(seed.to_string()), Value::Integer)
}

/// What an argument was; the path of something in the working folder `from` as a whole.
fn value_of(matches: &ArgMatches, argument: &Arg, from: &Path) -> Value {
    let id = argument.get_id().as_str();
    if matches!(argument.get_action(), ArgAction::SetTrue) {
        return Value::Boolean(true);
    }
    let raw = matches.get_raw(id).into_iter().flatten();
    let mut values: Vec<Value> =
        raw.map(|word| typed(argument.get_value_parser(), &word.to_string_lossy(), from)).collect();
    match (values.pop(), argument.get_action()) {
        (Some(only), ArgAction::Set) if values.is_empty() => only,
        (last, _) => Value::Array(values.into_iter().chain(last).collect()),
    }
}

/// A number where the flag takes one: a file called 1 is none.
fn typed(parser: &ValueParser, word: &str, from: &Path) -> Value {
    if parser.type_id() == TypeId::of::<PathBuf>() && from.join(word).exists() {
        return Value::String(from.join(word).display().to_string());
    }
    let takes = |types: [TypeId; 2]| types.iter().any(|id| parser.type_id() == *id);
    let text = || Value::String(word.to_owned());
    if takes([TypeId::of::<usize>(), TypeId::of::<u64>()]) {
        return word.parse().map_or_else(|_| text(), Value::Integer);
    }
    if takes([TypeId::of::<f64>(), TypeId::of::<f32>()]) {
        return word.parse().map_or_else(|_| text(), Value::Float);
    }
    text()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn expand(name: &str, file: &str, typed: &str) -> Result<String> {
        let path = env::temp_dir().join(format!("emberlab-{}-{name}.toml", std::process::id()));
        fs::write(&path, file).unwrap();
        let found = expanded(words(&format!("emberlab train --config {} {typed}", path.display())));
        fs::remove_file(&path).unwrap();
        let found =
            found?.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>();
        Ok(found.join(" "))
    }

    #[test]
    fn a_file_says_what_is_not_typed() {
        let file = "learning_rate = 3e-5\nepochs = 2\nno-kernels = true\noverwrite = false\nout = \"a\"\n\
                    lora_target_modules = [\"query\", \"key\"]\nwarmup_ratio = 0.2\nlabel_column = [\"x\"]\n";
        let found = expand("all", file, "").unwrap();
        for word in [
            "train --epochs=2",
            "--learning-rate=0.00003",
            "--no-kernels",
            "--out=a",
            "--lora-target-modules=query --lora-target-modules=key",
            "--warmup-ratio=0.2",
        ] {
            assert!(found.contains(word), "no {word} in {found}");
        }
        assert!(!found.contains("--overwrite"));
        // What excludes what the file says takes its place, too, under whatever name.
        let found = expand("some", file, "--epochs 5 --warmup-steps=3 --out b").unwrap();
        assert!(!found.contains("--epochs=2") && !found.contains("--warmup-ratio"), "{found}");
        assert!(!found.contains("--out=a") && found.contains("--learning-rate"), "{found}");
        let found = expand("alias", "schedule = \"cosine\"", "--lr-scheduler-type linear").unwrap();
        assert!(!found.contains("--schedule=cosine"), "{found}");
    }

    #[test]
    fn an_unknown_setting_is_refused_with_the_nearest() {
        for (file, says) in [
            ("learning_rat = 1", "there is no setting learning_rat; is it learning_rate?"),
            ("num_epochs = 1", "is it epochs?"),
            ("resume = \"a\"", "there is no setting resume"),
            ("epochs = { a = 1 }", "epochs = "),
            ("no_kernels = 1", "no_kernels = 1"),
            ("epochs 3", "not a TOML file"),
        ] {
            let said = format!("{:#}", expand("bad", file, "").unwrap_err());
            assert!(said.contains(says), "no \"{says}\" in {said}");
        }
    }

    #[test]
    fn a_run_is_repeated_by_its_file() {
        let line = "train --data imdb --train train[:1] --out 7 --warmup-steps 4 --learning-rate 1e-4 \
                    --label-column a --label-column b --no-kernels --seed 18446744073709551615";
        let line: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let recipe =
            TrainConfig { warmup_steps: Some(4), seed: u64::MAX, ..TrainConfig::default() };
        let text = render(&line, &recipe, &[("max_length", 64)], Path::new("/here")).unwrap();
        let found = expand("again", &text, "").unwrap();
        for word in [
            "--train=train[:1]",
            "--out=7",
            "--warmup-steps=4",
            "--learning-rate=0.0001",
            "--label-column=a --label-column=b",
            "--no-kernels",
            "--max-length=64",
            "--seed=18446744073709551615",
        ] {
            assert!(found.contains(word), "no {word} in {found}");
        }
        assert!(!found.contains("--warmup-ratio"), "{found}");
        assert!(text.contains("out = \"7\""), "{text}");
    }
}
