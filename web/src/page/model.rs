//! A model's files, and where they come from: picked by hand, a folder dropped on the page, or a zip.
//! (`folder.rs` fetches them.)

use super::{dom::settle, text::text};
use crate::messages::{Request, property};
use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    DataTransferItemList, File, FileList, FileSystemDirectoryEntry, FileSystemEntry,
    FileSystemFileEntry,
};

/// A model's files as `[name, Blob]` pairs: handles that an engine reads, not bytes. One zip is
/// enough.
#[derive(Clone)]
pub struct Model {
    pub name: String,
    pub files: Array,
    /// Labels to open it for, as a training with this seed begins with it; none to classify with its own.
    pub for_training: Option<(Vec<String>, u64)>,
}

impl Model {
    pub fn new(
        name: String,
        files: impl IntoIterator<Item = (impl Into<JsValue>, JsValue)>,
    ) -> Self {
        let files = files.into_iter().map(|(name, data)| Array::of2(&name.into(), &data)).collect();
        Self { name, files, for_training: None }
    }

    /// The model that a training for these labels begins with.
    pub fn for_training(self, labels: Vec<String>, seed: u64) -> Self {
        Self { for_training: Some((labels, seed)), ..self }
    }

    /// The model with the labels that it has.
    pub fn for_predicting(self) -> Self {
        Self { for_training: None, ..self }
    }

    pub fn request(&self) -> Request {
        let name = self.name.clone();
        match self.for_training.clone() {
            Some((labels, seed)) => Request::OpenForTraining { name, labels, seed },
            None => Request::Open { name },
        }
    }

    /// A zip of a model's folder.
    pub fn zip(name: &str, zip: JsValue) -> Self {
        Self::new(name.into(), [([name, ".zip"].concat(), zip)])
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
    use super::stem;

    #[test]
    fn a_zip_names_its_model() {
        assert_eq!(stem("my.model.ZIP").as_deref(), Some("my.model"));
        assert_eq!(stem("config.json"), None);
    }
}
