//! `emberlab serve`: the page and models for it, from one binary.
//!
//! ```text
//! connection (limits) → answer (HTTP), host (is it meant) → site (which file)
//!   → page (folder or built in), packed (gzip, kept)
//! ```

mod announce;
mod answer;
mod body;
mod connection;
mod host;
mod packed;
mod page;
mod site;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::thread;

use anyhow::{Context, Result, anyhow};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::Outcome;
use crate::cli::ServeArgs;
use crate::live::{self, Live};
use crate::terminal::note;
pub use body::Contents;
pub use connection::answered;
pub use page::Page;
pub use site::Site;

const DEFAULT_PORT: u16 = 8080;
const PORTS_TRIED: u16 = 100;

/// Runs the command, until it is interrupted.
pub fn run(args: &ServeArgs) -> Result<Outcome> {
    let page = Page::find(args.page.as_deref())?;
    let site = Site::new(page, &args.runs)?.with_lan(args.lan);
    let listener = listen(args.lan, args.port)?;
    allow_many_files();
    announce::announce(&site, listener.local_addr()?.port(), args.lan)?;
    connection::serve(&listener, site);
    Ok(Outcome::Completed)
}

/// Looks for the page, so that a run that is to be shown in it need not begin in vain.
pub fn check_page() -> Result<()> {
    Page::find(None).map(drop)
}

/// Serves the page with a run under way to this machine alone, from now on and beside everything else; says
/// where.
pub fn beside(live: Live) -> Result<()> {
    let site = Site::new(Page::find(None)?, &[])?.with_live(live);
    let listener = listen(false, None)?;
    note(format_args!("live    http://{}/#{}", listener.local_addr()?, live::FOLDER));
    thread::spawn(move || connection::serve(&listener, site));
    Ok(())
}

/// Each connection is an open file, of which most systems let a process have 1,024 unless it asks for more.
fn allow_many_files() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Where that is refused, some are told to come again.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

fn listen(lan: bool, port: Option<u16>) -> Result<TcpListener> {
    let host = IpAddr::from(if lan { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST });
    let bind = |port| TcpListener::bind(SocketAddr::from((host, port)));
    match port {
        Some(port) => {
            bind(port).map_err(|error| anyhow!("{host}:{port}: {error}; choose another --port"))
        }
        None => (DEFAULT_PORT..DEFAULT_PORT + PORTS_TRIED)
            .find_map(|port| bind(port).ok())
            .with_context(|| format!("no free port from {DEFAULT_PORT} on; choose one: --port")),
    }
}
