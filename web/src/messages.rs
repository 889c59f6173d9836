//! The messages between the page and an engine: plain JavaScript objects, so that a test can post
//! them by hand.
//!
//! An engine is a module worker. It says `ready` (id 0) once it can take requests and then answers
//! each request in order, with the request's own `id`:
//!
//! ```js
//! const engine = new Worker("./engine-cpu_loader.js", { type: "module" });
//! engine.onmessage = ({ data }) => console.log(data);
//! // { id: 0, type: "ready" }
//! const files = [["config.json", bytes], …];
//! engine.postMessage({ id: 1, type: "open", name: "emotions", files });
//! // { id: 1, type: "opened", model: { name, architecture, parameters, labels, max_length } }
//! engine.postMessage({ id: 2, type: "classify", texts: ["I can't wait!"] });
//! // { id: 2, type: "classified", milliseconds,
//! //   predictions: [{ logits, probabilities, tokens, truncated }] }
//! engine.postMessage({ id: 3, type: "tokenize", texts: ["I can't wait!"] });
//! // { id: 3, type: "tokenized", input_ids: [[101, 1045, …, 102]] }
//! engine.postMessage({ id: 4, type: "gradients", texts: ["I can't wait!"], labels: [1] });
//! // { id: 4, type: "gradients", loss, parameters: [{ name, norm, first }] }
//! const config = { epochs: 4, batch_size: 16, learning_rate: 5e-4 };
//! engine.postMessage({ id: 5, type: "train_start", texts, labels, config });
//! // { id: 5, type: "train_started", total_steps, steps_per_epoch }
//! engine.postMessage({ id: 6, type: "train_steps", count: 5 });
//! // { id: 6, type: "trained", step, epoch, loss, done, milliseconds }
//! ```
//!
//! A request that cannot be met is answered by `{ id, type: "failed", message }` and changes
//! nothing: after a failed `open` the model from before still answers. (Only a training that
//! diverges is known by its loss, after its steps.) `{ id: 0, type: "died", message }` is an
//! engine's last word.
//!
//! `files` goes beside the request, as pairs of a name and a `Blob`, `ArrayBuffer` or typed array. The
//! page sends blobs, which the browser shares rather than copies, so that it never holds a model in
//! its own memory.

use js_sys::{Array, Reflect};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};

/// The id of what an engine says unasked: `ready` and `died`.
pub const UNASKED: u32 = 0;

#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Opens the model in the `files` beside this request; `name` is what messages call it.
    Open { name: String },
    /// Classifies each text with the open model.
    Classify { texts: Vec<String> },
    /// Token ids of each text with special tokens, not cut to what the model can see.
    Tokenize { texts: Vec<String> },
    /// Loss and gradients of one training step on these texts with these label ids, dropout off; no
    /// weight changes.
    Gradients { texts: Vec<String>, labels: Vec<usize> },
    /// Begins to fine-tune the open model on these texts with these label ids. From the first step
    /// on, the trained weights are the open model's.
    TrainStart { texts: Vec<String>, labels: Vec<usize>, config: TrainSettings },
    /// So many optimizer steps of the training that was begun, or as many as are left.
    TrainSteps { count: usize },
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
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Response {
    Ready,
    Opened { model: ModelInfo },
    Classified(Classified),
    Tokenized { input_ids: Vec<Vec<u32>> },
    Gradients { loss: f32, parameters: Vec<Gradient> },
    TrainStarted { total_steps: usize, steps_per_epoch: usize },
    Trained(Trained),
    Failed { message: String },
    Died { message: String },
}

/// What the page says about the open model.
#[derive(Clone, Serialize, Deserialize)]
pub struct ModelInfo {
    pub name: String,
    /// `model_type` of the model's `config.json`.
    pub architecture: String,
    /// Number of weights.
    pub parameters: usize,
    /// Label names in the order of their ids.
    pub labels: Vec<String>,
    /// Tokens that a text may have before it is cut.
    pub max_length: usize,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Classified {
    /// In the order of the texts.
    pub predictions: Vec<Prediction>,
    /// Wall time of tokenizing and predicting, in the engine.
    pub milliseconds: f64,
}

/// One text's logits and probabilities, in the order of the label ids.
#[derive(Clone, Serialize, Deserialize)]
pub struct Prediction {
    pub logits: Vec<f32>,
    pub probabilities: Vec<f32>,
    /// Tokens that the model saw, special ones included.
    pub tokens: usize,
    /// Whether the text had more tokens than the model can see.
    pub truncated: bool,
}

/// The gradient of one parameter: its L2 norm and its first values.
#[derive(Clone, Serialize, Deserialize)]
pub struct Gradient {
    pub name: String,
    pub norm: f32,
    pub first: Vec<f32>,
}

/// Where a training stands after some steps.
#[derive(Clone, Serialize, Deserialize)]
pub struct Trained {
    /// Steps taken since the training began.
    pub step: usize,
    /// The epoch of the last step, from 0.
    pub epoch: usize,
    /// Mean loss of this request's steps; nothing if it asked for none.
    pub loss: Option<f32>,
    /// Whether that was the last step.
    pub done: bool,
    /// Wall time of the steps, in the engine.
    pub milliseconds: f64,
}

/// The plain object for a request or a response; `id` is what ties the two together.
pub fn to_object<T: Serialize>(id: u32, body: &T) -> Result<JsValue, String> {
    let failed = |error: JsValue| format!("a message could not be written: {}", describe(&error));
    let object =
        body.serialize(&Serializer::json_compatible()).map_err(|error| failed(error.into()))?;
    Reflect::set(&object, &"id".into(), &id.into()).map_err(failed)?;
    Ok(object)
}

/// Reads a posted object: its id, 0 where it has none, and the rest.
pub fn from_object<T: DeserializeOwned>(object: JsValue) -> (u32, Result<T, String>) {
    let id = property(&object, "id").as_f64().unwrap_or_default() as u32;
    let body = serde_wasm_bindgen::from_value(object);
    (id, body.map_err(|error| format!("a message could not be read: {error}")))
}

/// Puts `files` (an array of `[name, data]` pairs) beside a request.
pub fn attach_files(object: &JsValue, files: &Array) -> Result<(), String> {
    Reflect::set(object, &"files".into(), files).map(drop).map_err(|error| describe(&error))
}

/// Takes away the `[name, data]` pairs beside a request, so that reading it does not copy them;
/// none where it has no `files`.
pub fn take_files(object: &JsValue) -> Vec<(String, JsValue)> {
    let files = property(object, "files");
    let _ = Reflect::delete_property::<JsValue>(object.unchecked_ref(), &"files".into());
    if !Array::is_array(&files) {
        return Vec::new();
    }
    Array::from(&files)
        .iter()
        .map(|pair| Array::from(&pair))
        .filter_map(|pair| Some((pair.get(0).as_string()?, pair.get(1))))
        .collect()
}

/// A property of a JavaScript value; `undefined` where it has none.
pub fn property(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &key.into()).unwrap_or_default()
}

/// What went wrong, in words, from whatever JavaScript threw.
pub fn describe(error: &JsValue) -> String {
    let message = property(error, "message").as_string().or_else(|| error.as_string());
    message.unwrap_or_else(|| format!("{error:?}"))
}
