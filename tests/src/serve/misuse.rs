//! What must not be had, and what must not be sent.

use std::{
    io::{Read, Write},
    time::{Duration, Instant},
};

use super::{
    Server,
    client::{connect, request},
    scene,
};

#[test]
fn nothing_else_is_handed_out() {
    let scratch = scene();
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
        (421, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned()),
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
    const LENGTH: u64 = 256 << 20;
    let scratch = scene();
    // More than the buffers between the two hold.
    let weights =
        std::fs::File::options().write(true).open(scratch.path("run_a/model.safetensors"));
    weights.unwrap().set_len(LENGTH).unwrap();
    let server = Server::start(&scratch, "run_a --page page");
    let idle = server.sockets();
    let mut stream = connect(server.port);
    let head = "GET /runs/run_a/model.safetensors HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    until("the answer begins", || server.sockets() > idle);
    until("the server closes the connection", || server.sockets() == idle);
    let mut piece = vec![0; 1 << 20];
    let mut came = 0;
    while let Ok(count) = stream.read(&mut piece)
        && count > 0
    {
        came += count as u64;
    }
    assert!((1..LENGTH).contains(&came), "{came} bytes came");
    assert_eq!(server.get("/start.js", &[]).status, 200, "and it goes on");
}

/// Waits for what comes sooner or later, however busy the machine is.
fn until(what: &str, has_come: impl Fn() -> bool) {
    let began = Instant::now();
    while !has_come() {
        assert!(began.elapsed() < Duration::from_secs(120), "{what}: never");
        std::thread::sleep(Duration::from_millis(10));
    }
}
