//! Connections, their limits, and HTTP/1.1 on them (RFC 9112).
//!
//! A thread to a connection: nearly all of them wait, which costs little, and nothing here can keep another
//! waiting.

use std::io::{self, ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use http::header::{CONNECTION, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};

use super::answer::{answer, has_body, later, refuse};
use super::body::{self, Contents};
use super::site::Site;

/// Connections at a time; whoever comes then is told to come again.
const MOST_CONNECTIONS: usize = 2000;
const STACK: usize = 256 << 10;
/// The head of a request, and its lines.
const HEAD_BYTES: usize = 16 << 10;
const HEAD_LINES: usize = 64;
/// How long a client may take for the head of its next request.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// Before another connection is taken, when the process may open no more files.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until the process ends.
pub fn serve(listener: &TcpListener, site: Site) {
    let (site, open) = (Arc::new(site), Arc::new(AtomicUsize::new(0)));
    loop {
        let Ok((mut stream, _)) = listener.accept() else {
            thread::sleep(PAUSE);
            continue;
        };
        let (site, place) = (site.clone(), Place::take(&open));
        if place.number >= MOST_CONNECTIONS {
            // A connection that has just been made has room for this.
            let _ = send(&mut stream, &Method::GET, later(), false);
            continue;
        }
        let converse = move || {
            // Clients that go away or break the rules are their own affair.
            let _ = Conversation { stream, read: Vec::new() }.hold(&site);
            drop(place);
        };
        // Where no thread can be had, the connection is closed with what was to be done on it.
        let _ = thread::Builder::new().stack_size(STACK).spawn(converse);
    }
}

/// One of the connections that are open.
struct Place {
    open: Arc<AtomicUsize>,
    /// How many there were before.
    number: usize,
}

impl Place {
    fn take(open: &Arc<AtomicUsize>) -> Self {
        Self { open: open.clone(), number: open.fetch_add(1, SeqCst) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.fetch_sub(1, SeqCst);
    }
}

struct Conversation {
    stream: TcpStream,
    /// What has come and was not used yet.
    read: Vec<u8>,
}

/// A request whose head is whole, or why it is refused.
type Head = Result<Request<()>, StatusCode>;

impl Conversation {
    fn hold(mut self, site: &Site) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        loop {
            let head = self.head()?;
            let method = head.as_ref().map_or(Method::GET, |request| request.method().clone());
            let response = respond(site, &head);
            let goes_on = head.is_ok_and(|request| is_kept(&request));
            send(&mut self.stream, &method, response, goes_on)?;
            if !goes_on {
                return self.end();
            }
        }
    }

    /// Reads until the head of a request is whole, refused, or late.
    fn head(&mut self) -> io::Result<Head> {
        let end = Instant::now() + HEAD_PATIENCE;
        loop {
            if let Some((head, length)) = parse(&self.read) {
                self.read.drain(..length);
                return Ok(head);
            }
            if self.read.len() >= HEAD_BYTES {
                return Ok(Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut piece = [0; 4096];
            match self.stream.read(&mut piece)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => self.read.extend_from_slice(&piece[..count]),
            }
        }
    }

    /// Lets what was said arrive before the connection is closed: to close with something unread resets it.
    fn end(mut self) -> io::Result<()> {
        self.stream.shutdown(std::net::Shutdown::Write)?;
        self.stream.set_read_timeout(Some(PAUSE))?;
        let mut rest = [0; 4096];
        for _ in 0..HEAD_BYTES / rest.len() {
            if self.stream.read(&mut rest)? == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// What a client gets whose first request stands in `bytes`; nothing while it is not whole.
pub fn answered(site: &Site, bytes: &[u8]) -> Option<Response<Contents>> {
    parse(bytes).map(|(head, _)| respond(site, &head))
}

fn respond(site: &Site, head: &Head) -> Response<Contents> {
    match head {
        Ok(request) => answer(site, request),
        Err(status) => refuse(*status, Vec::new()),
    }
}

/// The request that `bytes` begin with, and its length; nothing while it is not whole.
fn parse(bytes: &[u8]) -> Option<(Head, usize)> {
    let mut lines = [httparse::EMPTY_HEADER; HEAD_LINES];
    let mut parsed = httparse::Request::new(&mut lines);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return None,
        Err(httparse::Error::TooManyHeaders) => {
            return Some((Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE), 0));
        }
        Err(_) => return Some((Err(StatusCode::BAD_REQUEST), 0)),
    };
    let version = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    let (method, path) = (parsed.method.unwrap_or_default(), parsed.path.unwrap_or_default());
    let mut request = Request::builder().method(method).uri(path).version(version);
    if let Some(headers) = request.headers_mut() {
        for line in parsed.headers {
            let name = HeaderName::from_bytes(line.name.as_bytes());
            let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(line.value)) else {
                // To leave a line out might be to miss a body.
                return Some((Err(StatusCode::BAD_REQUEST), 0));
            };
            headers.append(name, value);
        }
    }
    Some((request.body(()).map_err(|_| StatusCode::BAD_REQUEST), length))
}

/// Whether the client means to ask for more on this connection, and what it sends next is a request.
fn is_kept(request: &Request<()>) -> bool {
    let says = |option: &str| {
        let lines = request.headers().get_all(CONNECTION).iter();
        let mut options = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
        options.any(|it| it.trim_ascii().eq_ignore_ascii_case(option.as_bytes()))
    };
    let is_meant = request.version() != Version::HTTP_10 || says("keep-alive");
    is_meant && !says("close") && !has_body(request.headers())
}

fn send(
    stream: &mut TcpStream,
    method: &Method,
    response: Response<Contents>,
    goes_on: bool,
) -> io::Result<()> {
    let (parts, contents) = response.into_parts();
    let mut head = format!("HTTP/1.1 {}\r\n", parts.status).into_bytes();
    for (name, value) in &parts.headers {
        head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    let kept = if goes_on { "keep-alive" } else { "close" };
    head.extend(format!("connection: {kept}\r\n").bytes());
    if parts.status != StatusCode::NOT_MODIFIED {
        head.extend(format!("content-length: {}\r\n", contents.len()).bytes());
    }
    head.extend(b"\r\n");
    body::send(stream, &head)?;
    if method == Method::HEAD || parts.status == StatusCode::NOT_MODIFIED {
        return Ok(());
    }
    contents.write_to(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_whole_or_refused() {
        let status = |bytes: &[u8]| parse(bytes).map(|(head, _)| head.err());
        assert_eq!(status(b"GET / HTTP/1.1\r\nHost: a\r\n"), None);
        assert_eq!(status(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET"), Some(None));
        for odd in [
            &b"\x16\x03\x01"[..],
            b"GET /\r\n\r\n",
            b"GET / HTTP/2.0\r\n\r\n",
            b"G\0T / HTTP/1.1\r\n\r\n",
        ] {
            assert_eq!(status(odd), Some(Some(StatusCode::BAD_REQUEST)), "{odd:?}");
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEAD_LINES + 1));
        let many = status(many.as_bytes());
        assert_eq!(many, Some(Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)));
    }
}
