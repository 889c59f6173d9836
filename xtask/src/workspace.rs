//! Where things are, and how a command is run: shown, timed and, when it fails, with its remedy.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The folders that every command works with.
pub struct Workspace {
    pub root: PathBuf,
    /// Cargo's target folder; the tools of the page and the screenshots of the tests lie in it too.
    pub target: PathBuf,
}

impl Workspace {
    /// The workspace that `cargo xtask` was called in.
    ///
    /// Cargo says at run time which one that is: clones that share a target folder may share this program, too.
    pub fn here() -> Result<Self> {
        let program = env::current_exe().context("cannot find the path of this program")?;
        let target = program.ancestors().nth(2).context("start this program with `cargo xtask`")?;
        let crate_folder = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = crate_folder
            .as_deref()
            .and_then(Path::parent)
            .context("start this program with `cargo xtask`")?;
        Ok(Self { root: root.to_path_buf(), target: target.to_path_buf() })
    }

    /// The built page.
    pub fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// The root that trunk and wasm-bindgen are installed into, so that nothing of the user's is replaced.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// A command that starts in the root and finds the installed tools first.
    pub fn command(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("PATH", self.path());
        command
    }

    pub fn cargo(&self, arguments: &[&str]) -> Command {
        self.command("cargo", arguments)
    }

    /// What `program arguments` prints, or `None` when it cannot be started or fails.
    pub fn output_of(&self, program: &str, arguments: &[&str]) -> Option<String> {
        let output = self.command(program, arguments).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        output.status.success().then(|| text.trim().to_owned())
    }

    /// The full path of `program`, where it is installed.
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        env::split_paths(&self.path())
            .map(|folder| folder.join(program))
            .find(|candidate| candidate.is_file())
    }

    fn path(&self) -> OsString {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = [self.tools().join("bin")];
        env::join_paths(folders.into_iter().chain(env::split_paths(&path))).unwrap_or(path)
    }
}

/// Shows `command`, runs it, and on failure names it together with the `remedy`.
pub fn run(command: &mut Command, remedy: &str) -> Result<()> {
    let shown = shown(command);
    eprintln!("$ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("`{shown}` failed ({status})\nremedy: {remedy}"),
        Err(error) => bail!("`{shown}` could not be started: {error}\nremedy: {remedy}"),
    }
}

/// The command as it could be typed in the root, without the folders that all share.
fn shown(command: &Command) -> String {
    let variables = command
        .get_envs()
        .filter(|(name, _)| *name != "PATH" && *name != "CARGO_TARGET_DIR")
        .filter_map(|(name, value)| Some(format!("{}={}", name.display(), quoted(value?))));
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    variables.chain(words.map(quoted)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    if word.is_empty() || word.contains([' ', '\'', '"', '$', '*', '?', ';', '&']) {
        format!("'{}'", word.replace('\'', r"'\''"))
    } else {
        word.into_owned()
    }
}
