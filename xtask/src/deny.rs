//! Licences, sources and advisories of all dependencies, as `deny.toml` asks for them.

use anyhow::Result;

use crate::setup;
use crate::workspace::{Workspace, run};

const OFFLINE: [&str; 3] = ["licenses", "bans", "sources"];

/// What one workspace may have, another need not.
const UNUSED: [&str; 4] =
    ["--allow", "license-not-encountered", "--allow", "license-exception-not-encountered"];

/// Checks every workspace; advisories only where their database can be fetched.
pub fn deny(workspace: &Workspace) -> Result<()> {
    setup::deny(workspace)?;
    let config = workspace.root.join("deny.toml");
    let has_database = workspace
        .command("cargo-deny", &["--manifest-path", "Cargo.toml", "fetch", "db"])
        .status()
        .is_ok_and(|status| status.success());
    let checks = if has_database { &["advisories"][..] } else { &[] };
    for manifest in ["Cargo.toml", "fuzz/Cargo.toml", "bench/Cargo.toml"] {
        let mut cargo = workspace.command("cargo-deny", &["--manifest-path", manifest]);
        cargo.arg("--config").arg(&config).arg("check").args(UNUSED).args(OFFLINE).args(checks);
        run(&mut cargo, "take another crate, or allow it in deny.toml and say why")?;
    }
    if !has_database {
        eprintln!(
            "\nNOT CHECKED: advisories, because the database of rustsec.org cannot be fetched"
        );
    }
    Ok(())
}
