//! Runs the command `emberlab` in a folder of its own, as a user would.

use std::{
    env,
    ffi::OsStr,
    fs,
    io::Write,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{bytes, fixture, json, root};

/// What a command left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The result of a command that has to succeed.
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout
    }

    /// What a command that has to fail says. It gives no result, and it does not panic.
    pub fn error(self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(1), ""), "{}", self.stderr);
        for word in ["panicked", "internal error"] {
            assert!(!self.stderr.contains(word), "{}", self.stderr);
        }
        self.stderr
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// The command under test: `EMBERLAB_BIN`, else what cargo put beside the tests.
pub fn emberlab() -> PathBuf {
    let built = || {
        let tests = env::current_exe().unwrap(); // <target>/release/deps/emberlab_tests-…
        tests.ancestors().nth(2).unwrap().join("emberlab")
    };
    let path = env::var_os("EMBERLAB_BIN").map_or_else(built, PathBuf::from);
    path.canonicalize().unwrap_or_else(|error| {
        let remedy = "build it first: cargo build --release --package emberlab";
        panic!("{}: {error}; {remedy}", path.display())
    })
}

/// A temporary folder in which commands run. `bert-tiny` in it is the embedded base model.
pub struct Scratch(TempDir);

impl Scratch {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        symlink(root().join("models/bert-tiny"), folder.path().join("bert-tiny")).unwrap();
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        String::from_utf8(bytes(&self.path(name))).unwrap()
    }

    pub fn read_bytes(&self, name: &str) -> Vec<u8> {
        bytes(&self.path(name))
    }

    pub fn json(&self, name: &str) -> Value {
        json(&self.path(name))
    }

    /// The paths of all files, sorted.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        collect(self.0.path(), &mut files);
        files.sort();
        files
    }

    /// All files with what is in them.
    pub fn snapshot(&self) -> Vec<(PathBuf, Option<Vec<u8>>)> {
        self.files().into_iter().map(|path| (path.clone(), fs::read(path).ok())).collect()
    }

    /// `emberlab` with these arguments, not yet started.
    pub fn command(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        self.command_of(&emberlab(), arguments)
    }

    /// The same of another build.
    pub fn command_of(
        &self,
        program: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.0.path());
        command.env("XDG_CACHE_HOME", self.path("cache"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Compiles a file in C into a shared library; returns where that is.
    pub fn compile(&self, source: &str, library: &str) -> PathBuf {
        let (source, library) = (self.path(source), self.path(library));
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-o"]).args([&library, &source]);
        let ran = compiler.output().expect("cc, of the package gcc");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        library
    }

    /// Runs another build of `emberlab` with the words of `line`.
    pub fn run_build(&self, program: &Path, line: &str) -> Ran {
        self.command_of(program, line.split_whitespace()).output().unwrap().into()
    }

    /// Runs `emberlab` with the words of `line`.
    pub fn run(&self, line: &str) -> Ran {
        self.command(line.split_whitespace()).output().unwrap().into()
    }

    /// Runs `emberlab` with `input` on standard input.
    pub fn pipe(&self, line: &str, input: &str) -> Ran {
        let mut command = self.command(line.split_whitespace());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Results come before all input is read, and must be taken.
        std::thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(input.as_bytes()).unwrap());
            child.wait_with_output().unwrap().into()
        })
    }

    /// Writes the random three-layer classifier (billing, delivery, praise, other) with a
    /// vocabulary that spells every lower-case word.
    pub fn write_classifier(&self, name: &str) {
        for (file, content) in classifier() {
            self.write(&format!("{name}/{file}"), content);
        }
    }
}

/// The files of [`Scratch::write_classifier`].
pub fn classifier() -> [(&'static str, Vec<u8>); 3] {
    let letters: Vec<String> = ('a'..='z').map(|letter| letter.to_string()).collect();
    let inside = letters.iter().map(|letter| format!("##{letter}"));
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned);
    let vocab: Vec<String> = special.into_iter().chain(letters.clone()).chain(inside).collect();
    [
        ("config.json", bytes(&fixture("random3/config.json"))),
        ("model.safetensors", bytes(&fixture("random3/model.safetensors"))),
        ("vocab.txt", vocab.join("\n").into_bytes()),
    ]
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            collect(&path, files);
        }
        files.push(path);
    }
}

/// The rows of JSON Lines.
pub fn jsonl(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
