//! `emberlab lesson`: a few rows on their way through a fine-tuning, in numbers.

use anyhow::Result;
use emberlab_core::data::Dataset;
use emberlab_core::model::Classifier;
use emberlab_core::train::{TrainConfig, lesson};

use crate::cli::LessonArgs;
use crate::files::embedded;
use crate::machine::device;
use crate::terminal::{json, note, print};
use crate::{Outcome, files};

/// Runs the command.
pub fn run(args: &LessonArgs) -> Result<Outcome> {
    let dataset =
        Dataset::parse(&args.data.display().to_string(), &files::read(&args.data)?, None)?;
    let chosen = device::choose(args.device.device)?;
    let folder = embedded::model(args.model.as_deref())?;
    let model = files::read_model(&folder)?;
    let label_map = dataset.label_map.clone();
    let (classifier, _) = Classifier::for_training(&model, label_map, args.seed, &chosen.device)?;
    let classifier = args.device.apply(classifier);
    note(format_args!("model   {}", folder.display()));
    note(format_args!("device  {chosen}"));
    let config = TrainConfig {
        epochs: args.steps,
        learning_rate: args.learning_rate,
        warmup_ratio: args.warmup_ratio,
        schedule: args.schedule,
        ..TrainConfig::default()
    };
    let taken = pollster::block_on(lesson(&classifier, &dataset, &config, !args.no_zero_grad))?;
    print(json(&taken)?)?;
    Ok(Outcome::Completed)
}
