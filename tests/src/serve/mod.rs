//! `emberlab serve`: what it hands out, what it refuses, and how it bears load.

mod client;
mod live;
mod load;
mod misuse;

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use client::{Answer, get, request};

use crate::{
    command::Scratch,
    support::{bytes, root},
};

/// A running server; it ends with this.
struct Server {
    child: Child,
    port: u16,
    /// What it printed: its addresses.
    links: Vec<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts `emberlab serve` with the words of `line` on a free port.
    fn start(scratch: &Scratch, line: &str) -> Self {
        let words = ["serve", "--port", "0"].into_iter().chain(line.split_whitespace());
        Self::of(scratch.command(words), line)
    }

    /// The same of a command that is to become the server.
    fn of(mut command: Command, line: &str) -> Self {
        let mut child = command.stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let runs = line.split_whitespace().filter(|word| word.starts_with("run")).count();
        let links: Vec<String> = (0..=runs).map(|_| lines.next().unwrap().unwrap()).collect();
        let address = links[0].trim_end_matches('/').rsplit(':').next().unwrap();
        Self { child, port: address.parse().unwrap(), links }
    }

    fn get(&self, path: &str, headers: &[&str]) -> Answer {
        get(self.port, path, headers)
    }

    /// What the process has open.
    fn files(&self) -> Vec<PathBuf> {
        let open = fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap();
        open.filter_map(|file| fs::read_link(file.ok()?.path()).ok()).collect()
    }

    /// Whether it may open no more than so many, and has: those that it was born with may have higher numbers.
    fn has_all_open(&self, files: usize) -> bool {
        let of = |file: usize| format!("/proc/{}/fd/{file}", self.child.id());
        (0..files).all(|file| fs::symlink_metadata(of(file)).is_ok())
    }

    /// How many sockets of these: each connection is one more.
    fn sockets(&self) -> usize {
        let names = self.files();
        names.iter().filter(|name| name.to_string_lossy().starts_with("socket:")).count()
    }
}

/// A folder that looks like a built page, and two runs of which one has more than a model.
fn scene() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("page/index.html", "<ul id=\"gallery\" data-runs=\"\"></ul>");
    scratch.write("page/page-78e79643f2018aa4_bg.wasm", vec![0; 100_000]);
    scratch.write("page/start.js", "start();".repeat(100));
    scratch.write(
        "page/models/own/model.safetensors",
        (0..200_000).map(|i| i as u8).collect::<Vec<_>>(),
    );
    scratch.write("secret.txt", "secret");
    std::os::unix::fs::symlink(scratch.path("secret.txt"), scratch.path("page/linked.txt"))
        .unwrap();
    scratch.write_classifier("run a");
    scratch.write_classifier("run-b");
    fs::rename(scratch.path("run a"), scratch.path("run_a")).unwrap();
    scratch.write("run_a/run.json", "{}");
    scratch.write("run_a/checkpoints/1/model.safetensors", "secret");
    scratch
}

#[test]
fn it_serves_the_page_and_the_runs() {
    let scratch = scene();
    let server = Server::start(&scratch, "run_a run-b --page page");
    let base = format!("http://127.0.0.1:{}/", server.port);
    let links = ["", "?model=runs/run_a", "?model=runs/run-b"].map(|link| format!("{base}{link}"));
    assert_eq!(server.links, links);

    let index = server.get("/", &[]);
    assert_eq!((index.status, index.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(index.text(), "<ul id=\"gallery\" data-runs=\"runs/run_a runs/run-b\"></ul>");
    assert_eq!(server.get("/?model=runs/run_a", &[]).body, index.body);

    let wasm = server.get("/page-78e79643f2018aa4_bg.wasm", &["Accept-Encoding: br, gzip"]);
    assert_eq!(wasm.header("content-type"), "application/wasm");
    assert_eq!(wasm.header("content-encoding"), "gzip");
    assert!(wasm.body.len() < 2000 && wasm.header("cache-control").contains("immutable"));
    for refused in ["gzip;q=0", "gzip;q=0.0", "br, gzip; q=0.000"] {
        let refused = format!("Accept-Encoding: {refused}");
        let plain = server.get("/page-78e79643f2018aa4_bg.wasm", &[&refused]);
        assert_eq!(
            (plain.body.len(), plain.header("content-encoding")),
            (100_000, ""),
            "{refused}"
        );
        assert_ne!(plain.header("etag"), wasm.header("etag"), "another form is another version");
    }
    let wasm = server.get("/page-78e79643f2018aa4_bg.wasm", &["Accept-Encoding: gzip;q=0.5"]);
    assert_eq!(wasm.header("content-encoding"), "gzip");

    for (file, content) in crate::command::classifier() {
        let served = server.get(&format!("/runs/run-b/{file}"), &[]);
        assert!(served.status == 200 && served.body == content, "{file}");
    }
}

#[test]
fn it_answers_what_is_known_and_parts() {
    let scratch = scene();
    let server = Server::start(&scratch, "run-b --page page");
    for path in ["/start.js", "/models/own/model.safetensors", "/runs/run-b/config.json"] {
        let whole = server.get(path, &[]);
        let tag = whole.header("etag").to_owned();
        let known = server.get(path, &[&format!("If-None-Match: W/\"x\", {tag}")]);
        assert_eq!((known.status, known.body.len()), (304, 0), "{path}");
        assert_eq!(known.header("etag"), tag);

        let part = server.get(path, &["Range: bytes=10-19", &format!("If-Range: {tag}")]);
        assert_eq!((part.status, &part.body[..]), (206, &whole.body[10..20]), "{path}");
        let length = whole.body.len();
        assert_eq!(part.header("content-range"), format!("bytes 10-19/{length}"));
        let rest = server.get(path, &["Range: bytes=20-"]);
        assert_eq!((rest.status, &rest.body[..]), (206, &whole.body[20..]), "{path}");
        let changed = server.get(path, &["Range: bytes=10-19", "If-Range: \"other\""]);
        assert_eq!((changed.status, changed.body.len()), (200, length), "{path}");
        for range in ["Range: bytes=900000-", "Range: bytes=18446744073709551616-"] {
            let beyond = server.get(path, &[range]);
            assert_eq!(beyond.status, 416, "{path}: {range}");
            assert_eq!(beyond.header("content-range"), format!("bytes */{length}"));
        }
        let signed = server.get(path, &["Range: bytes=+1-2"]);
        assert_eq!((signed.status, signed.body.len()), (200, length), "{path}");

        let head = request(
            server.port,
            &format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        );
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("content-length"), length.to_string(), "{path}");
    }
    let closed = "GET /start.js HTTP/1.1\r\nHost: localhost\r\nConnection: te, Close\r\n\r\n";
    assert_eq!(request(server.port, closed).header("connection"), "close");
    scratch.write("page/start.js", "changed();");
    assert_eq!(
        server.get("/start.js", &[]).text(),
        "changed();",
        "a page that is built anew is seen"
    );
}

#[test]
fn folders_that_are_no_models_are_named() {
    let scratch = scene();
    let error = scratch.run("serve nowhere --page page").error();
    assert!(error.contains("there is no folder nowhere"), "{error}");
    let error = scratch.run("serve page --page page").error();
    assert!(error.contains("page has no config.json"), "{error}");
    let error = scratch.run("serve run-b run_a/../run-b --page page").error();
    assert!(error.contains("runs/run-b; rename"), "{error}");
    let error = scratch.run("serve --page run_a").error();
    assert!(error.contains("index.html"), "{error}");
}

/// The built page, or `None` with a loud word where this machine lacks it.
fn built_page() -> Option<PathBuf> {
    let dist = env::var_os("EMBERLAB_DIST").map_or_else(|| root().join("dist"), PathBuf::from);
    if !dist.join("engine-cpu_bg.wasm").exists() {
        crate::support::say("SKIPPED: thirty clients: the built page (EMBERLAB_DIST) is missing\n");
        return None;
    }
    Some(dist)
}

/// What a visitor with the CPU engine asks for, in the order of a visit.
fn visit(dist: &std::path::Path) -> Vec<String> {
    let names = fs::read_dir(dist).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| {
        let of_page = name.starts_with("page-") || name.starts_with("style-");
        of_page
            || name.starts_with("engine-cpu")
            || ["start.js", "load.js", "kept.js"].contains(&name.as_str())
    });
    names.sort();
    let model = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
    let model = model.map(|file| format!("/runs/run/{file}"));
    let start = ["/".to_owned(), "/strings/en.json".to_owned()];
    let names = names.into_iter().map(|name| format!("/{name}"));
    start.into_iter().chain(names).chain(model).collect()
}

/// The bytes of the embedded classifier as a run.
fn write_run(scratch: &Scratch) {
    for file in ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"] {
        scratch.write(&format!("run/{file}"), bytes(&root().join("models/emotions").join(file)));
    }
}
