//! One request, answered (RFC 9110): types, packing, versions (`ETag`) and parts (`Range`).

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};

use super::body::Contents;
use super::host;
use super::packed::Packed;
use super::site::{Found, Site};

/// Beside what [`StatusCode`] says.
type Headers = Vec<(HeaderName, String)>;

pub fn answer(site: &Site, request: &Request<()>) -> Response<Contents> {
    let headers = request.headers();
    if let Err(status) = host::check(request, site.is_lan()) {
        return refuse(status, Vec::new());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, vec![(header::ALLOW, "GET, HEAD".into())]);
    }
    if has_body(headers) {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, Vec::new());
    }
    let path = request.uri().path();
    let answered = match site.find(path) {
        Found::Kept(packed) => of_kept(path, headers, &packed),
        Found::BuiltIn(file) => {
            let (tag, bytes) = (format!("\"{}\"", file.hash), Bytes::from_static(file.bytes));
            of_whole(path, headers, &tag, bytes.len() as u64, |part| Ok(slice(&bytes, part)))
        }
        Found::File(file) => of_file(path, headers, &file),
        Found::Made(bytes) => {
            let headers = vec![
                (header::CONTENT_TYPE, content_type(path).to_owned()),
                (header::CACHE_CONTROL, "no-store".to_owned()),
            ];
            return respond(StatusCode::OK, headers, Contents::Bytes(bytes));
        }
        Found::Nothing => return refuse(StatusCode::NOT_FOUND, Vec::new()),
        Found::NotNow => return later(),
    };
    answered.unwrap_or_else(|_| later())
}

/// Whether more follows than the head: it is not read, and never to be taken for the next request.
pub fn has_body(headers: &HeaderMap) -> bool {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let is_none = |length: &HeaderValue| length.as_bytes() == b"0";
    headers.contains_key(header::TRANSFER_ENCODING) || !lengths.all(is_none)
}

fn of_kept(
    path: &str,
    headers: &HeaderMap,
    packed: &Packed,
) -> std::io::Result<Response<Contents>> {
    let takes = |headers: &HeaderMap| {
        let asked = headers.get(header::ACCEPT_ENCODING).and_then(|it| it.to_str().ok());
        let mut codings = asked.unwrap_or_default().split(',').map(str::trim);
        codings.any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            let weight = weight.split_once('=').map_or("1", |(_, weight)| weight.trim());
            name.trim() == "gzip" && weight.parse::<f32>().is_ok_and(|weight| weight > 0.0)
        })
    };
    let mut response = if takes(headers) && !headers.contains_key(header::RANGE) {
        let tag = format!("\"{}-gz\"", packed.hash);
        let of = |_| Ok(Contents::Bytes(packed.gzip.clone()));
        let mut response = of_whole(path, headers, &tag, packed.gzip.len() as u64, of)?;
        if response.status() == StatusCode::OK {
            let gzip = HeaderValue::from_static("gzip");
            response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
        }
        response
    } else {
        let tag = format!("\"{}\"", packed.hash);
        let of = |part: Range<u64>| Ok(slice(&packed.plain, part));
        of_whole(path, headers, &tag, packed.plain.len() as u64, of)?
    };
    let vary = HeaderValue::from_static("Accept-Encoding");
    response.headers_mut().insert(header::VARY, vary);
    Ok(response)
}

fn of_file(path: &str, headers: &HeaderMap, file: &Path) -> std::io::Result<Response<Contents>> {
    let about = fs::metadata(file)?;
    let time = about.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let tag = format!("\"{:x}-{:x}\"", about.len(), time.as_nanos());
    of_whole(path, headers, &tag, about.len(), |part| Contents::of_file(file, part))
}

/// Contents of this length and version, all or the part that is asked for.
fn of_whole(
    path: &str,
    asked: &HeaderMap,
    tag: &str,
    length: u64,
    contents: impl FnOnce(Range<u64>) -> std::io::Result<Contents>,
) -> std::io::Result<Response<Contents>> {
    let mut headers = vec![
        (header::ETAG, tag.to_owned()),
        (header::CACHE_CONTROL, cache_control(path).to_owned()),
    ];
    if matches(asked, header::IF_NONE_MATCH, tag) == Some(true) {
        return Ok(respond(StatusCode::NOT_MODIFIED, headers, Contents::Bytes(Bytes::new())));
    }
    headers.push((header::CONTENT_TYPE, content_type(path).to_owned()));
    headers.push((header::ACCEPT_RANGES, "bytes".into()));
    let is_same = matches(asked, header::IF_RANGE, tag) != Some(false);
    let range = asked.get(header::RANGE).and_then(|range| range.to_str().ok());
    match range.filter(|_| is_same).and_then(|range| part(range, length)) {
        None => Ok(respond(StatusCode::OK, headers, contents(0..length)?)),
        Some(part) if part.is_empty() => {
            headers.push((header::CONTENT_RANGE, format!("bytes */{length}")));
            Ok(refuse(StatusCode::RANGE_NOT_SATISFIABLE, headers))
        }
        Some(part) => {
            let (first, last) = (part.start, part.end - 1);
            headers.push((header::CONTENT_RANGE, format!("bytes {first}-{last}/{length}")));
            Ok(respond(StatusCode::PARTIAL_CONTENT, headers, contents(part)?))
        }
    }
}

/// Whether a condition names this version; nothing where it is not asked for.
fn matches(asked: &HeaderMap, condition: HeaderName, tag: &str) -> Option<bool> {
    let tags = asked.get(condition)?.to_str().ok()?;
    Some(tags.split(',').map(str::trim).any(|it| it == "*" || it.trim_start_matches("W/") == tag))
}

/// `bytes=10-19`, `bytes=10-` or `bytes=-10`; empty where the file has no such part. Several parts, or what
/// is none of these, are nothing: then all is sent.
fn part(range: &str, length: u64) -> Option<Range<u64>> {
    let (first, last) = range.strip_prefix("bytes=")?.trim().split_once('-')?;
    Some(match (first, last) {
        ("", count) => length - number(count)?.min(length)..length,
        (first, "") => number(first)?..length,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(length)
        }
    })
    .map(|part: Range<u64>| if part.start < length { part } else { 0..0 })
}

/// Digits alone; a number that is too large is larger than any file.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

fn slice(bytes: &Bytes, part: Range<u64>) -> Contents {
    Contents::Bytes(bytes.slice(part.start as usize..part.end as usize))
}

/// What has a hash in its name never changes; all else is asked for again, which costs a few bytes.
fn cache_control(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let hash = |part: &str| part.len() == 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name.split(['-', '_', '.']).any(hash) {
        true => "max-age=31536000, immutable",
        false => "no-cache",
    }
}

fn content_type(path: &str) -> &'static str {
    let path = if path.ends_with('/') { "index.html" } else { path };
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        Some("webmanifest") => "application/manifest+json",
        Some("md" | "rs" | "txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// A status and its name.
pub fn refuse(status: StatusCode, headers: Headers) -> Response<Contents> {
    let said = format!("{status}\n");
    let mut response = respond(status, headers, Contents::Bytes(said.into()));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

/// What another time may be answered: no file can be opened now, or too many ask.
pub fn later() -> Response<Contents> {
    refuse(StatusCode::SERVICE_UNAVAILABLE, vec![(header::RETRY_AFTER, "1".into())])
}

fn respond(status: StatusCode, headers: Headers, contents: Contents) -> Response<Contents> {
    let mut response = Response::new(contents);
    *response.status_mut() = status;
    let all = response.headers_mut();
    all.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            all.insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_the_standard_has_it() {
        assert_eq!(part("bytes=2-4", 10), Some(2..5));
        assert_eq!(part("bytes=7-", 10), Some(7..10));
        assert_eq!(part("bytes=-3", 10), Some(7..10));
        assert_eq!(part("bytes=-30", 10), Some(0..10));
        assert_eq!(part("bytes=8-99", 10), Some(8..10));
        assert_eq!(part("bytes=0-18446744073709551615", 10), Some(0..10));
        assert_eq!(part("bytes=10-", 10), Some(0..0));
        assert_eq!(part("bytes=-0", 10), Some(0..0));
        assert_eq!(part("bytes=18446744073709551616-", 10), Some(0..0));
        assert_eq!(part("bytes=-18446744073709551616", 10), Some(0..10));
        for odd in ["bytes=4-2", "bytes=1-2,4-5", "bytes=a-", "bytes=-", "lines=1-2", "bytes=1"] {
            assert_eq!(part(odd, 10), None, "{odd}");
        }
        for signed in ["bytes=+1-2", "bytes=1-+2", "bytes=+1-", "bytes=-+1"] {
            assert_eq!(part(signed, 10), None, "{signed}");
        }
    }

    #[test]
    fn only_hashed_names_are_for_ever() {
        assert!(cache_control("/page-78e79643f2018aa4_bg.wasm").contains("immutable"));
        assert_eq!(cache_control("/engine-cpu_bg.wasm"), "no-cache");
    }
}
