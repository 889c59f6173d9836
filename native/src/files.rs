//! Reading what the user names, and writing so that nothing half-written is ever left under the
//! name that was asked for: write beside it, fsync, rename.

use std::fs::{self, File};
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Mutex;

use anyhow::{Context, Result, bail};
use emberlab_core::model::{ModelFiles, Source};

/// The file that marks a folder as written by `emberlab train`.
pub const RUN_FILE: &str = "run.json";

/// The bytes of a file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A file, opened to be read.
pub fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The files of a model folder; its weights are read when a model is opened.
///
/// # Errors
/// No such folder, or a file that a model needs is not in it.
pub fn read_model(folder: &Path) -> Result<ModelFiles> {
    if folder.is_file() {
        bail!(
            "{} is a file; name the folder that holds config.json and model.safetensors",
            folder.display()
        );
    }
    if !folder.is_dir() {
        bail!("there is no model folder {}", folder.display());
    }
    let mut files = Vec::new();
    let mut weights = None;
    for name in ModelFiles::NAMES {
        let path = folder.join(name);
        match name {
            _ if !path.is_file() => {}
            ModelFiles::WEIGHTS => weights = Some(Source::File(open(&path)?)),
            _ => files.push((name.to_owned(), read(&path)?)),
        }
    }
    Ok(ModelFiles::new(&folder.display().to_string(), files, weights)?)
}

/// Writes a file whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let staged = beside(path)?;
    let written = write_synced(&staged, bytes).and_then(|()| fs::rename(&staged, path));
    if written.is_err() {
        // Best effort: the write already failed, and that is what is reported.
        let _ = fs::remove_file(&staged);
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// A folder in the making: files go into a hidden folder beside the target, which takes the
/// target's place in [`StagedFolder::finish`] and disappears if that is never reached.
pub struct StagedFolder {
    staged: PathBuf,
    target: PathBuf,
}

/// Folders and files in the making, for [`discard_unfinished`].
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes every folder in the making, before the process ends at once.
pub fn discard_unfinished() {
    let unfinished =
        UNFINISHED.lock().map(|mut folders| mem::take(&mut *folders)).unwrap_or_default();
    for path in unfinished {
        // Best effort: nobody is left to tell.
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
}

/// A file in the making, which is too large to be written from memory: a hidden one beside the target,
/// which takes the target's place in [`StagedFile::finish`] and disappears if that is never reached.
pub struct StagedFile {
    staged: PathBuf,
    target: PathBuf,
}

impl StagedFile {
    /// Starts a file that will be `target`.
    pub fn create(target: &Path) -> Result<(Self, File)> {
        let staged = beside(target)?;
        let file = File::create(&staged);
        let file = file.with_context(|| format!("cannot write {}", target.display()))?;
        if let Ok(mut unfinished) = UNFINISHED.lock() {
            unfinished.push(staged.clone());
        }
        Ok((Self { staged, target: target.to_owned() }, file))
    }

    /// Gives the file its name, once all of it is on the disk.
    pub fn finish(self, file: &File) -> Result<()> {
        let moved = file.sync_all().and_then(|()| fs::rename(&self.staged, &self.target));
        moved.with_context(|| format!("cannot write {}", self.target.display()))
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        // Best effort, as for a folder.
        let _ = fs::remove_file(&self.staged);
        forget_unfinished(&self.staged);
    }
}

fn forget_unfinished(path: &Path) {
    if let Ok(mut unfinished) = UNFINISHED.lock() {
        unfinished.retain(|staged| staged != path);
    }
}

impl StagedFolder {
    /// Starts a folder that will be `target`.
    ///
    /// # Errors
    /// `target` holds something already: always refused, except an earlier run folder with
    /// `overwrite`.
    pub fn create(target: &Path, overwrite: bool) -> Result<Self> {
        refuse_to_replace(target, overwrite)?;
        let staged = beside(target)?;
        let parent = staged.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent)
            .and_then(|()| fs::create_dir(&staged))
            .with_context(|| format!("cannot write {}", target.display()))?;
        if let Ok(mut unfinished) = UNFINISHED.lock() {
            unfinished.push(staged.clone());
        }
        Ok(Self { staged, target: target.to_owned() })
    }

    /// Writes one file of it.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_synced(&self.staged.join(name), bytes).with_context(|| self.cannot_write(name))
    }

    /// Copies one file into it under its own name.
    pub fn copy(&self, from: &Path) -> Result<()> {
        let name = from.file_name().context("a file to copy has no name")?;
        self.write(&name.to_string_lossy(), &read(from)?)
    }

    /// Opens a file in it that grows line by line.
    pub fn open(&self, name: &str) -> Result<File> {
        File::create(self.staged.join(name)).with_context(|| self.cannot_write(name))
    }

    /// Gives the folder its name.
    pub fn finish(self) -> Result<()> {
        let replaced = self.target.exists();
        let old = beside(&self.target)?.with_extension("old");
        let moved = File::open(&self.staged)
            .and_then(|folder| folder.sync_all())
            .and_then(|()| if replaced { fs::rename(&self.target, &old) } else { Ok(()) })
            .and_then(|()| fs::rename(&self.staged, &self.target));
        moved.with_context(|| {
            format!("cannot move {} to {}", self.staged.display(), self.target.display())
        })?;
        if replaced {
            fs::remove_dir_all(&old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
        Ok(())
    }

    fn cannot_write(&self, name: &str) -> String {
        format!("cannot write {}", self.target.join(name).display())
    }
}

impl Drop for StagedFolder {
    fn drop(&mut self) {
        // Best effort: a finished folder is not there any more, and where one was not finished
        // whatever stopped us is the error to report.
        let _ = fs::remove_dir_all(&self.staged);
        forget_unfinished(&self.staged);
    }
}

fn refuse_to_replace(target: &Path, overwrite: bool) -> Result<()> {
    let shown = target.display();
    if target.is_file() {
        bail!("{shown} is a file; name a folder to write");
    }
    let empty = fs::read_dir(target).map_or(true, |mut entries| entries.next().is_none());
    match (empty, target.join(RUN_FILE).is_file(), overwrite) {
        (true, ..) | (false, true, true) => Ok(()),
        (false, true, false) => {
            bail!("{shown} holds an earlier run; name another folder, or add --overwrite")
        }
        (false, false, _) => bail!("{shown} is not empty and no run folder; name another folder"),
    }
}

/// A hidden name in the same folder, so that a rename stays on one file system.
fn beside(path: &Path) -> Result<PathBuf> {
    let name =
        path.file_name().with_context(|| format!("{} is no name to write to", path.display()))?;
    Ok(path.with_file_name(format!(".{}.{}.partial", name.to_string_lossy(), process::id())))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("emberlab-files-{}-{name}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn an_unfinished_folder_leaves_nothing() {
        let scratch = scratch("unfinished");
        let folder = StagedFolder::create(&scratch.join("run"), false).unwrap();
        folder.write("a", b"a").unwrap();
        assert_eq!(names(&scratch).len(), 1);
        drop(folder);
        assert_eq!(names(&scratch).len(), 0);
    }

    #[test]
    fn only_a_run_folder_is_replaced_and_only_when_asked() {
        let scratch = scratch("replace");
        let target = scratch.join("run");
        let folder = StagedFolder::create(&target, false).unwrap();
        folder.write(RUN_FILE, b"{}").unwrap();
        folder.finish().unwrap();
        assert!(StagedFolder::create(&target, false).is_err());

        let folder = StagedFolder::create(&target, true).unwrap();
        folder.write("new", b"").unwrap();
        folder.finish().unwrap();
        assert_eq!(names(&scratch), ["run"]);
        assert_eq!(names(&target), ["new"]);
        assert!(StagedFolder::create(&target, true).is_err(), "no run folder any more");
        fs::remove_dir_all(&scratch).unwrap();
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let scratch = scratch("file");
        let path = scratch.join("out.csv");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(&scratch), ["out.csv"]);
        fs::remove_dir_all(&scratch).unwrap();
    }
}
