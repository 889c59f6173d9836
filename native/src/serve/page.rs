//! Where the built page comes from.

use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

/// What `cargo xtask page` has built: a folder, or the copy that the feature `page` has put into this
/// binary.
pub enum Page {
    Folder(PathBuf),
    BuiltIn,
}

/// A file that is built in.
pub struct File {
    name: &'static str,
    pub bytes: &'static [u8],
    /// Whether these are packed by gzip.
    pub packed: bool,
    /// Names what they are unpacked.
    pub hash: &'static str,
}

#[cfg(feature = "page")]
static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/page.rs"));
#[cfg(not(feature = "page"))]
static FILES: &[File] = &[];

pub const INDEX: &str = "index.html";

impl Page {
    /// The folder that was asked for, else what is built in, else `dist/`.
    ///
    /// # Errors
    /// There is none.
    pub fn find(asked: Option<&Path>) -> Result<Self> {
        if let Some(folder) = asked {
            let index = folder.join(INDEX);
            ensure!(index.is_file(), "--page: there is no {}", index.display());
            return Ok(Self::Folder(folder.canonicalize()?));
        }
        if !FILES.is_empty() {
            return Ok(Self::BuiltIn);
        }
        let folder = Path::new("dist");
        if !folder.join(INDEX).is_file() {
            bail!(
                "this emberlab was built without the page (cargo build --features page has it), and there is \
                 no dist/ here, as `cargo xtask page` makes it; `emberlab serve` takes another folder with --page"
            );
        }
        Ok(Self::Folder(folder.canonicalize()?))
    }

    /// A file that is built in.
    pub fn built_in(&self, path: &str) -> Option<&'static File> {
        let Self::BuiltIn = self else { return None };
        FILES.iter().find(|file| file.name == path)
    }
}

/// A file of a folder, whose path is canonical; nothing where it is not there, is a device or a pipe, or leads out of
/// the folder. In the cache of the hub a model's files are links to `blobs` beside its snapshots.
pub fn file_in(folder: &Path, path: &str) -> Option<PathBuf> {
    let file = folder.join(path).canonicalize().ok()?;
    let is_here = file.starts_with(folder) || file.parent() == blobs(folder).as_deref();
    (is_here && file.is_file()).then_some(file)
}

/// `models--org--name/blobs` of `models--org--name/snapshots/<commit>`.
fn blobs(folder: &Path) -> Option<PathBuf> {
    let snapshots = folder.parent().filter(|parent| parent.ends_with("snapshots"))?;
    let repository = snapshots.parent()?;
    let is_cached = repository.file_name()?.to_str()?.starts_with("models--");
    is_cached.then(|| repository.join("blobs"))
}

impl Display for Page {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::BuiltIn => write!(f, "built in"),
        }
    }
}
