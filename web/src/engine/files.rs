//! The files beside a request, as bytes.

use super::{problem::Problem, zip};
use crate::messages::describe;
use emberlab_core::model::ModelFiles;
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The names and contents (blobs, buffers or typed arrays) beside a request.
pub type Attached = Vec<(String, JsValue)>;

/// Those files that a model has, of a folder which may hold much else, or of one zip of it.
pub async fn model(folder: &str, files: Attached) -> Result<ModelFiles, Problem> {
    let mut named = Vec::new();
    for (name, data) in files {
        if name.to_ascii_lowercase().ends_with(".zip") {
            named.extend(zip::unpack(&name, read(&name, &data).await?)?);
        } else if ModelFiles::is_wanted(&name) {
            let bytes = read(&format!("{folder}/{name}"), &data).await?;
            named.push((name, bytes));
        }
    }
    Ok(ModelFiles::from_named(folder, named)?)
}

/// The bytes of a blob, a buffer or a typed array: `Response` takes them all.
pub async fn read(name: &str, data: &JsValue) -> Result<Vec<u8>, String> {
    let failed = |error: JsValue| format!("{name} could not be read: {}", describe(&error));
    let response = web_sys::Response::new_with_opt_buffer_source(data.dyn_ref()).map_err(failed)?;
    let buffer = JsFuture::from(response.array_buffer().map_err(failed)?).await.map_err(failed)?;
    Ok(Uint8Array::new(&buffer.unchecked_into::<ArrayBuffer>()).to_vec())
}
