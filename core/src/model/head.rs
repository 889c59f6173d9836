//! What stands on an encoder: which task it is for, and what its outputs are called.

use serde_json::{Map, Value, json};

use super::{BertConfig, Family};
use crate::{
    Error, Result,
    data::{LabelMap, Task},
};

/// Of which tokens the last layer reads the states, by which heads of transformers differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reads {
    /// The first one, or the mean of all, through a pooler.
    #[default]
    Text,
    /// The first one of each word.
    Words,
    /// Each one.
    Tokens,
}

impl Reads {
    pub(crate) fn of(task: Task) -> Self {
        match task {
            Task::TokenClassification => Self::Words,
            Task::QuestionAnswering => Self::Tokens,
            _ => Self::Text,
        }
    }

    /// What the head that a folder states reads.
    pub(super) fn stated(config: &BertConfig) -> Self {
        let architectures = config.raw("architectures").and_then(Value::as_array);
        let is_stated = |end: &str| {
            let mut names = architectures.into_iter().flatten().filter_map(Value::as_str);
            names.any(|name| name.ends_with(end))
        };
        match () {
            () if is_stated("ForTokenClassification") => Self::Words,
            () if is_stated("ForQuestionAnswering") => Self::Tokens,
            () => Self::Text,
        }
    }
}

/// A task and the names of the outputs in id order. Regression has one output, question answering two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub task: Task,
    pub label_map: LabelMap,
}

impl From<LabelMap> for Head {
    /// One class for each text.
    fn from(label_map: LabelMap) -> Self {
        Self { task: Task::SingleLabelClassification, label_map }
    }
}

impl Head {
    /// The head that a folder states, with `num_labels` outputs. Names are those of `id2label`,
    /// `LABEL_0 …` where it has none, and the task is that of `architectures` or else `problem_type`;
    /// without one it is that for which transformers takes the number of outputs.
    ///
    /// # Errors
    /// [`Error::BadLabels`] or [`Error::BadConfig`] where these contradict one another.
    pub(super) fn stored(config: &BertConfig, name: &str, num_labels: usize) -> Result<Self> {
        let task = task(config, name, num_labels)?;
        if task == Task::Regression {
            if num_labels != 1 {
                let reason =
                    format!("a regression with {num_labels} outputs is not supported; only one is");
                return Err(Error::BadConfig { name: name.into(), reason });
            }
            return Ok(Self { task, label_map: LabelMap::of_a_score() });
        }
        if task == Task::QuestionAnswering {
            if num_labels != 2 {
                let reason = format!(
                    "question answering with {num_labels} outputs; it has a start and an end"
                );
                return Err(Error::BadConfig { name: name.into(), reason });
            }
            return Ok(Self { task, label_map: LabelMap::of_a_span() });
        }
        let label_map = match config.label_map(name)? {
            Some(map) => map,
            None => LabelMap::unnamed(name, num_labels)?,
        };
        if label_map.len() != num_labels {
            let found = label_map.len();
            let reason = format!("id2label names {found} labels, but the head has {num_labels}");
            return Err(Error::BadLabels { name: name.into(), reason });
        }
        Ok(Self { task, label_map })
    }

    /// What `config.json` says of it.
    pub(super) fn to_json(&self, family: Family) -> Map<String, Value> {
        let ids = self.label_map.names().iter().enumerate();
        let id2label: Map<String, Value> =
            ids.clone().map(|(id, name)| (id.to_string(), json!(name))).collect();
        let label2id: Map<String, Value> =
            ids.map(|(id, name)| (name.clone(), json!(id))).collect();
        let problem_type = match self.task {
            Task::TokenClassification | Task::QuestionAnswering => Value::Null,
            task => json!(task.name()),
        };
        let architecture = family.architecture(Reads::of(self.task));
        Map::from_iter([
            ("architectures".to_owned(), json!([architecture])),
            ("problem_type".to_owned(), problem_type),
            ("id2label".to_owned(), Value::Object(id2label)),
            ("label2id".to_owned(), Value::Object(label2id)),
        ])
    }
}

fn task(config: &BertConfig, name: &str, num_labels: usize) -> Result<Task> {
    match Reads::stated(config) {
        Reads::Words => return Ok(Task::TokenClassification),
        Reads::Tokens => return Ok(Task::QuestionAnswering),
        Reads::Text => {}
    }
    match config.raw("problem_type").unwrap_or(&Value::Null) {
        Value::Null if num_labels == 1 => Ok(Task::Regression),
        Value::Null => Ok(Task::SingleLabelClassification),
        stated => stated.as_str().and_then(Task::from_name).ok_or_else(|| {
            let known = Task::ALL.map(Task::name)[..3].join(", ");
            let reason =
                format!("problem_type {stated} is not supported; expected one of: {known}");
            Error::BadConfig { name: name.into(), reason }
        }),
    }
}

/// Checks that the family has a head for question answering.
///
/// # Errors
/// [`Error::BadConfig`] where it has none.
pub(super) fn check_family(config: &BertConfig, name: &str) -> Result<()> {
    if config.family.answers_questions() {
        return Ok(());
    }
    let reason = format!(
        "question_answering with a {} model is not supported; take a bert, roberta, xlm-roberta, distilbert or electra model",
        config.family.model_type()
    );
    Err(Error::BadConfig { name: name.into(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(extra: &str, num_labels: usize) -> Result<Head, String> {
        let sizes = "\"vocab_size\": 9, \"hidden_size\": 4, \"num_hidden_layers\": 1, \
                     \"num_attention_heads\": 1, \"intermediate_size\": 4, \"max_position_embeddings\": 8";
        let json = format!("{{{sizes}{extra}}}");
        let config = BertConfig::from_json("c", json.as_bytes()).unwrap();
        Head::stored(&config, "c", num_labels).map_err(|error| error.to_string())
    }

    #[test]
    fn the_task_is_that_which_transformers_would_take() {
        let task = |extra: &str, num_labels| stored(extra, num_labels).unwrap().task;
        assert_eq!(task("", 3), Task::SingleLabelClassification);
        assert_eq!(task("", 1), Task::Regression);
        let stated = ", \"problem_type\": \"multi_label_classification\"";
        assert_eq!(task(stated, 3), Task::MultiLabelClassification);
        let tokens = ", \"architectures\": [\"BertForTokenClassification\"]";
        assert_eq!(task(tokens, 3), Task::TokenClassification);
        let answers = ", \"architectures\": [\"BertForQuestionAnswering\"]";
        assert_eq!(task(answers, 2), Task::QuestionAnswering);
        assert!(stored(answers, 3).unwrap_err().contains("3 outputs"));
    }

    #[test]
    fn contradictions_are_refused() {
        let regression = ", \"problem_type\": \"regression\"";
        assert!(stored(regression, 2).unwrap_err().contains("2 outputs"));
        assert!(stored(", \"problem_type\": \"ranking\"", 2).unwrap_err().contains("\"ranking\""));
        let named = ", \"id2label\": {\"0\": \"a\", \"1\": \"b\"}";
        assert!(stored(named, 3).unwrap_err().contains("names 2 labels"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let label_map = LabelMap::new("t", vec!["a".into(), "b".into()]).unwrap();
        for task in Task::ALL {
            let label_map = match task {
                Task::Regression => LabelMap::of_a_score(),
                Task::QuestionAnswering => LabelMap::of_a_span(),
                _ => label_map.clone(),
            };
            let head = Head { task, label_map };
            let json = serde_json::to_string(&head.to_json(Family::Bert)).unwrap();
            let extra = format!(", {}", &json[1..json.len() - 1]);
            assert_eq!(stored(&extra, head.label_map.len()).unwrap(), head);
        }
    }
}
