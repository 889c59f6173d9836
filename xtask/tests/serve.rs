//! The static server as a client sees it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use xtask::serve::Server;

fn site() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("emberlab-serve-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("models/a b")).unwrap();
    std::fs::write(folder.join("index.html"), "page").unwrap();
    std::fs::write(folder.join("engine.wasm"), vec![7; 100_000]).unwrap();
    std::fs::write(folder.join("models/a b/config.json"), "{}").unwrap();
    folder
}

fn ask(server: &Server, method: &str, path: &str) -> String {
    let host = server.url()["http://".len()..].split('/').next().unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn serves_a_folder_under_a_prefix_and_nothing_outside_it() {
    let server = Server::start(&site(), "/sub/folder", Some(0)).unwrap();
    let get = |path: &str| ask(&server, "GET", path);

    let page = get("/sub/folder/?model=models/demo");
    assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("page"), "{page}");
    assert!(page.contains("Content-Type: text/html"), "{page}");
    let engine = get("/sub/folder/engine.wasm");
    assert!(engine.contains("Content-Type: application/wasm"), "{engine}");
    assert!(engine.contains("Content-Length: 100000"), "{engine}");
    assert!(get("/sub/folder/models/a%20b/config.json").ends_with("{}"));
    assert!(get("/sub/folder").contains("Location: /sub/folder/\r\n"));
    assert!(get("/sub/folder/models/a%20b").contains("Location: /sub/folder/models/a%20b/"));

    for path in [
        "/",
        "/index.html",
        "/sub/folder/none.js",
        "/sub/folder/models/",
        "/sub/folder/../../etc/passwd",
        "/sub/folder/%2e%2e/%2e%2e/etc/passwd",
        "/sub/folder//etc/passwd",
        "/sub/folder/%2fetc/passwd",
        "/sub/folder/%zz",
        "/sub/folder/%ff",
    ] {
        assert!(get(path).starts_with("HTTP/1.1 404"), "{path}");
    }
    let head = ask(&server, "HEAD", "/sub/folder/");
    assert!(head.contains("Content-Length: 4") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(ask(&server, "POST", "/sub/folder/").starts_with("HTTP/1.1 405"));
}
