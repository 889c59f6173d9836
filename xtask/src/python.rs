//! The Python with the libraries that Emberlab is held against, in an environment of its own.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::workspace::{Workspace, run};

/// Names a Python that has them, instead.
pub const NAMED: &str = "EMBERLAB_PYTHON";
const WANTED: &str = "tests/python/requirements.txt";
const REMEDY: &str = "it needs PyPI, 6 GB of disk, and Python 3.10 or newer with venv (Debian: `apt-get install python3-venv`)";

/// The program: what `EMBERLAB_PYTHON` names, else one in the target folder, made when it is first asked for or
/// when what is wanted has changed.
pub fn python(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(NAMED).map(PathBuf::from) {
        ensure!(named.is_file(), "{NAMED} names {}, which is no file", named.display());
        return Ok(named);
    }
    let venv = workspace.target.join("python");
    let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let wanted = fs::read_to_string(workspace.root.join(WANTED)).context(WANTED)?;
    let installed = venv.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(python);
    }
    eprintln!("installing torch, transformers and others: Emberlab is held against them");
    run(workspace.command("python3", &["-m", "venv"]).arg(&venv), REMEDY)?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", WANTED];
    run(workspace.command(&python, &pip).current_dir(&workspace.root), REMEDY)?;
    fs::write(&installed, wanted).context("cannot write into the environment")?;
    Ok(python)
}
