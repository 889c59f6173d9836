//! What processes that were killed have left in the making.

use std::fs::{self, DirEntry, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::folder::is_empty;
use super::{OLD, PARTIAL, parent, remove_anything};
use crate::terminal::note;

/// Clears up in a folder that no other process writes to.
pub fn sweep(folder: &Path) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    entries.flatten().filter_map(Leftover::new).for_each(|left| left.clear_up());
    Ok(())
}

/// Clears up what is of one target, in a folder where others may be at work.
pub(super) fn sweep_beside(target: &Path) {
    let entries = fs::read_dir(parent(target)).into_iter().flatten().flatten();
    entries
        .filter_map(Leftover::new)
        .filter(|left| left.target.file_name() == target.file_name() && left.is_abandoned())
        .for_each(|left| left.clear_up());
}

/// Says to others that somebody is at work on what is in the making.
pub(super) fn hold(staged: &File) {
    // Some network file systems have no locks; there nobody clears up.
    let _ = staged.try_lock();
}

struct Leftover {
    path: PathBuf,
    target: PathBuf,
    is_old: bool,
}

impl Leftover {
    /// Where an entry has a name that [`super::hidden`] gives.
    fn new(entry: DirEntry) -> Option<Self> {
        let kind = entry.file_type().ok()?;
        let name = entry.file_name().into_string().ok()?;
        let (hidden, is_old) = match name.strip_suffix(PARTIAL) {
            Some(hidden) => (hidden, false),
            None => (name.strip_suffix(OLD)?, true),
        };
        let (target, id) = hidden.strip_prefix('.')?.rsplit_once('.')?;
        let is_ours = id.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let path = entry.path();
        let target = path.with_file_name(target);
        (is_ours && (kind.is_file() || kind.is_dir())).then_some(Self { path, target, is_old })
    }

    /// Whether nobody holds it. What is old is held by nobody, but for the moment in which it is replaced.
    fn is_abandoned(&self) -> bool {
        self.is_old || File::open(&self.path).is_ok_and(|file| file.try_lock().is_ok())
    }

    /// Puts back what was to be replaced where nothing took its place, and removes everything else.
    fn clear_up(self) {
        let Self { path, target, is_old } = self;
        let (path_shown, target_shown) = (path.display(), target.display());
        if is_old && is_empty(&target) {
            let said = match fs::rename(&path, &target) {
                Ok(()) => format!("{target_shown} is back: it was {path_shown}, left so by a kill"),
                Err(error) => format!("{path_shown} was {target_shown} before a kill: {error}"),
            };
            return note(format_args!("note: {said}"));
        }
        remove_anything(&path);
        if path.exists() {
            note(format_args!("note: cannot remove {path_shown}, left by a kill; delete it"));
        }
    }
}
