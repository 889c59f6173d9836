//! What files were when they were read, so that a change of them does not go unsaid.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Result, bail};

use crate::Outcome;
use crate::terminal::note;

/// Files with length and time of last change, as the file system has them; none of a file that is not there.
#[derive(Debug)]
pub struct Stamps(Vec<(PathBuf, Option<(u64, SystemTime)>)>);

impl Stamps {
    /// Of the files as they are now.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Self {
        Self(paths.into_iter().map(|path| (path.clone(), stamp(path))).collect())
    }

    /// What there is to say of each file that is no longer as it was.
    pub fn changes(&self) -> Vec<String> {
        let changed = self.0.iter().map(|(path, then)| (path, then, stamp(path)));
        let changed = changed.filter(|(_, then, now)| now != *then);
        let said = |(path, _, now): (&PathBuf, _, Option<_>)| match now {
            Some(_) => format!("{} has changed", path.display()),
            None => format!("{} is no longer there", path.display()),
        };
        changed.map(said).collect()
    }

    /// Says what has changed since a run read it: what was read is in memory, or in a file of tokens, so that this
    /// disturbs no run but the next.
    pub fn say_changes(stamps: &[Self], outcome: Outcome) {
        let what_now = match outcome {
            Outcome::Completed => "the weights come from what it was then (SHA-256 in run.json)",
            Outcome::Interrupted => "to go on, put back what it was then",
        };
        for change in stamps.iter().flat_map(Self::changes) {
            note(format_args!("note: {change} since it was read; {what_now}"));
        }
    }

    /// Refuses what was read while it changed: nobody knows which rows those are.
    ///
    /// # Errors
    /// A file is no longer as it was.
    pub fn check(&self) -> Result<()> {
        match self.changes().first() {
            Some(change) => bail!("{change} while it was read; start again when it is complete"),
            None => Ok(()),
        }
    }
}

fn stamp(path: &Path) -> Option<(u64, SystemTime)> {
    let about = path.metadata().ok()?;
    Some((about.len(), about.modified().ok()?))
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::*;

    #[test]
    fn a_change_is_said() {
        let path = env::temp_dir().join(format!("emberlab-stamps-{}", process::id()));
        fs::write(&path, "a").unwrap();
        let stamps = Stamps::of([&path]);
        assert!(stamps.check().is_ok());
        fs::write(&path, "ab").unwrap();
        assert!(stamps.check().unwrap_err().to_string().contains("has changed while"));
        fs::remove_file(&path).unwrap();
        assert!(stamps.changes()[0].ends_with("is no longer there"));
    }
}
