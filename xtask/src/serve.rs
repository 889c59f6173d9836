//! A static file server on loopback: what any plain host does, and nothing more.
//!
//! It sends no special headers and can be mounted in a sub-folder, because the page must work from such a host.

use std::fs::File;
use std::io::Empty;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow, ensure};
use tiny_http::{Header, Method, Request, Response, StatusCode};

const DEFAULT_PORT: u16 = 8080;
const PORTS_TRIED: u16 = 100;
/// Browsers open up to six connections to one host.
const THREADS: usize = 6;

/// A running server; it stops when dropped.
pub struct Server {
    http: Arc<tiny_http::Server>,
    threads: Vec<JoinHandle<()>>,
    url: String,
}

impl Server {
    /// Serves `folder` on 127.0.0.1 under `prefix` (`/`, or `/sub/folder/`).
    ///
    /// With no `port`, 8080 or the next free one; port 0 is any free one.
    ///
    /// # Errors
    /// When the folder is missing, the prefix does not begin with a slash, or the port is taken.
    pub fn start(folder: &Path, prefix: &str, port: Option<u16>) -> Result<Self> {
        ensure!(folder.is_dir(), "{}: no such folder", folder.display());
        ensure!(
            prefix.starts_with('/'),
            "the prefix `{prefix}` must begin with `/`, as in `/sub/folder/`"
        );
        let site = Site {
            folder: folder.to_path_buf(),
            prefix: format!("{}/", prefix.trim_end_matches('/')),
        };
        let http = Arc::new(listen(port)?);
        let address = http.server_addr().to_ip().context("the server has no IP address")?;
        let url = format!("http://{address}{}", site.prefix);
        let site = Arc::new(site);
        let threads = (0..THREADS)
            .map(|_| {
                let (http, site) = (http.clone(), site.clone());
                std::thread::spawn(move || {
                    // `recv` fails once `unblock` is called, which ends the thread.
                    while let Ok(request) = http.recv() {
                        answer(request, &site);
                    }
                })
            })
            .collect();
        Ok(Self { http, threads, url })
    }

    /// The address of the served folder, with a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Serves until the process is interrupted.
    pub fn wait(mut self) {
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for _ in &self.threads {
            self.http.unblock();
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn listen(port: Option<u16>) -> Result<tiny_http::Server> {
    let bind = |port| tiny_http::Server::http(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    match port {
        Some(port) => bind(port)
            .map_err(|error| anyhow!("127.0.0.1:{port}: {error}; choose another with --port")),
        None => (DEFAULT_PORT..DEFAULT_PORT + PORTS_TRIED)
            .find_map(|port| bind(port).ok())
            .with_context(|| {
                format!("no free port from {DEFAULT_PORT} on; choose one with --port")
            }),
    }
}

struct Site {
    folder: PathBuf,
    /// Begins and ends with a slash.
    prefix: String,
}

/// What a path of the site leads to.
#[derive(Debug, PartialEq)]
enum Found {
    File(PathBuf),
    /// A folder asked for without its closing slash: relative links would break.
    Moved(String),
    Nothing,
}

impl Site {
    fn find(&self, target: &str) -> Found {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        if self.prefix.strip_suffix('/') == Some(path) {
            return Found::Moved(self.prefix.clone());
        }
        let Some(relative) = percent_decoded(path).and_then(|path| {
            let relative = path.strip_prefix(&self.prefix)?;
            is_plain(relative).then(|| relative.to_owned())
        }) else {
            return Found::Nothing;
        };
        let found = self.folder.join(&relative);
        if found.is_dir() && !relative.is_empty() && !relative.ends_with('/') {
            return Found::Moved(format!("{path}/"));
        }
        let file = if found.is_dir() { found.join("index.html") } else { found };
        if file.is_file() { Found::File(file) } else { Found::Nothing }
    }
}

/// Whether a decoded path stays below the folder it is joined to.
fn is_plain(relative: &str) -> bool {
    !relative.starts_with('/')
        && !relative.contains(['\\', ':', '\0'])
        && relative.split('/').all(|part| part != "..")
}

fn percent_decoded(path: &str) -> Option<String> {
    let mut bytes = path.bytes();
    let mut decoded = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            decoded.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

/// A client that goes away in the middle is its own affair, so failures to respond are dropped.
fn answer(request: Request, site: &Site) {
    if !matches!(request.method(), Method::Get | Method::Head) {
        let _ = request.respond(empty(405, &[("Allow", "GET, HEAD")]));
        return;
    }
    let _ = match site.find(request.url()) {
        Found::File(path) => match whole(&path) {
            Ok(response) => request.respond(response),
            Err(_) => request.respond(empty(403, &[])),
        },
        Found::Moved(to) => request.respond(empty(301, &[("Location", &to)])),
        Found::Nothing => request.respond(empty(404, &[])),
    };
}

fn whole(path: &Path) -> std::io::Result<Response<File>> {
    let file = File::open(path)?;
    let length = usize::try_from(file.metadata()?.len()).ok();
    let headers = headers(&[("Content-Type", content_type(path))]);
    // Not in chunks: the page shows its progress from `Content-Length`.
    Ok(Response::new(StatusCode(200), headers, file, length, None)
        .with_chunked_threshold(usize::MAX))
}

fn empty(status: u16, pairs: &[(&str, &str)]) -> Response<Empty> {
    Response::new(StatusCode(status), headers(pairs), std::io::empty(), Some(0), None)
}

fn headers(pairs: &[(&str, &str)]) -> Vec<Header> {
    pairs.iter().filter_map(|&(name, value)| Header::from_bytes(name, value).ok()).collect()
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
