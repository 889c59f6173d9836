//! `emberlab grade`: short answers and their points.
//!
//! ```text
//! file → answers (rows) → split → grader (trained) → points → figures, beside baselines
//! ```

mod answers;
pub mod baselines;
mod figures;
mod grader;
mod stored;

use anyhow::{Result, ensure};
use emberlab_core::grading::{AnswerSplit, SplitBy};
use emberlab_core::metrics::GradingMetrics;
use serde_json::{Value, json};

pub use self::answers::Answers;
pub use self::grader::Grader;
use crate::cli::{
    GradeCommand, GradeEvaluateArgs, GradePredictArgs, GradeSettings, GradeTrainArgs, SplitChoice,
};
use crate::files::embedded;
use crate::machine::device;
use crate::run::record::Origin;
use crate::terminal::{counted, json as pretty, note, print, rounded};
use crate::{Outcome, files};

/// Runs the command.
pub fn run(command: &GradeCommand) -> Result<Outcome> {
    match command {
        GradeCommand::Train(args) => train(args),
        GradeCommand::Predict(args) => predict(args),
        GradeCommand::Evaluate(args) => evaluate(args),
    }
}

/// Answers to train on, and answers to measure on.
pub struct Parts {
    pub train: Answers,
    pub test: Answers,
}

impl Parts {
    /// What is held out of a set, as the settings say; says what stands on both sides.
    pub fn of(answers: &Answers, settings: &GradeSettings) -> Result<Self> {
        ensure!(
            settings.test_size > 0.0 && settings.test_size < 1.0,
            "--test-size {}: expected above 0 and below 1",
            settings.test_size
        );
        let by = match settings.split_by {
            SplitChoice::Question => SplitBy::Question,
            SplitChoice::Row => SplitBy::Row,
        };
        let split = AnswerSplit::new(&answers.questions, by, settings.test_size, settings.seed);
        ensure!(
            !split.train.is_empty() && !split.test.is_empty(),
            "there is one {} only: nothing can be held out; give --test FILE",
            if by == SplitBy::Row { "row" } else { "question" }
        );
        let repeated = split.repeated(&answers.questions, &answers.answers);
        let (train, test) = (answers.select(&split.train), answers.select(&split.test));
        note(format_args!(
            "split   by {}: {} of {} to train on, {} of {} held out; {repeated} of these stand in train",
            if by == SplitBy::Row { "row" } else { "question" },
            counted(train.len(), "answer"),
            counted(train.distinct_questions(), "question"),
            counted(test.len(), "answer"),
            counted(test.distinct_questions(), "question"),
        ));
        Ok(Self { train, test })
    }
}

fn train(args: &GradeTrainArgs) -> Result<Outcome> {
    let origin = Origin::here()?;
    let answers = Answers::read(&args.data, &args.columns, None)?;
    let parts = match &args.test {
        Some(test) => {
            let test = Answers::read(test, &args.columns, Some(answers.highest()))?;
            Parts { train: answers, test }
        }
        None => Parts::of(&answers, &args.settings)?,
    };
    let model = embedded::model(args.model.as_deref())?;
    let chosen = device::choose(args.device.device)?;
    note(format_args!("model   {}\ndevice  {chosen}", model.display()));
    let folder = crate::files::staged::StagedFolder::create_new(&args.out)?;
    let grader = Grader::train(
        &files::read_model(&model)?,
        &parts.train,
        &args.settings,
        &chosen.device,
        args.device.no_kernels,
    )?;
    let points = grader.grade(&parts.test, args.settings.batch_size)?;
    let threshold = args.settings.threshold;
    let metrics = parts.test.metrics(&points, threshold);
    let table = figures::Table::new(&parts, &points, threshold);
    stored::write(&folder, &grader, &origin, &args.settings, &metrics, &model)?;
    folder.finish()?;
    print(format_args!("{table}\nsaved   {}\n", args.out.display()))?;
    Ok(Outcome::Completed)
}

fn predict(args: &GradePredictArgs) -> Result<Outcome> {
    let grader = Grader::open(&args.model, &args.inference)?;
    let Some(data) = &args.data else {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let one = Answers::one(text(&args.question), text(&args.reference), text(&args.answer));
        let points = grader.grade(&one, args.inference.batch_size)?;
        print(format_args!("{:.2} of {}\n", points[0], grader.most))?;
        return Ok(Outcome::Completed);
    };
    let (answers, rows) = Answers::read_unscored(data, &args.columns, grader.most)?;
    let points = grader.grade(&answers, args.inference.batch_size)?;
    for (mut row, points) in rows.into_iter().zip(points) {
        row.insert("predicted_score".to_owned(), rounded(points).into());
        print(format_args!("{}\n", Value::Object(row)))?;
    }
    Ok(Outcome::Completed)
}

fn evaluate(args: &GradeEvaluateArgs) -> Result<Outcome> {
    let grader = Grader::open(&args.model, &args.inference)?;
    let answers = Answers::read(&args.data, &args.columns, Some(grader.most))?;
    let points = grader.grade(&answers, args.inference.batch_size)?;
    let metrics = answers.metrics(&points, grader.threshold);
    if args.json {
        let raters = answers.rater_agreement(grader.threshold);
        print(pretty(&json!({ "metrics": metrics, "raters": raters }))?)?;
    } else {
        print(figures::evaluation(&answers, &metrics, grader.threshold))?;
    }
    Ok(Outcome::Completed)
}

impl Answers {
    /// How points compare with the teacher's.
    pub fn metrics(&self, points: &[f32], threshold: f32) -> GradingMetrics {
        GradingMetrics::new(&self.scores, points, &self.most, threshold)
    }

    /// How the second rater's points compare with the first one's.
    pub fn rater_agreement(&self, threshold: f32) -> Option<GradingMetrics> {
        let [first, second] = self.raters.as_ref()?;
        Some(GradingMetrics::new(first, second, &self.most, threshold))
    }
}
