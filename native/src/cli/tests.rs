//! What no type checks of the command line.

use clap::CommandFactory;
use emberlab_core::train::TrainConfig;

use super::*;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn help_states_the_defaults_of_the_recipe() {
    let recipe = TrainConfig::default();
    let mut command = Cli::command();
    let train = command.find_subcommand_mut("train").expect("train is a subcommand");
    let help = train.render_long_help().to_string();
    for default in [
        format!("optimizer step [default: {}]", recipe.gradient_accumulation_steps),
        format!("training rows [default: {}]", recipe.epochs),
        format!("batch [default: {}]", recipe.batch_size),
        format!("AdamW [default: {:e}]", recipe.learning_rate),
        format!("from 0 [default: {}]", recipe.warmup_ratio),
        format!("LayerNorm [default: {}]", recipe.weight_decay),
        format!("norm [default: {:?}]", recipe.max_grad_norm),
        format!("head [default: {}]", recipe.seed),
    ] {
        assert!(help.contains(&default), "the help of train lacks: {default}");
    }
}

#[test]
fn text_and_input_exclude_each_other() {
    assert!(
        Cli::try_parse_from(["emberlab", "predict", "--text", "a", "--input", "b.csv"]).is_err()
    );
}

#[test]
fn own_data_needs_a_place_for_the_result() {
    assert!(Cli::try_parse_from(["emberlab", "train", "--train", "a.csv"]).is_err());
    assert!(Cli::try_parse_from(["emberlab", "train", "--train", "a.csv", "--out", "b"]).is_ok());
    let parse = |line: &str| Cli::try_parse_from(line.split_whitespace()).is_ok();
    assert!(!parse("emberlab train --data folder"));
    assert!(parse("emberlab train --data folder --out b --train train[:80%] --eval train[80%:]"));
    assert!(!parse("emberlab train --eval a.csv --out b"), "nothing to train on");
}
