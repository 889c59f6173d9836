//! What the page teaches with: a text explained, and a lesson of training.

use super::problem::Problem;
use crate::messages::{LessonSettings, Response};
use emberlab_core::{
    data::Dataset,
    model::Classifier,
    train::{TrainConfig, lesson as take_lesson},
};
use js_sys::Float32Array;

/// Tokens of a text that are explained: attentions grow with their square.
const EXPLAINED: usize = 128;
/// What a lesson calls its rows.
const ROWS: &str = "lesson.csv";

pub async fn explain(
    classifier: &Classifier,
    text: &str,
    label: Option<usize>,
) -> Result<Response, Problem> {
    let max_length = classifier.max_length().min(EXPLAINED);
    let explanation = classifier.explain(text, None, label, max_length).await?;
    let attentions = classifier.attentions(&explanation.tokens.encoding()).await?;
    Ok(Response::Explained {
        explanation: Box::new(explanation),
        labels: classifier.label_map().names().to_vec(),
        layers: attentions.layers,
        heads: attentions.heads,
        attentions: Float32Array::from(&attentions.values[..]).into(),
    })
}

/// On one batch; the open model stays as it is.
pub async fn lesson(
    classifier: &Classifier,
    rows: &str,
    settings: &LessonSettings,
) -> Result<Response, Problem> {
    let dataset = Dataset::parse(ROWS, rows.as_bytes(), Some(classifier.label_map()))?;
    let lesson = take_lesson(classifier, &dataset, &recipe(settings), settings.zero_grad).await?;
    Ok(Response::Lesson(Box::new(lesson)))
}

pub fn schedule(settings: &LessonSettings) -> Response {
    let (config, steps) = (recipe(settings), settings.steps);
    let learning_rates = (0..steps).map(|step| config.learning_rate_at(step, steps)).collect();
    Response::Schedule { learning_rates }
}

fn recipe(settings: &LessonSettings) -> TrainConfig {
    TrainConfig {
        epochs: settings.steps,
        learning_rate: settings.learning_rate,
        warmup_ratio: settings.warmup_ratio,
        schedule: settings.schedule,
        ..TrainConfig::default()
    }
}
