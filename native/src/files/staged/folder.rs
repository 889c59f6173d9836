//! Folders that appear whole or not at all.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::{
    OLD, Staged, hidden, leftovers, parent, rename, sync_parent, unfinished, write_synced,
};
use crate::files::{METRICS, RUN_FILE, is_unfinished_run, lock_run, read, resume_command};
use crate::terminal::note;

/// A folder in the making: files go into a hidden folder beside the target, which takes the
/// target's place in [`StagedFolder::finish`] and disappears if that is never reached.
pub struct StagedFolder {
    staged: Staged,
    target: PathBuf,
    overwrite: bool,
    /// Open for as long as somebody is at work.
    held: File,
}

impl StagedFolder {
    /// Starts a folder that will be `target`.
    ///
    /// # Errors
    /// `target` holds something already: always refused, except an earlier run folder with
    /// `overwrite`, in which no process is training. Or it cannot be replaced.
    pub fn create(target: &Path, overwrite: bool) -> Result<Self> {
        let cannot_write = || format!("cannot write {}", target.display());
        let target = resolved(target)?;
        leftovers::sweep_beside(&target);
        drop(may_be_replaced(&target, overwrite)?);
        let staged = Staged::new(&target)?;
        fs::create_dir_all(parent(&staged.path))
            .and_then(|()| fs::create_dir(&staged.path))
            .with_context(cannot_write)?;
        let held = File::open(&staged.path).with_context(cannot_write)?;
        leftovers::hold(&held);
        Ok(Self { staged, target, overwrite, held })
    }

    /// The same for a command that replaces nothing.
    ///
    /// # Errors
    /// `target` holds something already.
    pub fn create_new(target: &Path) -> Result<Self> {
        let shown = target.display();
        ensure!(!target.join(RUN_FILE).is_file(), "{shown} holds a run; name another folder");
        Self::create(target, false)
    }

    /// Where its files are until it is finished.
    pub fn path(&self) -> &Path {
        &self.staged.path
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
    ///
    /// # Errors
    /// Those of [`StagedFolder::create`]: meanwhile another process may have written there.
    pub fn finish(self) -> Result<()> {
        let Self { staged, target, overwrite, held } = &self;
        let cannot_move =
            || format!("cannot move {} to {}", staged.path.display(), target.display());
        held.sync_all().with_context(cannot_move)?;
        let _lock_of_earlier = may_be_replaced(target, *overwrite)?;
        match is_empty(target) {
            true => rename(&staged.path, target).with_context(cannot_move)?,
            false => replace(target, &staged.path).with_context(cannot_move)?,
        }
        sync_parent(target).with_context(cannot_move)
    }

    fn cannot_write(&self, name: &str) -> String {
        format!("cannot write {}", self.target.join(name).display())
    }
}

/// Moves `staged` to `target`, and what was there away.
fn replace(target: &Path, staged: &Path) -> Result<()> {
    let old = hidden(target, OLD)?;
    let not_ending = unfinished();
    fs::rename(target, &old)?;
    if let Err(error) = fs::rename(staged, target) {
        fs::rename(&old, target)
            .with_context(|| format!("{} is now {}", target.display(), old.display()))?;
        return Err(error.into());
    }
    drop(not_ending);
    if let Err(error) = fs::remove_dir_all(&old) {
        note(format_args!("note: cannot remove {}: {error}", old.display()));
    }
    Ok(())
}

/// The lock of the run that is replaced, where it has one.
fn may_be_replaced(target: &Path, overwrite: bool) -> Result<Option<File>> {
    let shown = target.display();
    if target.is_file() {
        bail!("{shown} is a file; name a folder to write");
    }
    if is_mount_point(target) {
        bail!(
            "{shown} is a mount point, which nothing can replace; name a folder in it: {shown}/run"
        );
    }
    match (is_empty(target), target.join(RUN_FILE).is_file(), overwrite) {
        (true, ..) => Ok(None),
        (false, true, true) => target.join(METRICS).is_file().then(|| lock_run(target)).transpose(),
        (false, true, false) => bail!(
            "{shown} holds an earlier run; name another folder, or add --overwrite{}",
            if is_unfinished_run(target) {
                format!(", or go on with it: {}", resume_command(target))
            } else {
                String::new()
            }
        ),
        (false, false, _) => bail!("{shown} is not empty and no run folder; name another folder"),
    }
}

/// Whether there is nothing that a rename would lose.
pub(super) fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

fn is_mount_point(folder: &Path) -> bool {
    let device = |path: &Path| path.metadata().ok().map(|about| about.dev());
    folder.is_dir() && device(folder) != device(parent(folder))
}

/// Where a link leads: the folder is replaced, not the link to it.
fn resolved(target: &Path) -> Result<PathBuf> {
    // Without a slash at its end, which would be that folder already.
    let target: PathBuf = target.components().collect();
    if !target.is_symlink() {
        return Ok(target);
    }
    target
        .canonicalize()
        .with_context(|| format!("{} is a link that leads nowhere", target.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::tests::{names, scratch};
    use super::*;

    /// A folder of an earlier run, with this file in it.
    fn run(target: &Path, name: &str) {
        let folder = StagedFolder::create(target, true).unwrap();
        folder.write(RUN_FILE, b"{}").unwrap();
        folder.write(METRICS, b"").unwrap();
        folder.write(name, b"").unwrap();
        folder.finish().unwrap();
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
        run(&target, "a");
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
    fn what_came_meanwhile_stays() {
        let scratch = scratch("meanwhile");
        let target = scratch.join("run");
        for overwrite in [false, true] {
            let late = StagedFolder::create(&target, overwrite).unwrap();
            run(&target, "first");
            let training = lock_run(&target).unwrap();
            let said = late.finish().unwrap_err().to_string();
            let says = ["holds an earlier run", "another process is training"];
            assert!(said.contains(says[usize::from(overwrite)]), "{said}");
            assert!(target.join("first").is_file());
            drop(training);
            fs::remove_dir_all(&target).unwrap();
        }
        assert_eq!(names(&scratch).len(), 0);
        fs::remove_dir_all(&scratch).unwrap();
    }

    /// As `kill -9` leaves it between the two renames, before them, and while what was replaced is removed.
    #[test]
    fn what_a_kill_left_is_put_back_or_removed() {
        let scratch = scratch("killed");
        let target = scratch.join("run");
        run(&target, "earlier");
        fs::rename(&target, scratch.join(".run.1.old")).unwrap();
        fs::create_dir(scratch.join(".run.1-2.partial")).unwrap();
        fs::create_dir(scratch.join(".run.mine.partial")).unwrap();
        let other = StagedFolder::create(&scratch.join("run.5"), false).unwrap();
        let said = StagedFolder::create(&target, false).err().unwrap().to_string();
        assert!(said.contains("holds an earlier run"), "{said}");
        assert!(target.join("earlier").is_file());

        fs::create_dir(scratch.join(".run.1.old")).unwrap();
        let at_work = StagedFolder::create(&target, true).unwrap();
        let left = || names(&scratch).into_iter().filter(|name| name.starts_with(".run.")).count();
        assert_eq!(left(), 3, "his own, that of run.5 and what is none of ours");
        assert!(StagedFolder::create(&target, true).is_ok());
        at_work.finish().expect("another is not cleared up while it is made");
        drop(other);
        fs::remove_dir_all(&scratch).unwrap();
    }

    #[test]
    fn what_cannot_be_replaced_is_said_at_once() {
        let said = StagedFolder::create(Path::new("/proc"), false).err().unwrap().to_string();
        assert!(said.contains("/proc is a mount point"), "{said}");
        let scratch = scratch("links");
        let (link, disk) = (scratch.join("link"), scratch.join("disk"));
        symlink("disk", &link).unwrap();
        let said = StagedFolder::create(&link, false).err().unwrap().to_string();
        assert!(said.contains("leads nowhere"), "{said}");
        fs::create_dir(&disk).unwrap();
        run(&link, "a");
        assert!(link.is_symlink() && disk.join("a").is_file());
        fs::remove_dir_all(&scratch).unwrap();
    }
}
