//! What an engine answers.

use serde::Serialize;
use wasm_bindgen::JsValue;

#[derive(Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    Ready {},
    Opened {
        model: ModelInfo,
        /// Whether the head is new, because the model did not know the labels.
        new_head: bool,
    },
    Classified(Classified),
    Tokenized {
        input_ids: Vec<Vec<u32>>,
    },
    Gradients {
        loss: f32,
        parameters: Vec<Gradient>,
    },
    TrainStarted {
        total_steps: usize,
        steps_per_epoch: usize,
        /// The peak, chosen for the model where the page left it open.
        learning_rate: f64,
        /// Steps taken before, where the training goes on from a state.
        step: usize,
    },
    Trained(Trained),
    Evaluated(Evaluated),
    Saved {
        /// A `Blob`, which goes beside the answer: see [`super::attach_files`].
        #[serde(skip)]
        file: JsValue,
    },
    Rows {
        rows: Vec<Example>,
    },
    Reviewed(Reviewed),
    #[cfg(feature = "engine")]
    Explained {
        explanation: Box<emberlab_core::explain::Explanation>,
        /// The classes in id order.
        labels: Vec<String>,
        layers: usize,
        heads: usize,
        /// `[layers, heads, tokens, tokens]` as a `Float32Array`, which goes beside the answer.
        #[serde(skip)]
        attentions: JsValue,
    },
    #[cfg(feature = "engine")]
    Lesson(Box<emberlab_core::train::Lesson>),
    #[cfg(feature = "engine")]
    Schedule {
        learning_rates: Vec<f64>,
    },
    #[cfg(feature = "engine")]
    FilledMask {
        /// For each mask the best, in order.
        guesses: Vec<Vec<emberlab_core::model::Guess>>,
    },
    /// One of those above, for the script that asked.
    #[serde(skip)]
    Script(JsValue),
    Failed {
        message: String,
        /// The page's own string for it, where it has one.
        words: Option<Words>,
    },
    Died {
        message: String,
    },
}

/// The key of one of the page's strings, and the pairs of name and value for its places.
#[derive(Clone, Serialize)]
pub struct Words {
    pub key: String,
    pub values: Vec<Vec<String>>,
}

/// What the page says about the open model.
#[derive(Clone, Serialize)]
pub struct ModelInfo {
    pub name: String,
    /// `model_type` of the model's `config.json`.
    pub architecture: String,
    /// `single_label_classification`, `multi_label_classification` or `regression`.
    pub task: String,
    /// Number of weights.
    pub parameters: usize,
    /// Label names in the order of their ids.
    pub labels: Vec<String>,
    /// Tokens that a text may have before it is cut.
    pub max_length: usize,
    /// Layers of the encoder.
    pub layers: usize,
}

#[derive(Clone, Serialize)]
pub struct Classified {
    /// In the order of the texts.
    pub predictions: Vec<Prediction>,
    /// Wall time of tokenizing and predicting, in the engine.
    pub milliseconds: f64,
}

/// One text's logits and probabilities, in the order of the label ids. A regression has one logit, the
/// score, and no probability.
#[derive(Clone, Serialize)]
pub struct Prediction {
    pub logits: Vec<f32>,
    pub probabilities: Vec<f32>,
    /// Tokens that the model saw, special ones included.
    pub tokens: usize,
    /// Whether the text had more tokens than the model can see.
    pub truncated: bool,
}

/// The gradient of one parameter: its L2 norm and its first values.
#[derive(Clone, Serialize)]
pub struct Gradient {
    pub name: String,
    pub norm: f32,
    pub first: Vec<f32>,
}

/// Where a training stands after some steps.
#[derive(Clone, Serialize)]
pub struct Trained {
    /// Steps taken since the training began.
    pub step: usize,
    /// The epoch of the last step, from 0.
    pub epoch: usize,
    /// Mean loss of this request's steps; nothing if it asked for none.
    pub loss: Option<f32>,
    /// Whether that was the last step.
    pub done: bool,
    /// Rows and tokens of this request's steps.
    pub rows: usize,
    pub tokens: usize,
    /// Wall time of the steps, in the engine.
    pub milliseconds: f64,
}

/// How a model does on labelled texts.
#[derive(Clone, Serialize)]
pub struct Evaluated {
    /// 0 to 1.
    pub accuracy: f64,
    pub macro_f1: f64,
    /// `[label][predicted]` counts.
    pub confusion_matrix: Vec<Vec<usize>>,
    /// The label id that the model gives each text, and its probability.
    pub predicted: Vec<usize>,
    pub scores: Vec<f32>,
}

/// A row that may have no label yet.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Example {
    pub text: String,
    pub label: Option<String>,
}

/// What there is to say about rows to train on.
#[derive(Clone, Serialize)]
pub struct Reviewed {
    pub findings: Vec<Finding>,
    /// Rows to train on and rows to measure on, by number.
    pub train: Vec<usize>,
    pub held_out: Vec<usize>,
}

/// See `emberlab_core::data::Finding`.
#[derive(Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    OneLabel,
    FewRows { label: String, rows: usize },
    Unbalanced { largest: String, smallest: String },
    Duplicates { rows: usize },
    Contradictions { texts: usize, example: String },
}
