//! Whole processes: wall clock, processor time and peak memory.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use wait4::Wait4;

const MIB: f64 = 1024.0 * 1024.0;

/// What one run of a process took.
#[derive(Clone, Copy)]
pub struct Run {
    pub seconds: f64,
    /// User and system time of all its threads.
    pub cpu_seconds: f64,
    /// Peak resident memory.
    pub mib: f64,
}

/// Runs `command` to its end. What it says goes into `log`, and is shown when it fails.
pub fn measure(command: &mut Command, log: &Path) -> Result<Run> {
    let shown = format!("{command:?}");
    let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let errors = output.try_clone().context("cannot open the log twice")?;
    command.stdout(Stdio::from(output)).stderr(Stdio::from(errors));
    let started = Instant::now();
    let child = command.spawn().with_context(|| format!("{shown} could not be started"))?;
    let used = child.wait4().with_context(|| format!("{shown} cannot be waited for"))?;
    let seconds = started.elapsed().as_secs_f64();
    if !used.status.success() {
        let words = fs::read_to_string(log).unwrap_or_default();
        bail!("{shown} failed ({}):\n{words}", used.status);
    }
    Ok(Run {
        seconds,
        cpu_seconds: (used.rusage.utime + used.rusage.stime).as_secs_f64(),
        mib: used.rusage.maxrss as f64 / MIB,
    })
}
