//! What must not be had, and what must not be sent.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::symlink,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use super::{
    Server,
    client::{connect, read_answer, request},
    scene,
};
use crate::command::{Scratch, classifier, emberlab};

#[test]
fn nothing_else_is_handed_out() {
    let scratch = scene();
    for (file, target) in [("vocab.txt", "../secret.txt"), ("tokenizer.json", "/dev/zero")] {
        let _ = fs::remove_file(scratch.path("run_a").join(file));
        symlink(target, scratch.path("run_a").join(file)).unwrap();
    }
    let pipe = scratch.path("run_a/tokenizer_config.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let server = Server::start(&scratch, "run_a --page page");
    for path in [
        "/secret.txt",
        "/../secret.txt",
        "/page/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/models/own/../../../secret.txt",
        "/linked.txt",
        "/runs/",
        "/runs/run_a",
        "/runs/run_a/",
        "/runs/run_a/run.json",
        "/runs/run_a/vocab.txt",
        "/runs/run_a/tokenizer.json",
        "/runs/run_a/tokenizer_config.json",
        "/runs/run_a/checkpoints/1/model.safetensors",
        "/runs/run_a/../../secret.txt",
        "/runs/run_a/%2e%2e/%2e%2e/secret.txt",
        "/runs/run-b/config.json",
        "/runs/run_a/config.json/",
        "/models",
        "/models/",
        "/nowhere",
        "//secret.txt",
        "/\\secret.txt",
        "/etc/passwd",
        "/page-78e79643f2018aa4_bg.wasm%00.txt",
    ] {
        let answer = server.get(path, &[]);
        assert!([400, 404].contains(&answer.status), "{path}: {answer:?}");
        assert!(!answer.text().contains("secret"), "{path}: {answer:?}");
    }
    assert_eq!(server.get("/runs/run_a/config.json", &[]).status, 200);
}

/// In the cache of the hub files are links to `blobs` of their model; those of another are none of its own.
#[test]
fn a_model_in_the_cache_of_the_hub_is_handed_out() {
    let scratch = scene();
    let [model, folder] = ["", "/snapshots/0123"].map(|of| format!("run/models--org--name{of}"));
    fs::create_dir_all(scratch.path(&folder)).unwrap();
    let link = |target: &str, file: &str| symlink(target, scratch.path(&folder).join(file));
    for (file, content) in classifier() {
        scratch.write(&format!("{model}/blobs/hash-of-{file}"), content);
        link(&format!("../../blobs/hash-of-{file}"), file).unwrap();
    }
    scratch.write("run/models--org--other/blobs/hash", "secret");
    link("../../../models--org--other/blobs/hash", "tokenizer.json").unwrap();
    let server = Server::start(&scratch, &format!("{folder} --page page"));
    for (file, content) in classifier() {
        let served = server.get(&format!("/runs/0123/{file}"), &[]);
        assert!(served.status == 200 && served.body == content, "{file}");
    }
    assert_eq!(server.get("/runs/0123/tokenizer.json", &[]).status, 404);
}

#[test]
fn nothing_else_is_taken() {
    let scratch = scene();
    let server = Server::start(&scratch, "--page page");
    let host = "Host: localhost\r\nConnection: close\r\n";
    let big = "a".repeat(20_000);
    let many = "X-A: b\r\n".repeat(100);
    for (status, text) in [
        (405, format!("POST / HTTP/1.1\r\n{host}Content-Length: 3\r\n\r\nabc")),
        (405, format!("DELETE /start.js HTTP/1.1\r\n{host}\r\n")),
        (405, format!("CONNECT elsewhere:443 HTTP/1.1\r\n{host}\r\n")),
        (413, format!("GET / HTTP/1.1\r\n{host}Content-Length: 1000000000\r\n\r\n")),
        (413, format!("GET / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        (421, "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned()),
        (421, "GET / HTTP/1.0\r\n\r\n".to_owned()),
        (400, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned()),
        (431, format!("GET / HTTP/1.1\r\n{host}X-A: {big}\r\n\r\n")),
        (431, format!("GET /{big} HTTP/1.1\r\n{host}\r\n")),
        (431, format!("GET / HTTP/1.1\r\n{host}{many}\r\n")),
        (400, "\u{16}\u{3}\u{1} hello".to_owned()),
        (400, format!("GET / HTTP/9\r\n{host}\r\n")),
    ] {
        let answer = request(server.port, &text);
        assert_eq!(answer.status, status, "{}: {answer:?}", &text[..40.min(text.len())]);
    }
    assert_eq!(server.get("/start.js", &[]).status, 200, "and it goes on");
}

/// A body is what a page of somebody else's chooses: as a request, it would name a host that is meant.
#[test]
fn a_body_is_never_a_request() {
    let scratch = scene();
    let server = Server::start(&scratch, "run_a --page page");
    let body = "GET /runs/run_a/config.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let length = format!("Content-Length: {}", body.len());
    for (status, method, host, headers) in [
        (405, "POST", "localhost", format!("Connection: keep-alive\r\n{length}")),
        (405, "POST", "localhost", format!("Content-Length: 0\r\n{length}")),
        (405, "OPTIONS", "localhost", "Transfer-Encoding: chunked".to_owned()),
        (413, "GET", "localhost", format!("Content-Length: 0\r\n{length}")),
        (413, "GET", "localhost", format!("{length}\r\nContent-Length: 0")),
        (421, "POST", "evil.example", length.clone()),
        (421, "GET", "evil.example", length.clone()),
    ] {
        let head = format!("{method} / HTTP/1.1\r\nHost: {host}\r\n{headers}");
        let answer = request(server.port, &format!("{head}\r\n\r\n{body}"));
        assert_eq!((answer.status, answer.header("connection")), (status, "close"), "{head}");
        let length = answer.body.len().to_string();
        assert_eq!(answer.header("content-length"), length, "one answer: {head}");
    }
}

#[test]
fn this_machine_is_named_and_once() {
    let scratch = scene();
    let server = Server::start(&scratch, "--page page");
    for (status, hosts) in [
        (200, "Host: LocalHost:80\r\n"),
        (200, "Host: [::1]:80\r\n"),
        (421, "Host: evil.local\r\n"),
        (421, "Host: evil\r\n"),
        (421, "Host: 192.168.1.7\r\n"),
        (421, "Host: evil.example/.localhost\r\n"),
        (421, "Host: evil,localhost\r\n"),
        (421, "Host:\r\n"),
        (400, "Host: localhost\r\nHost: evil.example\r\n"),
        (400, "Host: localhost\r\nHost: localhost\r\n"),
    ] {
        let head = format!("GET /start.js HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        assert_eq!(request(server.port, &head).status, status, "{hosts}");
    }
}

#[test]
fn a_file_that_could_not_be_opened_is_there_again() {
    const FILES: usize = 64;
    let scratch = scene();
    let line = "--page page";
    let command = format!("ulimit -n {FILES} && exec '{}'", emberlab().display());
    let command = format!("{command} serve --port 0 {line}");
    let server = Server::of(scratch.command_of(Path::new("sh"), ["-c", &*command]), line);
    let idle = server.sockets();
    let mut asking = connect(server.port);
    until("the connection is taken", || server.sockets() == idle + 1);
    let held: Vec<_> = (0..FILES).map(|_| connect(server.port)).collect();
    until("all files are open", || server.has_all_open(FILES));
    asking
        .write_all(b"GET /start.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let answer = read_answer(&mut asking);
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
    drop((asking, held));
    until("they are closed", || server.sockets() == idle);
    assert_eq!(server.get("/start.js", &[]).status, 200);
}

#[test]
fn clients_that_dawdle_are_cut_off() {
    let scratch = scene();
    let server = Server::start(&scratch, "--page page");
    let began = Instant::now();
    let mut idle = connect(server.port);
    let mut slow = connect(server.port);
    // A line now and then is no whole head.
    for line in ["GET / HTTP/1.1\r\n", "Host: localhost\r\n"] {
        slow.write_all(line.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_secs(1));
    }
    for stream in [&mut idle, &mut slow] {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty());
    }
    let waited = began.elapsed();
    assert!((8..20).contains(&waited.as_secs()), "cut off after {waited:?}");
}

#[test]
fn clients_that_do_not_read_are_cut_off() {
    let (_scratch, server) = much_to_read();
    let idle = server.sockets();
    let (mut none, mut little) = (ask_for_much(&server), ask_for_much(&server));
    until("the answers begin", || server.sockets() == idle + 2);
    // A byte now and then is no better.
    little.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    until("the server closes the connections", || {
        let _ = (&little).read(&mut [0]);
        server.sockets() == idle
    });
    little.set_read_timeout(None).unwrap();
    for stream in [&mut none, &mut little] {
        let came = rest(stream);
        assert!((1..MUCH).contains(&came), "{came} bytes came");
    }
    assert_eq!(server.get("/start.js", &[]).status, 200, "and it goes on");
}

#[test]
fn clients_that_are_slow_are_served() {
    const A_SECOND: usize = 32 << 10;
    let (_scratch, server) = much_to_read();
    let mut stream = ask_for_much(&server);
    let mut came = 0;
    for _ in 0..40 {
        let mut piece = vec![0; A_SECOND];
        stream.read_exact(&mut piece).unwrap();
        came += piece.len() as u64;
        std::thread::sleep(Duration::from_secs(1));
    }
    came += rest(&mut stream);
    assert!(came > MUCH, "{came} bytes came, of the head and {MUCH}");
}

/// More than the buffers between the two hold.
const MUCH: u64 = 256 << 20;

fn much_to_read() -> (Scratch, Server) {
    let scratch = scene();
    let weights =
        std::fs::File::options().write(true).open(scratch.path("run_a/model.safetensors"));
    weights.unwrap().set_len(MUCH).unwrap();
    let server = Server::start(&scratch, "run_a --page page");
    (scratch, server)
}

fn ask_for_much(server: &Server) -> TcpStream {
    let mut stream = connect(server.port);
    let head = "GET /runs/run_a/model.safetensors HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// The bytes that come until the connection ends.
fn rest(stream: &mut TcpStream) -> u64 {
    let mut piece = vec![0; 1 << 20];
    let mut came = 0;
    while let Ok(count) = stream.read(&mut piece)
        && count > 0
    {
        came += count as u64;
    }
    came
}

/// Waits for what comes sooner or later, however busy the machine is.
fn until(what: &str, has_come: impl Fn() -> bool) {
    let began = Instant::now();
    while !has_come() {
        assert!(began.elapsed() < Duration::from_secs(120), "{what}: never");
        std::thread::sleep(Duration::from_millis(10));
    }
}
