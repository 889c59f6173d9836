//! The whole path once: fine-tune on the embedded default, then try the new model in a browser tab.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use xtask::serve::Server;

use crate::stages::Stages;
use crate::workspace::{Workspace, run};
use crate::{native, page, setup};

const RUN: &str = "runs/demo";
/// Below `dist/`; the page opens it when its address says so.
const MODEL: &str = "models/demo";
const MODEL_FILES: [&str; 4] =
    ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

/// The result of the training is printed before the tools of the page are built: it is what people wait for.
pub fn demo(workspace: &Workspace, serve: bool, port: Option<u16>) -> Result<()> {
    let mut stages = Stages::default();
    stages.run("fetch the dependencies", || setup::crates(workspace))?;
    let emberlab = stages.run("build emberlab", || native::build(workspace))?;
    stages.run("fine-tune", || {
        run(
            &mut workspace.command(&emberlab, &["train", "--out", RUN, "--overwrite"]),
            "`emberlab doctor` says what this machine lacks",
        )
    })?;
    stages.run("install the page's tools", || setup::page_tools(workspace))?;
    stages.run("build the page", || {
        page::build(workspace)?;
        copy_model(&workspace.root.join(RUN), &workspace.dist().join(MODEL))
    })?;
    stages.print();
    if serve {
        let server = Server::start(&workspace.dist(), "/", port)?;
        println!("\nthe page with your model: {}?model={MODEL}\nCtrl-C ends it", server.url());
        server.wait();
    }
    Ok(())
}

fn copy_model(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for name in MODEL_FILES {
        let (from, to) = (from.join(name), to.join(name));
        fs::copy(&from, &to)
            .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}
