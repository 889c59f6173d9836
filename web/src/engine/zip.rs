//! A model folder in one file.

use super::problem::Problem;
use emberlab_core::model::ModelFiles;
use std::io::{Cursor, Read, Write};
use zip::{CompressionMethod, ZipArchive, ZipWriter, read::ZipFile, write::SimpleFileOptions};

/// What a model's files may have in all, unpacked: more than a tab can hold as a model.
const MAX_BYTES: u64 = 2_000_000_000;
/// Deflate packs text no tighter than this; only a bomb does.
const MAX_RATIO: u64 = 200;
const MAX_ENTRIES: usize = 10_000;
/// What each entry of a zip's directory begins with (APPNOTE 4.3.12).
const ENTRY: &[u8] = b"PK\x01\x02";

type Files = Vec<(String, Vec<u8>)>;

/// A model's files from a zip, from its top or from the one folder in it that has a `config.json`.
///
/// Nothing is written anywhere, but a name that leads out of the folder, or a file that grows past
/// all measure, shows that the zip is not what it says: it is refused as a whole.
pub fn unpack(name: &str, bytes: Vec<u8>) -> Result<Files, Problem> {
    let broken = |error: zip::result::ZipError| {
        let message = format!("{name}: not a readable zip file: {error}");
        Problem::new(message, "error.bad_zip", &[("name", name), ("reason", &error.to_string())])
    };
    // The crate keeps hundreds of bytes for each before it says how many there are.
    let entries = bytes.windows(ENTRY.len()).filter(|bytes| *bytes == ENTRY).count();
    if entries > MAX_ENTRIES {
        return Err(format!("{name}: {entries} files in a zip are too many for a model.").into());
    }
    // Sizes that entries state may be lies, and several may share what is packed; this is neither.
    let mut left = MAX_BYTES.min(MAX_RATIO * bytes.len() as u64);
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let mut paths = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(broken)?;
        let path = file.name().map_err(broken)?.into_owned();
        check(name, &path, &file)?;
        paths.push(path);
    }
    let folder = model_folder(name, &paths)?;
    let mut files = Files::new();
    for (index, path) in paths.iter().enumerate() {
        let Some(file) = path.strip_prefix(&folder).filter(|it| ModelFiles::is_wanted(it)) else {
            continue;
        };
        let mut entry = archive.by_index(index).map_err(broken)?;
        let unpacked = read(&mut entry, left).map_err(|why| format!("{name}: {path} {why}"))?;
        left -= unpacked.len() as u64;
        files.push((file.to_string(), unpacked));
    }
    Ok(files)
}

fn check<R: Read>(name: &str, path: &str, file: &ZipFile<'_, R>) -> Result<(), String> {
    let is_rooted = path.starts_with('/') || path.contains(['\\', ':', '\0']);
    if is_rooted || path.split('/').any(|part| part == "..") || file.is_symlink() {
        return Err(format!(
            "{name}: the entry \"{path}\" leads out of the zip. Nothing of it was opened; zip the model's folder again."
        ));
    }
    if file.size() > MAX_BYTES || file.size() / MAX_RATIO > file.compressed_size() {
        return Err(format!(
            "{name}: {path} would unpack to {} bytes from {}. No model does that, so it was not opened.",
            file.size(),
            file.compressed_size()
        ));
    }
    Ok(())
}

/// `folder/` before `config.json`; empty where that stands at the top.
fn model_folder(name: &str, paths: &[String]) -> Result<String, Problem> {
    let ours = |path: &&String| !path.starts_with("__MACOSX/");
    let folders = paths.iter().filter(ours).filter_map(|path| path.strip_suffix("config.json"));
    let folders = folders.filter(|folder| folder.is_empty() || folder.ends_with('/'));
    let depth = |folder: &&str| folder.matches('/').count();
    let folder = folders.min_by_key(depth);
    folder.map(String::from).ok_or_else(|| {
        let message = format!(
            "{name}: no config.json in this zip; it must hold a Hugging Face model folder."
        );
        Problem::new(message, "error.no_model_in_zip", &[("name", name)])
    })
}

/// The crate reads no more than an entry says it holds, and this no more than is left.
fn read<R: Read>(entry: &mut ZipFile<'_, R>, left: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = entry.by_ref().take(left + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot be unpacked: {error}"))?;
    if bytes.len() as u64 > left {
        return Err("unpacks to more than 200 times the zip, or 2 GB. No model does that, so it was not opened.".into());
    }
    Ok(bytes)
}

/// A zip with these files at its top. They are stored as they are: weights do not pack.
pub fn pack(files: Files) -> Result<Vec<u8>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("the zip could not be written: {error}");
    let size: usize = files.iter().map(|(_, bytes)| bytes.len() + 512).sum();
    let mut writer = ZipWriter::new(Cursor::new(Vec::with_capacity(size)));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in files {
        writer.start_file(name, options).map_err(|error| failed(&error))?;
        writer.write_all(&bytes).map_err(|error| failed(&error))?;
    }
    Ok(writer.finish().map_err(|error| failed(&error))?.into_inner())
}
