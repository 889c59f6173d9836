//! What the page asks of an engine.

use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Opens the model in the `files` beside this request; `name` is what messages call it.
    Open { name: String },
    /// Opens a model to fine-tune it for these labels, which may come in any order and often.
    OpenForTraining { name: String, labels: Vec<String>, seed: u64 },
    /// Classifies each text with the open model.
    Classify { texts: Vec<String> },
    /// Token ids of each text with special tokens, not cut to what the model can see.
    Tokenize { texts: Vec<String> },
    /// Loss and gradients of one training step on these texts with these label ids, dropout off; no
    /// weight changes.
    Gradients { texts: Vec<String>, labels: Vec<usize> },
    /// Begins to fine-tune the open model on these texts with these label ids, or goes on from the state
    /// beside this request. From the first step on, the trained weights are the open model's.
    TrainStart { texts: Vec<String>, labels: Vec<usize>, config: TrainSettings },
    /// So many optimizer steps of the training that was begun, or as many as are left.
    TrainSteps { count: usize },
    /// How the open model does on these texts with these label ids.
    Evaluate { texts: Vec<String>, labels: Vec<usize>, max_length: Option<usize> },
    /// The open model as a zip of a Hugging Face folder.
    Save {},
    /// All of the training that was begun, to go on from exactly there.
    State {},
    /// The rows of the CSV, TSV or JSONL file beside this request.
    ReadFile { name: String },
    /// The rows of a text that was pasted.
    ReadPasted { text: String },
    /// Looks over rows to train on, and holds out a share of each label's (0 to 1).
    Review { texts: Vec<String>, labels: Vec<String>, held_out: f64, seed: u64 },
    /// The tokens of a text, its attentions, and what each token adds to a class: that which is predicted,
    /// where none is named. Of a long text the first 128 tokens.
    #[cfg(feature = "engine")]
    Explain { text: String, label: Option<usize> },
    /// What becomes of labelled rows (a CSV file) on the way through a few steps of training.
    #[cfg(feature = "engine")]
    Lesson { rows: String, settings: LessonSettings },
    /// The learning rate of each step of such a run.
    #[cfg(feature = "engine")]
    Schedule { settings: LessonSettings },
    /// Opens the masked language model in the `files` beside this request.
    #[cfg(feature = "engine")]
    OpenMaskedLm { name: String },
    /// What it guesses for each `[MASK]` of a text, so many guesses each.
    #[cfg(feature = "engine")]
    FillMask { text: String, top_k: usize },
    /// One of those above, as a script of `web/teach/` has written it.
    #[serde(skip)]
    Script(JsValue),
}

/// What of a training's recipe the page sets, named as in `emberlab_core::train::TrainConfig`, whose
/// presets hold for what is left out.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainSettings {
    pub epochs: Option<usize>,
    pub batch_size: Option<usize>,
    pub learning_rate: Option<f64>,
    pub seed: Option<u64>,
    /// Tokens after which a text is cut; what the model can see, where left out.
    pub max_length: Option<usize>,
    /// The last layers that are trained beside the head; all, where left out.
    pub trainable_layers: Option<usize>,
}

/// The recipe of a lesson, named as in `emberlab_core::train::TrainConfig`.
#[cfg(feature = "engine")]
#[derive(Clone, Deserialize, Serialize)]
pub struct LessonSettings {
    pub steps: usize,
    pub learning_rate: f64,
    pub warmup_ratio: f64,
    /// `linear` or `cosine`
    pub schedule: emberlab_core::train::Schedule,
    /// Whether the gradients are set to zero before each step.
    pub zero_grad: bool,
}
