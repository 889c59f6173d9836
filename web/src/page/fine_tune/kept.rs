//! A training that a reload or a closed lid may interrupt: what it began with and its newest states, in the
//! browser's private file system (see `web/kept.js`), until it ends.

use super::{
    super::{dom::settle, model::Model},
    rows::Row,
};
use crate::{
    messages::{Read, TrainSettings, field},
    readable,
};
use js_sys::{Array, Promise};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};

#[wasm_bindgen(raw_module = "./kept.js")]
extern "C" {
    fn begin(note: &JsValue, files: &Array) -> Promise;
    #[wasm_bindgen(js_name = keep)]
    fn keep_state(step: f64, state: &JsValue) -> Promise;
    #[wasm_bindgen(js_name = find)]
    fn find_plan() -> Promise;
    #[wasm_bindgen(js_name = forget)]
    fn forget_all() -> Promise;
}

/// What a training began with, beside its model.
#[derive(Clone, Serialize)]
pub struct Note {
    pub rows: Vec<Row>,
    pub settings: TrainSettings,
    pub total_steps: usize,
    pub model_name: String,
}

readable!(Note { rows, settings, total_steps, model_name });

/// A training that was interrupted.
pub struct Kept {
    pub note: Note,
    pub model: Model,
    /// The step and the `Blob` of each state, the newest first.
    pub states: Vec<(usize, JsValue)>,
}

/// Keeps a state; before the first of a training, also what that began with. What cannot be kept is
/// lost to a reload, and no more: these promises are not rejected.
pub fn keep(first: Option<(Note, Array)>, step: usize, state: &JsValue) {
    if let Some((note, files)) = first {
        let note = note.serialize(&Serializer::json_compatible()).unwrap_or_default();
        let _ = begin(&note, &files);
    }
    let _ = keep_state(step as f64, state);
}

/// The training that was interrupted; nothing where none was.
pub async fn find() -> Option<Kept> {
    let found = settle(find_plan()).await.ok()?;
    let note: Note = field(&found, "plan")?;
    let states: Vec<JsValue> = field(&found, "states")?;
    let pair = |pair: JsValue| {
        let pair: Array = pair.dyn_into().ok()?;
        Some((usize::read(&pair.get(0))?, pair.get(1)))
    };
    let model = Model {
        name: note.model_name.clone(),
        files: crate::messages::property(&found, "files").unchecked_into(),
        for_training: None,
    };
    Some(Kept { note, model, states: states.into_iter().filter_map(pair).collect() })
}

/// Keeps nothing any more.
pub async fn forget() {
    let _ = settle(forget_all()).await;
}
