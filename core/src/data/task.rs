//! What a model is asked of a text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kinds of answers, by the names that `problem_type` has in a `config.json` of transformers; tags
/// of tokens and answers are no problem types there but architectures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One class for each text.
    #[default]
    SingleLabelClassification,
    /// Any number of classes for each text, none included.
    MultiLabelClassification,
    /// A number for each text.
    Regression,
    /// A class for each word of a text.
    TokenClassification,
    /// The part of a context that answers a question, if there is one.
    QuestionAnswering,
}

impl Task {
    pub const ALL: [Self; 5] = [
        Self::SingleLabelClassification,
        Self::MultiLabelClassification,
        Self::Regression,
        Self::TokenClassification,
        Self::QuestionAnswering,
    ];

    /// `multi_label_classification`
    pub fn name(self) -> &'static str {
        match self {
            Self::SingleLabelClassification => "single_label_classification",
            Self::MultiLabelClassification => "multi_label_classification",
            Self::Regression => "regression",
            Self::TokenClassification => "token_classification",
            Self::QuestionAnswering => "question_answering",
        }
    }

    /// The task with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task| task.name() == name)
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
