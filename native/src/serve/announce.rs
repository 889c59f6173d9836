//! What the terminal says when the server is there.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use anyhow::{Context, Result};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use super::site::Site;
use crate::terminal::{counted, note, print};

/// Prints the address of the page and of each model, one a line, on standard output.
pub fn announce(site: &Site, port: u16, lan: bool) -> Result<()> {
    let host = if lan { own_address()? } else { Ipv4Addr::LOCALHOST.into() };
    let base = format!("http://{host}:{port}/");
    let addresses = site.runs().map(|run| format!("{base}?model={run}"));
    let addresses: Vec<String> = std::iter::once(base.clone()).chain(addresses).collect();
    note(format_args!("page    {}", site.page()));
    note(format_args!("serving {}, until Ctrl-C", counted(addresses.len(), "link")));
    print(addresses.iter().fold(String::new(), |mut text, address| {
        let _ = writeln!(text, "{address}");
        text
    }))?;
    if lan {
        // A class wants the model that it was brought here for.
        let link = addresses.get(1).unwrap_or(&base);
        note(format_args!("\n{}", qr(link)?));
        note(format_args!("{link}"));
    }
    Ok(())
}

/// The address that others in the network know this machine by. To connect a datagram socket sends
/// nothing; it only asks which way a packet would take.
fn own_address() -> Result<IpAddr> {
    let ask = || -> std::io::Result<IpAddr> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        // An address for documentation (RFC 5737), which nobody has.
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        Ok(socket.local_addr()?.ip())
    };
    ask().context("this machine is in no network; leave out --lan")
}

fn qr(text: &str) -> Result<String> {
    let code = QrCode::new(text).context("the address does not fit a QR code")?;
    // Light on dark, as terminals are; cameras read both.
    let mut drawn = code.render::<Dense1x2>();
    Ok(drawn.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
}

#[cfg(test)]
mod tests {
    use super::qr;

    #[test]
    fn an_address_fits_a_terminal() {
        let code = qr("http://192.168.178.123:8080/?model=runs/emotions").unwrap();
        assert!(code.lines().all(|line| line.chars().count() <= 45), "{code}");
        assert!(code.lines().count() <= 24 && code.contains('█'), "{code}");
    }
}
