//! A training that a reload or a closed lid may interrupt: its rows and its newest weights, in the
//! browser's private file system (OPFS), until it ends. They leave the machine as little as the rest.

use super::{
    super::dom::{settle, window},
    rows::Row,
};
use crate::{
    messages::{Read, TrainSettings, describe},
    readable,
};
use js_sys::{Array, JSON, JsString};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Blob, File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetFileOptions,
    FileSystemWritableFileStream,
};

const NOTE: &str = "training.json";
const WEIGHTS: &str = "training.zip";

/// All of a training but its weights. The optimizer's moments are not kept: what goes on from here has
/// seen `step` steps, and warms up anew.
#[derive(Clone, Serialize)]
pub struct Note {
    pub rows: Vec<Row>,
    pub settings: TrainSettings,
    pub step: usize,
    pub total_steps: usize,
    pub steps_per_epoch: usize,
}

readable!(Note { rows, settings, step, total_steps, steps_per_epoch });

/// Keeps a training; what was kept before is replaced once the new files are whole.
pub async fn keep(note: &Note, weights: &Blob) -> Result<(), String> {
    let failed = |error: JsValue| describe(&error);
    let note =
        note.serialize(&Serializer::json_compatible()).map_err(|error| failed(error.into()))?;
    let note = JSON::stringify(&note).map_err(failed)?;
    let folder = folder().await?;
    write(&folder, WEIGHTS, |file| file.write_with_blob(weights)).await?;
    write(&folder, NOTE, |file| file.write_with_str(&String::from(&note))).await
}

/// The training that was interrupted, with a zip of its model; nothing where none was. The zip is a
/// copy: a file's handle is void once the next weights are kept.
pub async fn find() -> Option<(Note, Blob)> {
    let folder = folder().await.ok()?;
    let note = read(&folder, NOTE).await.ok()?;
    let note: JsString = settle(note.text()).await.ok()?.unchecked_into();
    let note = Note::read(&JSON::parse(&String::from(note)).ok()?)?;
    let weights = read(&folder, WEIGHTS).await.ok()?;
    let weights = Array::of1(&settle(weights.array_buffer()).await.ok()?);
    Some((note, Blob::new_with_buffer_source_sequence(&weights).ok()?))
}

/// Keeps nothing any more.
pub async fn forget() {
    if let Ok(folder) = folder().await {
        for name in [NOTE, WEIGHTS] {
            let _ = settle(folder.remove_entry(name)).await;
        }
    }
}

async fn folder() -> Result<FileSystemDirectoryHandle, String> {
    let folder = window().navigator().storage().get_directory();
    Ok(settle(folder).await?.unchecked_into())
}

async fn read(folder: &FileSystemDirectoryHandle, name: &str) -> Result<File, String> {
    let handle: FileSystemFileHandle = settle(folder.get_file_handle(name)).await?.unchecked_into();
    Ok(settle(handle.get_file()).await?.unchecked_into())
}

async fn write(
    folder: &FileSystemDirectoryHandle,
    name: &str,
    content: impl Fn(&FileSystemWritableFileStream) -> Result<js_sys::Promise, JsValue>,
) -> Result<(), String> {
    let create = FileSystemGetFileOptions::new();
    create.set_create(true);
    let handle = settle(folder.get_file_handle_with_options(name, &create)).await?;
    let handle: FileSystemFileHandle = handle.unchecked_into();
    let file: FileSystemWritableFileStream =
        settle(handle.create_writable()).await?.unchecked_into();
    settle(content(&file).map_err(|error| describe(&error))?).await?;
    settle(file.close()).await.map(drop)
}
