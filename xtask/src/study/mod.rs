//! `cargo xtask study`: longer questions to real data, each with a page of `docs/` that it writes.

mod emotion6;
mod tasks;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

pub fn study(workspace: &Workspace, name: &str) -> Result<()> {
    match name {
        "emotion6" => emotion6::study(workspace),
        "tasks" => tasks::study(workspace),
        _ => bail!("there is no study `{name}`; there are emotion6 and tasks"),
    }
}
