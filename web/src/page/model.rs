//! Where a model comes from: a folder on the page's own origin, files picked by hand, a folder
//! dropped on the page, or a zip.

use super::{
    dom::{document, settle, window},
    text::{fill, text},
};
use crate::messages::{Request, describe, property};
use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DataTransferItemList, File, FileList, FileSystemDirectoryEntry, FileSystemEntry,
    FileSystemFileEntry, RequestInit, RequestRedirect, Response, Url, UrlSearchParams,
};

/// What the page opens when no `?model=` names another folder.
const DEFAULT_FOLDER: &str = "models/emotions";
/// What is fetched of a folder; `vocab.txt` only where there is no `tokenizer.json`.
const FILES: [&str; 4] =
    ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

/// A model's files as `[name, Blob]` pairs: handles that an engine reads, not bytes. One zip is
/// enough.
#[derive(Clone)]
pub struct Model {
    pub name: String,
    pub files: Array,
}

impl Model {
    fn new(name: String, files: impl IntoIterator<Item = (impl Into<JsValue>, JsValue)>) -> Self {
        let files = files.into_iter().map(|(name, data)| Array::of2(&name.into(), &data)).collect();
        Self { name, files }
    }

    pub fn request(&self) -> Request {
        Request::Open { name: self.name.clone() }
    }

    /// A zip of a model's folder.
    pub fn zip(name: &str, zip: JsValue) -> Self {
        Self::new(name.into(), [([name, ".zip"].concat(), zip)])
    }

    /// Fetches the folder named by `?model=`, or the default.
    pub async fn wished() -> Result<Self, String> {
        let wished = wished_folder().map_err(|error| describe(&error))?;
        Self::folder(wished.as_deref().unwrap_or(DEFAULT_FOLDER)).await
    }

    /// Fetches a folder of the site.
    pub fn folder(folder: &str) -> impl Future<Output = Result<Self, String>> + use<> {
        Self::fetch(folder.to_string())
    }

    async fn fetch(folder: String) -> Result<Self, String> {
        let base = own_folder(&folder).map_err(|error| describe(&error))?;
        let mut files = Vec::new();
        for file in FILES.map(|name| Fetch::start(&base, name)) {
            files.extend(file?.finish().await?);
        }
        if !files.iter().any(|(name, _)| *name == "tokenizer.json") {
            files.extend(Fetch::start(&base, "vocab.txt")?.finish().await?);
        }
        if files.is_empty() {
            return Err(fill("model.none_there", &[("folder", &folder)]));
        }
        Ok(Self::new(last_part(&folder).into(), files))
    }

    /// Files from a file input. A picked folder names the model, and its sub-folders are left out.
    pub fn picked(list: &FileList) -> Self {
        let files: Vec<File> = (0..list.length()).filter_map(|index| list.get(index)).collect();
        let folder = files
            .first()
            .map(relative_path)
            .and_then(|path| Some(path.split_once('/')?.0.to_string()));
        let top_level =
            files.into_iter().filter(|file| relative_path(file).matches('/').count() <= 1);
        Self::new(
            folder.or_else(|| zip_name(list)).unwrap_or_else(|| text("model.yours")),
            top_level.map(|file| (file.name(), file.into())),
        )
    }

    /// A dropped folder, or dropped files. The entries must be taken out of the event before
    /// anything is waited for.
    pub async fn dropped(entries: Vec<FileSystemEntry>) -> Result<Self, String> {
        let folder = entries.iter().find(|entry| entry.is_directory()).cloned();
        let (name, entries) = match folder {
            Some(folder) => (folder.name(), read_folder(folder.unchecked_into()).await?),
            None => {
                let zip = entries.iter().find_map(|entry| stem(&entry.name()));
                (zip.unwrap_or_else(|| text("model.yours")), entries)
            }
        };
        let mut files = Vec::new();
        for entry in entries.into_iter().filter(FileSystemEntry::is_file) {
            files.push((entry.name(), read_entry(entry.unchecked_into()).await?));
        }
        Ok(Self::new(name, files))
    }
}

/// The files and folders of a drop event.
pub fn entries(items: &DataTransferItemList) -> Vec<FileSystemEntry> {
    (0..items.length()).filter_map(|index| items.get(index)?.webkit_get_as_entry().ok()?).collect()
}

fn wished_folder() -> Result<Option<String>, JsValue> {
    let query = window().location().search()?;
    Ok(UrlSearchParams::new_with_str(&query)?.get("model").filter(|folder| !folder.is_empty()))
}

/// The folder's address, which must be on this page's own origin.
fn own_folder(folder: &str) -> Result<String, JsValue> {
    let location = window().location();
    let base = document().base_uri()?.unwrap_or_default();
    let url = Url::new_with_base(&[folder.trim_end_matches('/'), "/"].concat(), &base)
        .map_err(|_| fill("model.no_folder", &[("folder", folder)]))?;
    if url.origin() != location.origin()? || url.protocol() != location.protocol()? {
        let values = [("folder", folder), ("example", DEFAULT_FOLDER)];
        return Err(fill("model.elsewhere", &values).into());
    }
    Ok(url.href())
}

/// A file of the folder on its way; all of them are started before the first is waited for.
struct Fetch {
    name: &'static str,
    response: JsFuture,
}

impl Fetch {
    /// A redirect could lead to another origin, so it is refused.
    fn start(base: &str, name: &'static str) -> Result<Self, String> {
        let init = RequestInit::new();
        init.set_redirect(RequestRedirect::Error);
        let promise = window().fetch_with_str_and_init(&[base, name].concat(), &init);
        Ok(Self { name, response: JsFuture::from(promise) })
    }

    /// The file's name and blob; nothing when the host has no such file.
    async fn finish(self) -> Result<Option<(&'static str, JsValue)>, String> {
        let name = self.name;
        let failed = |why: String| fill("model.not_loaded", &[("file", name), ("why", &why)]);
        let thrown = |error: JsValue| failed(describe(&error));
        let response: Response = self.response.await.map_err(thrown)?.unchecked_into();
        match response.status() {
            404 => Ok(None),
            200..300 => Ok(Some((
                name,
                JsFuture::from(response.blob().map_err(thrown)?).await.map_err(thrown)?,
            ))),
            status => Err(failed(fill("model.status", &[("n", &status.to_string())]))),
        }
    }
}

fn last_part(folder: &str) -> &str {
    folder.trim_end_matches('/').rsplit('/').next().unwrap_or(folder)
}

/// The name that a picked zip gives a model.
fn zip_name(list: &FileList) -> Option<String> {
    stem(&list.get(0)?.name())
}

/// `mine` for `mine.zip`.
fn stem(file: &str) -> Option<String> {
    let (stem, ending) = file.rsplit_once('.')?;
    ending.eq_ignore_ascii_case("zip").then(|| stem.into())
}

/// `folder/file` for a file from a folder picker, empty for one from a file picker.
fn relative_path(file: &File) -> String {
    property(file, "webkitRelativePath").as_string().unwrap_or_default()
}

/// The entries of a folder; the browser hands them out in portions, the last of which is empty.
async fn read_folder(folder: FileSystemDirectoryEntry) -> Result<Vec<FileSystemEntry>, String> {
    let reader = folder.create_reader();
    let mut entries = Vec::new();
    loop {
        let promise = Promise::new(&mut |resolve: Function, reject: Function| {
            if let Err(error) = reader.read_entries_with_callback_and_callback(&resolve, &reject) {
                let _ = reject.call1(&JsValue::UNDEFINED, &error);
            }
        });
        let portion = Array::from(&settle(promise).await?);
        if portion.length() == 0 {
            return Ok(entries);
        }
        entries.extend(portion.iter().map(|entry| entry.unchecked_into::<FileSystemEntry>()));
    }
}

async fn read_entry(entry: FileSystemFileEntry) -> Result<JsValue, String> {
    let promise = Promise::new(&mut |resolve: Function, reject: Function| {
        entry.file_with_callback_and_callback(&resolve, &reject)
    });
    settle(promise).await
}

#[cfg(test)]
mod tests {
    use super::{last_part, stem};

    #[test]
    fn a_zip_names_its_model() {
        assert_eq!(stem("my.model.ZIP").as_deref(), Some("my.model"));
        assert_eq!(stem("config.json"), None);
    }

    #[test]
    fn a_folder_is_called_by_its_last_part() {
        assert_eq!(last_part("models/emotions"), "emotions");
        assert_eq!(last_part("models/emotions/"), "emotions");
        assert_eq!(last_part("emotions"), "emotions");
    }
}
