//! Which paths lead to which files: the page, and of each run the files that a model has.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use emberlab_core::model::ModelFiles;
use percent_encoding::percent_decode_str;

use super::packed::Packed;
use super::page::{File, INDEX, Page, file_in};
use crate::live::{self, Live};

/// Below this path stand the runs.
const RUNS: &str = "runs";
/// What of a run is handed out: no data, no records, no checkpoints.
const MODEL_FILES: [&str; 5] =
    ["config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", ModelFiles::WEIGHTS];
/// Endings of what packs well; larger files than this stay on the disk.
const PACKED: [&str; 11] =
    ["css", "html", "js", "json", "jsonl", "md", "rs", "svg", "txt", "wasm", "webmanifest"];
const MOST_KEPT: u64 = 64 << 20;
/// Where `index.html` is told of the runs: see `web/src/page/gallery.rs`.
const RUNS_HERE: &str = "data-runs=\"\"";
/// And whether there is a run under way to look at.
const NOT_LIVE: &str = "data-live=\"no\"";

pub struct Site {
    page: Page,
    runs: Vec<Run>,
    live: Option<Live>,
    is_lan: bool,
    kept: Mutex<HashMap<(PathBuf, u64, SystemTime), Slot>>,
}

type Slot = Arc<Mutex<Option<Arc<Packed>>>>;

struct Run {
    /// `runs/mine`, which is part of its links.
    path: String,
    folder: PathBuf,
}

/// What a path leads to.
pub enum Found {
    Kept(Arc<Packed>),
    BuiltIn(&'static File),
    File(PathBuf),
    /// Of this moment: another time it is another.
    Made(Bytes),
    Nothing,
    /// It is there, and could not be read.
    NotNow,
}

impl Site {
    /// For this machine alone.
    ///
    /// # Errors
    /// A folder without a model in it.
    pub fn new(page: Page, folders: &[PathBuf]) -> Result<Self> {
        let mut runs: Vec<Run> = Vec::new();
        for folder in folders {
            let folder = fs::canonicalize(folder)
                .with_context(|| format!("there is no folder {}", folder.display()))?;
            for name in [MODEL_FILES[0], ModelFiles::WEIGHTS] {
                let is_there = file_in(&folder, name).is_some();
                ensure!(is_there, "{} has no {name}, or a link that leads out", folder.display());
            }
            let path = format!("{RUNS}/{}", plain(&folder));
            if runs.iter().any(|run| run.path == path) {
                bail!("two folders are called {path}; rename one of them");
            }
            runs.push(Run { path, folder });
        }
        Ok(Self { page, runs, live: None, is_lan: false, kept: Mutex::default() })
    }

    /// The same, with a run under way.
    pub fn with_live(self, live: Live) -> Self {
        Self { live: Some(live), ..self }
    }

    /// The same, for the whole network or not.
    pub fn with_lan(self, is_lan: bool) -> Self {
        Self { is_lan, ..self }
    }

    pub fn is_lan(&self) -> bool {
        self.is_lan
    }

    pub fn page(&self) -> &Page {
        &self.page
    }

    /// What `?model=` names each run.
    pub fn runs(&self) -> impl Iterator<Item = &str> {
        self.runs.iter().map(|run| &*run.path)
    }

    /// The file at a path as it stands in a request. Folders are not listed.
    pub fn find(&self, path: &str) -> Found {
        let Some(path) = inside(path) else { return Found::Nothing };
        if let Some((run, file)) = self
            .runs
            .iter()
            .find_map(|run| Some((run, path.strip_prefix(&run.path)?.strip_prefix('/')?)))
        {
            let file = MODEL_FILES.into_iter().find(|name| *name == file);
            return file.map_or(Found::Nothing, |file| self.on_disk(&run.folder, file));
        }
        if let Some((live, file)) = self
            .live
            .as_ref()
            .zip(path.strip_prefix(live::FOLDER).and_then(|it| it.strip_prefix('/')))
        {
            return live.find(file).map_or(Found::Nothing, Found::Made);
        }
        if let Some(file) = self.page.built_in(&path) {
            if !file.packed {
                return Found::BuiltIn(file);
            }
            let key = (path.clone().into(), 0, SystemTime::UNIX_EPOCH);
            return self.keep(key, || match Packed::unpack(file.bytes)? {
                index if path == INDEX => Packed::pack(self.with_runs(index.plain.to_vec())),
                packed => Ok(packed),
            });
        }
        match &self.page {
            Page::Folder(folder) => self.on_disk(folder, &path),
            Page::BuiltIn => Found::Nothing,
        }
    }

    fn on_disk(&self, folder: &Path, path: &str) -> Found {
        let Some(file) = file_in(folder, path) else { return Found::Nothing };
        let Ok(about) = fs::metadata(&file) else { return Found::Nothing };
        // Of the name that is asked for: what a link leads to may have none.
        let ending = Path::new(path).extension().unwrap_or_default().to_string_lossy();
        if !PACKED.contains(&&*ending) || about.len() > MOST_KEPT {
            return Found::File(file);
        }
        let time = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        self.keep((file.clone(), about.len(), time), || {
            let bytes = fs::read(&file)?;
            Packed::pack(if path == INDEX { self.with_runs(bytes) } else { bytes })
        })
    }

    /// Packs a file, unless that is done; whoever asks meanwhile waits.
    fn keep(
        &self,
        key: (PathBuf, u64, SystemTime),
        pack: impl FnOnce() -> Result<Packed>,
    ) -> Found {
        let slot = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if !kept.contains_key(&key) {
                kept.retain(|(path, ..), _| *path != key.0); // what it was before it changed
            }
            kept.entry(key).or_default().clone()
        };
        let mut packed = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if packed.is_none() {
            // A failure is not kept: it may be that the process had no file left to open.
            *packed = pack().ok().map(Arc::new);
        }
        packed.clone().map_or(Found::NotNow, Found::Kept)
    }

    fn with_runs(&self, index: Vec<u8>) -> Vec<u8> {
        let runs = self.runs().collect::<Vec<_>>().join(" ");
        match String::from_utf8(index) {
            Ok(index) => {
                let index = index.replace(RUNS_HERE, &format!("data-runs=\"{runs}\""));
                let is_live = if self.live.is_some() { "data-live=\"yes\"" } else { NOT_LIVE };
                index.replace(NOT_LIVE, is_live).into_bytes()
            }
            Err(error) => error.into_bytes(),
        }
    }
}

/// A folder's name for a link: letters, digits, and `-`, `_` and `.` within.
fn plain(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = name.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    let name = name.trim_matches('.').to_owned();
    if name.is_empty() { "model".into() } else { name }
}

/// The path below the site's root, decoded; nothing for one that leads elsewhere.
fn inside(path: &str) -> Option<String> {
    let path = percent_decode_str(path.strip_prefix('/')?).decode_utf8().ok()?.into_owned();
    if path.is_empty() {
        return Some(INDEX.into());
    }
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    (!path.contains(['\\', ':', '\0']) && path.split('/').all(is_plain)).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out() {
        for path in [
            "/../a",
            "/a/../b",
            "/a/./b",
            "//a",
            "/a//b",
            "/%2e%2e/a",
            "/a/%2e%2e/%2e%2e/b",
            "/..%2fa",
            "/a%5c..%5cb",
            "/C:/a",
            "/a%00",
            "/%ff",
            "a",
            "*",
            "/a/",
        ] {
            assert_eq!(inside(path), None, "{path}");
        }
        assert_eq!(inside("/").as_deref(), Some("index.html"));
        assert_eq!(inside("/runs/a%20b/config.json").as_deref(), Some("runs/a b/config.json"));
    }

    #[test]
    fn names_fit_links() {
        assert_eq!(plain(Path::new("/x/my run <1>")), "my-run--1-");
        assert_eq!(plain(Path::new("/x/..")), "model");
    }
}
