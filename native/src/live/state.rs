//! Where a run stands, as the page reads it.

use std::path::Path;

use emberlab_core::data::Task;
use emberlab_core::train::StepInfo;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::run::record::{RunRecord, Status};
use crate::run::results::Measured;
use crate::terminal::progress::Speed;
use crate::train::plan::Plan;

/// Rows that it was wrong about, the surest first.
const MISTAKES: usize = 20;

#[derive(Debug, Serialize)]
pub struct State {
    /// The run folder, as `emberlab serve` is told it.
    run: String,
    base_model: String,
    device: String,
    task: Task,
    pub status: Status,
    step: usize,
    total_steps: usize,
    /// From 1 on.
    epoch: usize,
    epochs: usize,
    /// The latest that was looked at.
    loss: Option<f32>,
    learning_rate: Option<f64>,
    rows_per_second: f64,
    tokens_per_second: f64,
    seconds_left: Option<f64>,
    /// Whether the page can open its weights: adapters alone it cannot, nor what tags words or answers
    /// questions.
    can_be_tried: bool,
    evaluation: Option<Evaluation>,
}

#[derive(Debug, Serialize)]
struct Evaluation {
    split: &'static str,
    step: usize,
    rows: usize,
    figures: Map<String, Value>,
    mistakes: Vec<Mistake>,
}

/// A row whose answer is not the gold one.
#[derive(Debug, PartialEq, Serialize)]
struct Mistake {
    text: String,
    gold: String,
    answer: String,
    /// The probability of the answer, or how far a score is off.
    weight: f64,
}

impl State {
    pub fn new(folder: &Path, plan: &Plan, record: &RunRecord) -> Self {
        let trainer = &plan.trainer;
        Self {
            run: folder.display().to_string(),
            base_model: record.base_model.path.display().to_string(),
            device: format!("{} ({})", record.device.chosen, record.device.name),
            task: plan.task,
            status: Status::Running,
            step: trainer.step_count(),
            total_steps: trainer.total_steps(),
            epoch: trainer.epoch() + 1,
            epochs: trainer.total_steps().div_ceil(trainer.steps_per_epoch()),
            loss: None,
            learning_rate: None,
            rows_per_second: 0.0,
            tokens_per_second: 0.0,
            seconds_left: None,
            can_be_tried: plan.recipe.lora.is_none()
                && !matches!(plan.task, Task::TokenClassification | Task::QuestionAnswering),
            evaluation: None,
        }
    }

    pub fn step(&mut self, step: &StepInfo, speed: &Speed, loss: Option<f32>) {
        (self.step, self.epoch, self.loss) = (step.step, step.epoch + 1, loss);
        self.learning_rate = Some(step.learning_rate);
        self.rows_per_second = speed.rows_per_second;
        self.tokens_per_second = speed.tokens_per_second;
        self.seconds_left = Some((self.total_steps - step.step) as f64 * speed.seconds_per_step);
    }

    pub fn measured(&mut self, plan: &Plan, measured: &Measured) {
        let Measured { metrics, split, step, .. } = measured;
        let figures = metrics.figures().into_iter();
        self.evaluation = Some(Evaluation {
            split,
            step: *step,
            rows: metrics.rows(),
            figures: figures.map(|(name, figure)| (name.to_owned(), figure.into())).collect(),
            mistakes: mistakes(measured.rows(plan).map(Value::Object)),
        });
    }
}

/// Of rows as `predictions-eval.jsonl` has them.
fn mistakes(rows: impl Iterator<Item = Value>) -> Vec<Mistake> {
    let mut found: Vec<Mistake> = rows.filter_map(|row| mistake(&row)).collect();
    found.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    found.truncate(MISTAKES);
    found
}

fn mistake(row: &Value) -> Option<Mistake> {
    let gold = &row["gold"];
    let answer = ["label", "labels", "tags", "answer"].into_iter().find_map(|key| row.get(key));
    if row["exact_match"] == true {
        return None; // Any of the gold answers will do.
    }
    let (answer, weight) = match (answer, gold.as_f64(), row["score"].as_f64()) {
        (None, Some(gold), Some(score)) => (&row["score"], (score - gold).abs()),
        (Some(answer), _, score) => (answer, score.unwrap_or_else(|| surest(row))),
        _ => return None,
    };
    (answer != gold).then(|| Mistake {
        text: text_of(row),
        gold: words(gold),
        answer: words(answer),
        weight,
    })
}

/// The highest probability of sets of labels, or of tags.
fn surest(row: &Value) -> f64 {
    let of_labels = row["probabilities"].as_object().into_iter().flat_map(Map::values);
    let of_tags = row["scores"].as_array().into_iter().flatten();
    of_labels.chain(of_tags).filter_map(Value::as_f64).fold(0.0, f64::max)
}

fn text_of(row: &Value) -> String {
    let parts = ["text", "text_pair", "tokens"].into_iter().filter_map(|key| row.get(key));
    parts.map(words).collect::<Vec<_>>().join(" · ")
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(" "),
        Value::Number(number) => format!("{:.2}", number.as_f64().unwrap_or_default()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surest_mistake_of_each_task_comes_first() {
        let rows = "{\"text\":\"a\",\"gold\":\"joy\",\"label\":\"joy\",\"score\":0.9}\n\
            {\"text\":\"b\",\"gold\":\"joy\",\"label\":\"fear\",\"score\":0.6}\n\
            {\"text\":\"c\",\"text_pair\":\"d\",\"gold\":\"joy\",\"label\":\"fear\",\"score\":0.8}\n";
        let found = mistakes(rows.lines().map(|row| serde_json::from_str(row).unwrap()));
        assert_eq!(found.iter().map(|it| &*it.text).collect::<Vec<_>>(), ["c · d", "b"]);

        let rows = "{\"text\":\"a\",\"gold\":1.0,\"score\":1.5}\n{\"text\":\"b\",\"gold\":4.0,\"score\":1.0}\n";
        let found = mistakes(rows.lines().map(|row| serde_json::from_str(row).unwrap()));
        let far =
            Mistake { text: "b".into(), gold: "4.00".into(), answer: "1.00".into(), weight: 3.0 };
        assert_eq!(found[0], far);

        let rows = "{\"tokens\":[\"a\",\"b\"],\"gold\":[\"O\",\"O\"],\"tags\":[\"O\",\"B-X\"],\"scores\":[0.9,0.7]}\n\
            {\"text\":\"c\",\"gold\":[\"x\"],\"labels\":[],\"probabilities\":{\"x\":0.3}}\n";
        let found = mistakes(rows.lines().map(|row| serde_json::from_str(row).unwrap()));
        assert_eq!((&*found[0].text, &*found[0].answer, &*found[1].answer), ("a b", "O B-X", ""));

        let rows = "{\"text\":\"q\",\"gold\":[\"a b\"],\"answer\":\"A b.\",\"score\":0.9,\"exact_match\":true}\n\
            {\"text\":\"r\",\"gold\":[\"a\"],\"answer\":\"b\",\"score\":0.8,\"exact_match\":false}\n";
        let found = mistakes(rows.lines().map(|row| serde_json::from_str(row).unwrap()));
        assert_eq!((found.len(), &*found[0].text), (1, "r"));
    }
}
