//! Whether a request names this machine.

use std::net::IpAddr;

use http::header::{HOST, HeaderValue};
use http::{Request, StatusCode, Version};

/// # Errors
/// With which status it is refused: not one host is named (RFC 9112, section 3.2), or it is another.
pub fn check(request: &Request<()>, is_lan: bool) -> Result<(), StatusCode> {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_meant(host, is_lan) => Ok(()),
        (_, Some(_)) => Err(StatusCode::BAD_REQUEST),
        (None, None) if request.version() == Version::HTTP_11 => Err(StatusCode::BAD_REQUEST),
        _ => Err(StatusCode::MISDIRECTED_REQUEST),
    }
}

/// Whether this is what the machine calls itself or, with `--lan`, what it is called in its network. A name of
/// the wide world that somebody has pointed at it (DNS rebinding) would let their page read the models.
fn is_meant(host: &HeaderValue, is_lan: bool) -> bool {
    let Ok(host) = host.to_str() else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(name) => name.parse().ok().map(IpAddr::V6),
        None => name.parse().ok().map(IpAddr::V4),
    };
    if let Some(address) = address {
        return is_lan || address.is_loopback();
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(fits);
    let name = name.to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_near = last == "localhost" || (is_lan && (last == "local" || !name.contains('.')));
    is_near && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_wide_world_are_not_meant() {
        let meant = |host: &str| {
            let host = HeaderValue::from_str(host).unwrap();
            [false, true].map(|is_lan| is_meant(&host, is_lan))
        };
        for host in ["127.0.0.1:8080", "127.9.9.9", "LocalHost", "a.localhost:", "[::1]:80"] {
            assert_eq!(meant(host), [true, true], "{host}");
        }
        for host in ["192.168.1.7", "[fe80::1]:80", "0.0.0.0", "teacher-1:8080", "pc.local"] {
            assert_eq!(meant(host), [false, true], "{host}");
        }
        for host in [
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "a.localhost.evil.example",
            "evil.example/.local",
            "evil.example .localhost",
            "evil,localhost",
            "a@localhost",
            "localhost:80:80",
            ".localhost",
            "::1",
            "[127.0.0.1]",
            ":80",
            "",
        ] {
            assert_eq!(meant(host), [false, false], "{host}");
        }
    }
}
