//! The figures of a run in the form in which a model hub reads them from the card
//! (`huggingface_hub.eval_results_to_model_index`): those of `run.json`, to the last digit.

use std::fmt::Write;

use emberlab_core::data::Task;
use emberlab_core::metrics::Evaluation;
use serde_json::Value;

use super::record::RunRecord;
use crate::files::hub;
use crate::load::splits::Split;

/// The `model-index` of a card's front matter; nothing where nothing was measured.
pub fn model_index(
    name: &str,
    record: &RunRecord,
    evaluations: &[(&'static str, Evaluation)],
) -> String {
    if evaluations.is_empty() {
        return String::new();
    }
    let task = match record.task {
        Task::TokenClassification => "token-classification",
        Task::QuestionAnswering => "question-answering",
        _ => "text-classification",
    };
    let mut index = format!("model-index:\n- name: {}\n  results:\n", quoted(name));
    for (split, evaluation) in evaluations {
        let data = record.data.iter().find(|data| data.split == *split);
        let data = data.map_or_else(|| (*split).to_owned(), data_name);
        // Writing to a String cannot fail.
        let _ = write!(
            index,
            "  - task:\n      type: {task}\n    dataset:\n      type: {0}\n      name: {0}\n      split: {split}\n    metrics:\n",
            quoted(&data)
        );
        for (figure, value) in evaluation.metrics.figures() {
            let value = Value::from(value); // null where it is no number
            let _ = write!(
                index,
                "    - type: {}\n      value: {value}\n      name: {figure}\n",
                metric(figure)
            );
        }
    }
    index
}

/// A JSON string is one of YAML and of Python, whatever is in it, where what YAML does not let stand is an escape.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    for c in Value::from(text).to_string().chars() {
        let _ = match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' => {
                write!(quoted, "\\u{:04x}", u32::from(c))
            }
            c => write!(quoted, "{c}"),
        };
    }
    quoted
}

/// The id that a figure's kind has on the hub.
fn metric(figure: &str) -> &str {
    match figure {
        "pearson" => "pearsonr",
        "spearman" => "spearmanr",
        "subset_accuracy" => "accuracy",
        figure if figure.ends_with("f1") => "f1",
        figure => figure,
    }
}

fn data_name(data: &Split) -> String {
    let file =
        || data.path.file_name().unwrap_or(data.path.as_os_str()).to_string_lossy().into_owned();
    hub::id_of(&data.path).unwrap_or_else(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_stays_in_its_quotes() {
        assert_eq!(quoted("emotions, größer 🙂"), "\"emotions, größer 🙂\"");
        assert_eq!(quoted("a\", b(\"c\"), \"\n"), r#""a\", b(\"c\"), \"\n""#);
        let odd = "\u{1}\u{7f}\u{85}\u{9f}\u{a0}\u{2028}\u{2029}\u{fffe}\u{ffff}";
        assert_eq!(
            quoted(odd),
            "\"\\u0001\\u007f\\u0085\\u009f\u{a0}\\u2028\\u2029\\ufffe\\uffff\""
        );
        assert_eq!(serde_json::from_str::<String>(&quoted(odd)).unwrap(), odd);
    }
}
