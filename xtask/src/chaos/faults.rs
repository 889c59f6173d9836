//! Operations on files that fail, one after the other (see `fault.c`).

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::scene::{check_resumed, said};
use super::{Figures, Scene};

const SOURCE: &str = include_str!("fault.c");
const KINDS: [&str; 4] = ["enospc", "eio", "short", "full"];

pub fn series(scene: &Scene, faults: usize, figures: &mut Figures) -> Result<()> {
    let shim = compile(scene)?;
    let operations = count(scene, &shim)?;
    let places = (faults / KINDS.len()).clamp(1, operations);
    for number in 0..places {
        let at = number * operations / places;
        for kind in KINDS {
            inject(scene, &shim, kind, at, figures)
                .with_context(|| format!("{kind} at operation {at} of {operations}"))?;
        }
        if number % 25 == 24 {
            eprintln!("{} faults", figures.faults);
        }
    }
    Ok(())
}

fn compile(scene: &Scene) -> Result<PathBuf> {
    let source = scene.folder.join("fault.c");
    let shim = scene.folder.join("fault.so");
    fs::write(&source, SOURCE)?;
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&shim).arg(&source).arg("-ldl");
    let ran = compiler.output().context("cannot start cc; install a C compiler")?;
    ensure!(ran.status.success(), "cc failed:\n{}", said(&ran));
    Ok(shim)
}

/// The operations of an undisturbed run.
fn count(scene: &Scene, shim: &PathBuf) -> Result<usize> {
    scene.clear()?;
    let file = scene.folder.join("count");
    let ran = scene.start().env("LD_PRELOAD", shim).env("EMBERLAB_FAULT_COUNT", &file).output()?;
    ensure!(ran.status.success(), "with the shim alone it fails:\n{}", said(&ran));
    let operations: usize = fs::read_to_string(file)?.parse()?;
    ensure!(
        operations > 50,
        "only {operations} operations were seen: is the program linked statically?"
    );
    Ok(operations)
}

fn inject(
    scene: &Scene,
    shim: &PathBuf,
    kind: &str,
    at: usize,
    figures: &mut Figures,
) -> Result<()> {
    scene.clear()?;
    let mut training = scene.start();
    training.env("LD_PRELOAD", shim).env("EMBERLAB_FAULT", kind);
    let ran = training.env("EMBERLAB_FAULT_AT", at.to_string()).output()?;
    match ran.status.code() {
        Some(0) => {}
        Some(1) if said(&ran).contains("error: ") && !said(&ran).contains("internal error") => {
            figures.ended_by_fault += 1;
        }
        _ => bail!("it ended with {}:\n{}", ran.status, said(&ran)),
    }
    ensure!(kind != "short" || ran.status.success(), "a short write ended it:\n{}", said(&ran));
    check_resumed(&scene.resume().output()?)?;
    scene.check_complete()?;
    figures.faults += 1;
    Ok(())
}
