//! Writing so that nothing half-written is ever left under the name that was asked for: write beside
//! it, fsync, rename.

use std::fs::{self, File};
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Mutex;

use anyhow::{Context, Result, bail};

use super::{RUN_FILE, is_unfinished_run, read};

/// How the names of what is in the making end.
const PARTIAL: &str = ".partial";

/// Writes a file whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let staged = Staged::new(path)?;
    write_synced(&staged.path, bytes)
        .and_then(|()| fs::rename(&staged.path, path))
        .and_then(|()| sync_parent(path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Takes a folder away, so that at no time half of it stands under its name.
pub fn remove_folder(path: &Path) -> Result<()> {
    let staged = Staged::new(path)?;
    fs::rename(path, &staged.path)
        .and_then(|()| fs::remove_dir_all(&staged.path))
        .with_context(|| format!("cannot remove {}", path.display()))
}

/// Removes what processes that were killed have left unfinished in a folder.
pub fn sweep(folder: &Path) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(PARTIAL) {
            remove_anything(&entry.path());
        }
    }
    Ok(())
}

/// A hidden name beside a target; what stands under it disappears with this value.
struct Staged {
    path: PathBuf,
}

/// What is in the making, for [`discard_unfinished`].
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes everything in the making, before the process ends at once.
pub fn discard_unfinished() {
    let unfinished = UNFINISHED.lock().map(|mut paths| mem::take(&mut *paths)).unwrap_or_default();
    unfinished.iter().for_each(|path| remove_anything(path));
}

impl Staged {
    /// In the same folder, so that a rename stays on one file system.
    fn new(target: &Path) -> Result<Self> {
        let name = target
            .file_name()
            .with_context(|| format!("{} is no name to write to", target.display()))?;
        let id = process::id();
        let name = format!(".{}.{id}{PARTIAL}", name.to_string_lossy());
        let path = target.with_file_name(name);
        if let Ok(mut unfinished) = UNFINISHED.lock() {
            unfinished.push(path.clone());
        }
        Ok(Self { path })
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        remove_anything(&self.path);
        if let Ok(mut unfinished) = UNFINISHED.lock() {
            unfinished.retain(|path| *path != self.path);
        }
    }
}

/// Best effort: what is finished is not there any more, and where something is not, whatever
/// stopped us is the error to report.
fn remove_anything(path: &Path) {
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

/// A file in the making, which is too large to be written from memory: a hidden one beside the target,
/// which takes the target's place in [`StagedFile::finish`] and disappears if that is never reached.
pub struct StagedFile {
    staged: Staged,
    target: PathBuf,
}

impl StagedFile {
    /// Starts a file that will be `target`.
    pub fn create(target: &Path) -> Result<(Self, File)> {
        let staged = Staged::new(target)?;
        let file = File::create(&staged.path);
        let file = file.with_context(|| format!("cannot write {}", target.display()))?;
        Ok((Self { staged, target: target.to_owned() }, file))
    }

    /// Gives the file its name, once all of it is on the disk.
    pub fn finish(self, file: &File) -> Result<()> {
        file.sync_all()
            .and_then(|()| fs::rename(&self.staged.path, &self.target))
            .and_then(|()| sync_parent(&self.target))
            .with_context(|| format!("cannot write {}", self.target.display()))
    }
}

/// A folder in the making: files go into a hidden folder beside the target, which takes the
/// target's place in [`StagedFolder::finish`] and disappears if that is never reached.
pub struct StagedFolder {
    staged: Staged,
    target: PathBuf,
}

impl StagedFolder {
    /// Starts a folder that will be `target`.
    ///
    /// # Errors
    /// `target` holds something already: always refused, except an earlier run folder with
    /// `overwrite`.
    pub fn create(target: &Path, overwrite: bool) -> Result<Self> {
        refuse_to_replace(target, overwrite)?;
        let staged = Staged::new(target)?;
        let parent = staged.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent)
            .and_then(|()| fs::create_dir(&staged.path))
            .with_context(|| format!("cannot write {}", target.display()))?;
        Ok(Self { staged, target: target.to_owned() })
    }

    /// Writes one file of it.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_synced(&self.staged.path.join(name), bytes).with_context(|| self.cannot_write(name))
    }

    /// Copies one file into it under its own name.
    pub fn copy(&self, from: &Path) -> Result<()> {
        let name = from.file_name().context("a file to copy has no name")?;
        self.write(&name.to_string_lossy(), &read(from)?)
    }

    /// Makes an empty folder in it.
    pub fn folder(&self, name: &str) -> Result<()> {
        fs::create_dir(self.staged.path.join(name)).with_context(|| self.cannot_write(name))
    }

    /// Gives the folder its name.
    pub fn finish(self) -> Result<()> {
        let replaced = self.target.exists();
        let old = self.staged.path.with_extension("old");
        let moved = File::open(&self.staged.path)
            .and_then(|folder| folder.sync_all())
            .and_then(|()| if replaced { fs::rename(&self.target, &old) } else { Ok(()) })
            .and_then(|()| fs::rename(&self.staged.path, &self.target))
            .and_then(|()| sync_parent(&self.target));
        moved.with_context(|| {
            format!("cannot move {} to {}", self.staged.path.display(), self.target.display())
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

fn refuse_to_replace(target: &Path, overwrite: bool) -> Result<()> {
    let shown = target.display();
    if target.is_file() {
        bail!("{shown} is a file; name a folder to write");
    }
    let empty = fs::read_dir(target).map_or(true, |mut entries| entries.next().is_none());
    match (empty, target.join(RUN_FILE).is_file(), overwrite) {
        (true, ..) | (false, true, true) => Ok(()),
        (false, true, false) => bail!(
            "{shown} holds an earlier run; name another folder, or add --overwrite{}",
            if is_unfinished_run(target) {
                format!(", or go on with it: emberlab train --resume {shown}")
            } else {
                String::new()
            }
        ),
        (false, false, _) => bail!("{shown} is not empty and no run folder; name another folder"),
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A new name is on the disk when its folder is.
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
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
