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
//! // { id: 1, type: "opened", model: { name, architecture, task, parameters, labels, max_length } }
//! engine.postMessage({ id: 2, type: "classify", texts: ["I can't wait!"] });
//! // { id: 2, type: "classified", milliseconds,
//! //   predictions: [{ logits, probabilities, tokens, truncated }] }
//! engine.postMessage({ id: 3, type: "tokenize", texts: ["I can't wait!"] });
//! // { id: 3, type: "tokenized", input_ids: [[101, 1045, …, 102]] }
//! engine.postMessage({ id: 4, type: "gradients", texts: ["I can't wait!"], labels: [1] });
//! // { id: 4, type: "gradients", loss, parameters: [{ name, norm, first }] }
//! const config = { epochs: 4, batch_size: 16, learning_rate: 5e-4 };
//! engine.postMessage({ id: 5, type: "train_start", texts, labels, config });
//! // { id: 5, type: "train_started", total_steps, steps_per_epoch, learning_rate, step }
//! engine.postMessage({ id: 6, type: "train_steps", count: 5 });
//! // { id: 6, type: "trained", step, epoch, loss, done, rows, tokens, milliseconds }
//! engine.postMessage({ id: 7, type: "evaluate", texts, labels, max_length: null });
//! // { id: 7, type: "evaluated", accuracy, macro_f1, confusion_matrix, predicted, scores }
//! engine.postMessage({ id: 8, type: "save" });
//! // { id: 8, type: "saved", files: [["file", Blob]] }
//! engine.postMessage({ id: 9, type: "explain", text: "I can't wait!", label: null });
//! // { id: 9, type: "explained", explanation: { tokens, words, prediction, attribution,
//! //   completeness_error }, labels, layers, heads, files: [["attentions", Float32Array]] }
//! const settings = { steps: 8, learning_rate: 1e-3, warmup_ratio: 0.25, schedule: "linear", zero_grad: true };
//! engine.postMessage({ id: 10, type: "lesson", rows: "text,label\nI can't wait!,joy\n", settings });
//! // { id: 10, type: "lesson", labels, rows, loss, gradients, gradient_norm, weights, steps }
//! engine.postMessage({ id: 11, type: "schedule", settings });
//! // { id: 11, type: "schedule", learning_rates }
//! engine.postMessage({ id: 12, type: "open_masked_lm", name: "bert-tiny", files });
//! engine.postMessage({ id: 13, type: "fill_mask", text: "A [MASK] of water.", top_k: 5 });
//! // { id: 13, type: "filled_mask", guesses: [[{ token_id, token, probability }]] }
//! ```
//!
//! `open_for_training` opens a folder as `open` does, but for labels of its own: the head is kept where
//! the model knows them all, and starts anew where not. `state` asks for all of a training, which a
//! `train_start` with that file beside it goes on from. `read_file`, `read_pasted` and `review` need
//! no model.
//!
//! A request that cannot be met is answered by `{ id, type: "failed", message, words }`, in English and
//! where possible as one of the page's strings `{ key, values: [[name, value], …] }`, and changes nothing: after a failed `open` the model from before still answers. (Only a training that
//! diverges is known by its loss, after its steps.) `{ id: 0, type: "died", message }` is an
//! engine's last word.
//!
//! `files` goes beside the request, as pairs of a name and a `Blob`, `ArrayBuffer` or typed array; a
//! model may also be one zip of its folder. The page sends blobs, which the browser shares rather than copies, so that it never holds a model in
//! its own memory.

mod read;
mod request;
mod response;

pub use read::{Read, field};
#[cfg(feature = "engine")]
pub use request::LessonSettings;
pub use request::{Request, TrainSettings};
pub use response::{
    Classified, Evaluated, Example, Finding, Gradient, ModelInfo, Prediction, Response, Reviewed,
    Trained, Words,
};

use js_sys::{Array, Object, Reflect};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};

/// The id of what an engine says unasked: `ready` and `died`.
pub const UNASKED: u32 = 0;

/// The plain object for a request or a response; `id` is what ties the two together.
///
/// Serde's enums are `{ classify: { texts } }`, which it reads and writes with far less code than
/// `{ type: "classify", texts }`; the latter is what is posted.
pub fn to_object<T: Serialize>(id: u32, body: &T) -> Result<JsValue, String> {
    let failed = |error: JsValue| ["a message could not be written: ", &describe(&error)].concat();
    let tagged =
        body.serialize(&Serializer::json_compatible()).map_err(|error| failed(error.into()))?;
    let name: JsValue = Object::keys(tagged.unchecked_ref::<Object>()).get(0);
    let object = Reflect::get(&tagged, &name).map_err(failed)?;
    Reflect::set(&object, &"type".into(), &name).map_err(failed)?;
    Reflect::set(&object, &"id".into(), &id.into()).map_err(failed)?;
    Ok(object)
}

/// A request that a script has written, with this id.
pub fn with_id(object: &JsValue, id: u32) -> JsValue {
    let _ = Reflect::set(object, &"id".into(), &id.into());
    object.clone()
}

/// The id of a posted object; 0 where it has none.
pub fn id_of(object: &JsValue) -> u32 {
    property(object, "id").as_f64().unwrap_or_default() as u32
}

/// Reads a request that was posted to an engine.
pub fn to_request(object: JsValue) -> Result<Request, String> {
    let tagged = Object::new();
    let _ = Reflect::set(&tagged, &property(&object, "type"), &object);
    let body = serde_wasm_bindgen::from_value(tagged.into());
    let failed = |error: JsValue| ["a message could not be read: ", &describe(&error)].concat();
    body.map_err(|error| failed(error.into()))
}

/// Puts `files` (an array of `[name, data]` pairs) beside a request or an answer.
pub fn attach_files(object: &JsValue, files: &Array) -> Result<(), String> {
    Reflect::set(object, &"files".into(), files).map(drop).map_err(|error| describe(&error))
}

/// Takes away the `[name, data]` pairs beside a message, so that reading it does not copy them;
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
    message.unwrap_or_else(|| Object::from(error.clone()).to_string().into())
}
