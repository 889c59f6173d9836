//! The `README.md` of a run folder, as model hubs read it.

use std::fmt::Write;
use std::time::Duration;

use emberlab_core::data::Task;
use emberlab_core::metrics::Evaluation;

use super::markdown::{code, fenced, plain};
use super::model_index::{model_index, quoted};
use super::record::{RunRecord, Status};
use super::results::Calibration;
use crate::files::hub;
use crate::terminal::figures::evaluation_table;
use crate::terminal::{clock, counted};
use crate::train::recipe::recipe_line;

/// The card of the run in a folder of this name, with its figures by split.
pub fn render(
    name: &str,
    record: &RunRecord,
    evaluations: &[(&'static str, Evaluation)],
) -> String {
    let base = &record.base_model.path;
    let last = || base.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let base = hub::id_of(base).unwrap_or_else(last);
    let words = Words::of(record.task);
    let library = if record.recipe.lora.is_some() { "peft" } else { "transformers" };
    let index = model_index(name, record, evaluations);
    let mut card = front_matter(library, &base, &words, &index);
    // Writing to a String cannot fail.
    let _ = write!(
        card,
        "\n# {} fine-tuned from {}\n\n{}\n",
        words.title,
        plain(&base),
        match record.task {
            Task::Regression => "It gives each text a number.".to_owned(),
            Task::QuestionAnswering => answers_what(record),
            _ => {
                let labels: Vec<String> = record.labels.iter().map(|label| plain(label)).collect();
                format!("{}: {}.", words.classes, labels.join(", "))
            }
        }
    );
    if record.status == Status::Interrupted {
        let _ = write!(
            card,
            "\n**Interrupted** after {} of {} steps.\n",
            record.steps, record.total_steps
        );
    }
    card.push_str("\n## Measured\n");
    match &record.origin.seeds[..] {
        _ if evaluations.is_empty() => card.push_str("\nNothing.\n"),
        [seed] => {
            let _ = writeln!(
                card,
                "\nOne run with one seed ({seed}): how far another seed would differ was not measured."
            );
        }
        seeds => {
            let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
            let _ = writeln!(card, "\nSeed {} of {}.", record.seed, seeds.join(", "));
        }
    }
    if let Some(Calibration { fitted_on, fit, .. }) = &record.calibration {
        let _ = writeln!(
            card,
            "\nCalibrated: probabilities are those of the logits divided by {:.4} (`calibration_temperature` in `config.json`, \
             fitted on `{fitted_on}`), which `emberlab` does by itself.",
            fit.temperature
        );
    }
    for (split, evaluation) in evaluations {
        let _ = write!(
            card,
            "\nOn `{split}` ({}):\n\n{}",
            counted(evaluation.metrics.rows(), "row"),
            fenced("", &evaluation_table(evaluation))
        );
    }
    card.push_str("\n## Data\n\n| split | rows | file | SHA-256 |\n| --- | ---: | --- | --- |\n");
    for split in &record.data {
        let rows = split.instruction.as_ref().map_or_else(String::new, |rows| format!(" {rows}"));
        let file = code(&format!("{}{rows}", split.path.display()));
        let _ = writeln!(
            card,
            "| {} | {} | {} | `{}` |",
            split.split,
            split.rows,
            file.replace('|', r"\u{7c}"), // else the cell would end there, and the code with it
            split.sha256
        );
    }
    let seconds = Duration::try_from_secs_f64(record.train_seconds).unwrap_or_default();
    let _ = write!(
        card,
        "\n## Recipe\n\n{}.\n{} in {} on {} ({}), with emberlab {} and Burn {}.\n\n{}",
        recipe_line(&record.recipe, record.max_length),
        counted(record.steps, "step"),
        clock(seconds),
        record.device.chosen,
        record.device.name,
        record.emberlab,
        record.burn,
        fenced("sh", &record.origin.command),
    );
    card.push_str(&usage(record, &base, &words));
    card
}

fn answers_what(record: &RunRecord) -> String {
    let may_abstain = record.question_answering.is_some_and(|of| of.version_2_with_negative);
    let or = if may_abstain { ", or says that it does not say" } else { "" };
    format!("It answers a question with a part of its context{or}.")
}

/// How Python opens the folder.
fn usage(record: &RunRecord, base: &str, words: &Words) -> String {
    let Words { pipeline, options, .. } = words;
    let kind = match record.task {
        Task::TokenClassification => "TokenClassification",
        Task::QuestionAnswering => "QuestionAnswering",
        _ => "SequenceClassification",
    };
    let code = match (&record.recipe.lora, record.task) {
        (None, Task::QuestionAnswering) => QUESTION.to_owned(),
        (None, _) => format!(
            "from transformers import pipeline\n\
             print(pipeline(\"{pipeline}\", model=\"this/folder\"{options})(\"some text\"))"
        ),
        (Some(_), _) => format!(
            "from peft import PeftModel\n\
             from transformers import AutoConfig, AutoModelFor{kind}\n\
             base = AutoModelFor{kind}.from_pretrained(\n    \
             {}, config=AutoConfig.from_pretrained(\"this/folder\"))\n\
             model = PeftModel.from_pretrained(base, \"this/folder\")",
            quoted(base)
        ),
    };
    format!("\n## Use\n\n{}", fenced("python", &code))
}

/// transformers 5 has no pipeline for it.
const QUESTION: &str = "\
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(\"this/folder\")
model = AutoModelForQuestionAnswering.from_pretrained(\"this/folder\")
inputs = tokenizer(\"some question\", \"some context\", return_tensors=\"pt\")
with torch.no_grad():
    found = model(**inputs)
start, end = found.start_logits.argmax(), found.end_logits.argmax()
print(tokenizer.decode(inputs[\"input_ids\"][0, start:end + 1]))";

/// What a model of a task is called, and how the hub and transformers name its kind.
struct Words {
    title: &'static str,
    classes: &'static str,
    pipeline: &'static str,
    /// Arguments with which a pipeline gives what the model knows.
    options: &'static str,
    metrics: &'static str,
}

impl Words {
    fn of(task: Task) -> Self {
        let single = Self {
            title: "Text classifier",
            classes: "Classes",
            pipeline: "text-classification",
            options: "",
            metrics: "- accuracy\n- f1",
        };
        match task {
            Task::SingleLabelClassification => single,
            Task::MultiLabelClassification => Self {
                title: "Multi-label text classifier",
                classes: "Labels, any number of them to a text",
                options: ", top_k=None",
                metrics: "- f1",
                ..single
            },
            Task::Regression => Self {
                title: "Text regression",
                metrics: "- pearsonr\n- spearmanr\n- mse\n- mae",
                ..single
            },
            Task::TokenClassification => Self {
                title: "Token classifier",
                classes: "Tags",
                pipeline: "token-classification",
                options: ", aggregation_strategy=\"first\"",
                metrics: "- precision\n- recall\n- f1",
            },
            Task::QuestionAnswering => Self {
                title: "Extractive question answering",
                pipeline: "question-answering",
                metrics: "- exact_match\n- f1",
                ..single
            },
        }
    }
}

fn front_matter(library: &str, base: &str, words: &Words, index: &str) -> String {
    let Words { pipeline, metrics, .. } = words;
    format!(
        "---\nlibrary_name: {library}\npipeline_tag: {pipeline}\nbase_model: {}\n\
         tags:\n- {pipeline}\n- emberlab\nmetrics:\n{metrics}\n{index}---\n",
        quoted(base)
    )
}
