//! Everything that is checked, in the order in which it fails soonest.

use std::path::PathBuf;

use anyhow::Result;

use crate::stages::Stages;
use crate::workspace::{Workspace, run};
use crate::{native, page, python, setup, validate};

/// With `quick`, neither the page is built nor a browser or Python started.
pub fn test(workspace: &Workspace, quick: bool) -> Result<()> {
    let mut stages = Stages::default();
    let result = stages_of(workspace, quick, &mut stages);
    stages.print();
    if quick {
        eprintln!(
            "\nNOT CHECKED: the page, everything in the browser, and what Python says of our folders (--quick)"
        );
    }
    result
}

fn stages_of(workspace: &Workspace, quick: bool, stages: &mut Stages) -> Result<()> {
    let peers = stages.run("setup", || set_up(workspace, quick))?;
    stages.run("formatting", || validate::formatting(workspace))?;
    stages.run("repository checks", || validate::repository(workspace))?;
    stages.run("lints", || validate::lints(workspace))?;
    stages.run("lints for wasm", || validate::wasm_lints(workspace))?;
    let with_cuda =
        stages.run("build emberlab with CUDA", || native::build_with_cuda(workspace))?;
    let emberlab =
        stages.run("build emberlab and the tests", || native::build_with_tests(workspace))?;
    if !quick {
        stages.run("build the page", || page::build(workspace))?;
    }
    stages.run("tests", || {
        let mut cargo = workspace.cargo(&["test", "--release", "--locked", "--workspace"]);
        // All but documentation tests, of which there are none: an example's place is a test.
        cargo.args(["--lib", "--bins", "--tests"]);
        cargo.args(native::features(workspace)).env("EMBERLAB_BIN", emberlab);
        cargo.env("EMBERLAB_CUDA_BIN", with_cuda);
        match peers {
            Some(Peers { chromium, python }) => cargo
                .env("EMBERLAB_DIST", workspace.dist())
                .env("CHROMIUM", chromium)
                .env(python::NAMED, python),
            None => cargo.env("EMBERLAB_SKIP_BROWSER", "1"),
        };
        run(&mut cargo, "the failed test above says what it expected")
    })
}

/// What the tests start beside our own programs.
struct Peers {
    chromium: PathBuf,
    python: PathBuf,
}

/// Quick tests do without peers.
fn set_up(workspace: &Workspace, quick: bool) -> Result<Option<Peers>> {
    setup::crates(workspace)?;
    if quick {
        setup::wasm_target(workspace)?;
        return Ok(None);
    }
    setup::page_tools(workspace)?;
    let (chromium, python) = (setup::browser(workspace)?, python::python(workspace)?);
    Ok(Some(Peers { chromium, python }))
}
