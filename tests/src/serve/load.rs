//! A thousand connections, and a class that opens the page at once.

use std::{
    io::Write,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use super::{
    Server, built_page,
    client::{connect, get, read_answer},
    scene, visit, write_run,
};
use crate::{command::Scratch, support::say};

#[test]
fn a_thousand_connections_are_held() {
    const CONNECTIONS: usize = 1000;
    let scratch = scene();
    let server = Server::start(&scratch, "--page page");
    let mut held: Vec<_> = (0..CONNECTIONS).map(|_| connect(server.port)).collect();
    for stream in &mut held {
        stream.write_all(b"GET /start.js HTTP/1.1\r\nHost: localhost\r\n").unwrap();
    }
    let began = Instant::now();
    assert_eq!(server.get("/start.js", &[]).status, 200);
    let waited = began.elapsed();
    assert!(waited < Duration::from_secs(2), "one more waited {waited:?}");
    for stream in &mut held {
        stream.write_all(b"Connection: close\r\n\r\n").unwrap();
    }
    let answered = held.iter_mut().map(read_answer).filter(|it| it.status == 200).count();
    assert_eq!(answered, CONNECTIONS);
    say(&format!("serve: {CONNECTIONS} connections held; one more waited {waited:.1?}\n"));
}

#[test]
fn thirty_clients_load_page_and_model_at_once() {
    const CLIENTS: usize = 30;
    let Some(dist) = built_page() else { return };
    let scratch = Scratch::new();
    write_run(&scratch);
    let server = Server::start(&scratch, &format!("run --page {}", dist.display()));
    let (paths, start) = (visit(&dist), Barrier::new(CLIENTS));
    let load = || {
        start.wait();
        let began = Instant::now();
        let answers = paths.iter().map(|path| get(server.port, path, &["Accept-Encoding: gzip"]));
        let bytes: usize =
            answers.inspect(|it| assert_eq!(it.status, 200)).map(|it| it.body.len()).sum();
        (began.elapsed(), bytes)
    };
    let mut times = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(load)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect::<Vec<_>>()
    });
    times.sort();
    let ((median, _), (slowest, bytes)) = (times[CLIENTS / 2], times[CLIENTS - 1]);
    say(&format!(
        "serve: {CLIENTS} clients at once, {} files and {:.1} MB each: median {median:.1?}, slowest {slowest:.1?}\n",
        paths.len(),
        bytes as f64 / 1e6
    ));
    assert!(slowest < Duration::from_secs(60), "{slowest:?}");
}
