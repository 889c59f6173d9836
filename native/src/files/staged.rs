//! Writing so that nothing half-written is ever left under the name that was asked for: write beside
//! it, fsync, rename.

mod folder;
mod leftovers;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};

pub use self::folder::StagedFolder;
pub use self::leftovers::sweep;

/// How the names of what is in the making end.
const PARTIAL: &str = ".partial";
/// And those of what something else is about to take the place of.
const OLD: &str = ".old";

/// Writes a file whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let staged = Staged::new(path)?;
    write_synced(&staged.path, bytes)
        .and_then(|()| rename(&staged.path, path))
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

/// A hidden name beside a target; what stands under it disappears with this value.
struct Staged {
    path: PathBuf,
}

/// What is in the making, for [`discard_unfinished`].
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes everything in the making, and ends the process.
pub fn discard_unfinished(exit_code: i32) -> ! {
    // Held to the end: what is half removed must not get its name in another thread.
    let unfinished = unfinished();
    for path in unfinished.iter() {
        // Another thread may be writing into it, and what it adds meanwhile stays.
        for _ in 0..100 {
            remove_anything(path);
            if !path.exists() {
                break;
            }
        }
    }
    process::exit(exit_code)
}

/// Gives what is finished its name, unless the process is about to end.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let _not_ending = unfinished();
    fs::rename(from, to)
}

impl Staged {
    fn new(target: &Path) -> Result<Self> {
        let path = hidden(target, PARTIAL)?;
        unfinished().push(path.clone());
        Ok(Self { path })
    }
}

/// A name beside a target, so that a rename stays on one file system, and that nothing else has: in containers
/// every process may have the same number.
fn hidden(target: &Path, ending: &str) -> Result<PathBuf> {
    let name = target
        .file_name()
        .with_context(|| format!("{} is no name to write to", target.display()))?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let id = format!("{}-{}", process::id(), now.as_nanos());
    Ok(target.with_file_name(format!(".{}.{id}{ending}", name.to_string_lossy())))
}

impl Drop for Staged {
    fn drop(&mut self) {
        remove_anything(&self.path);
        unfinished().retain(|path| *path != self.path);
    }
}

/// Best effort: what is finished is not there any more, and where something is not, whatever
/// stopped us is the error to report.
fn remove_anything(path: &Path) {
    let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

/// A file in the making, under a name that somebody has chosen: a hidden one beside the target, which takes the
/// target's place in [`StagedFile::finish`] and disappears if that is never reached. A pipe or a device is written
/// as it is, and what a link leads to takes the place of the link's target.
pub struct StagedFile {
    staged: Option<Staged>,
    target: PathBuf,
}

impl StagedFile {
    /// Starts a file that will be `target`.
    pub fn create(target: &Path) -> Result<(Self, File)> {
        let cannot_write = || format!("cannot write {}", target.display());
        let target = match target.is_symlink() {
            true => target.canonicalize().unwrap_or_else(|_| target.to_owned()),
            false => target.to_owned(),
        };
        ensure!(!target.is_dir(), "cannot write {}: it is a folder", target.display());
        if target.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir()) {
            let file = File::options().write(true).open(&target).with_context(cannot_write)?;
            return Ok((Self { staged: None, target }, file));
        }
        leftovers::sweep_beside(&target);
        let staged = Staged::new(&target)?;
        let file = File::create_new(&staged.path).with_context(cannot_write)?;
        leftovers::hold(&file);
        Ok((Self { staged: Some(staged), target }, file))
    }

    /// Writes all of it at once.
    pub fn write(target: &Path, bytes: &[u8]) -> Result<()> {
        let (staged, mut file) = Self::create(target)?;
        file.write_all(bytes).with_context(|| format!("cannot write {}", target.display()))?;
        staged.finish(&file)
    }

    /// Gives the file its name, once all of it is on the disk.
    pub fn finish(self, file: &File) -> Result<()> {
        let Some(staged) = &self.staged else { return Ok(()) };
        file.sync_all()
            .and_then(|()| rename(&staged.path, &self.target))
            .and_then(|()| sync_parent(&self.target))
            .with_context(|| format!("cannot write {}", self.target.display()))
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A new name is on the disk when its folder is.
fn sync_parent(path: &Path) -> io::Result<()> {
    File::open(parent(path))?.sync_all()
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
pub mod tests {
    use std::env;

    use super::*;

    pub fn scratch(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("emberlab-files-{}-{name}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    pub fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_link_stays_one_and_a_device_is_written() {
        let scratch = scratch("link");
        let (file, link) = (scratch.join("out.csv"), scratch.join("link"));
        fs::write(&file, b"one").unwrap();
        std::os::unix::fs::symlink("out.csv", &link).unwrap();
        StagedFile::write(&link, b"two").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"two");
        // By a link, so that nothing can take the place of the device itself.
        let full = scratch.join("full");
        std::os::unix::fs::symlink("/dev/full", &full).unwrap();
        assert!(StagedFile::write(&full, b"three").is_err());
        assert!(full.is_symlink() && !full.metadata().unwrap().is_file());
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
