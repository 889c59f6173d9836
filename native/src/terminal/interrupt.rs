//! Ctrl-C, and the SIGTERM with which schedulers and containers end a process.
//!
//! Most commands end at once with exit code 130. Training asks to finish its step first; a second
//! signal ends that at once too.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use anyhow::{Context, Result};
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

use super::note;
use crate::files::staged;

/// The exit code of an interrupted command.
pub const EXIT_CODE: u8 = 130;

static FINISH_STEP_FIRST: AtomicBool = AtomicBool::new(false);
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Handles both signals from now on; call once, at the start.
pub fn install() -> Result<()> {
    ctrlc::set_handler(received).context("cannot handle Ctrl-C")?;
    // Not through ctrlc, which would take SIGHUP too: `nohup` has told a process to ignore that.
    let mut terminations = Signals::new([SIGTERM]).context("cannot handle SIGTERM")?;
    thread::Builder::new()
        .name("sigterm".to_owned())
        .spawn(move || terminations.forever().for_each(|_| received()))
        .context("cannot handle SIGTERM")?;
    Ok(())
}

fn received() {
    let second = REQUESTED.swap(true, SeqCst);
    if second || !FINISH_STEP_FIRST.load(SeqCst) {
        staged::discard_unfinished(i32::from(EXIT_CODE));
    }
    note("\ninterrupted: finishing this step, then saving. Ctrl-C again stops at once.");
}

/// While this is there, the first signal only sets [`requested`].
pub struct FinishStepFirst(());

impl FinishStepFirst {
    pub fn begin() -> Self {
        FINISH_STEP_FIRST.store(true, SeqCst);
        Self(())
    }
}

impl Drop for FinishStepFirst {
    fn drop(&mut self) {
        FINISH_STEP_FIRST.store(false, SeqCst);
    }
}

/// Whether there was a signal.
pub fn requested() -> bool {
    REQUESTED.load(SeqCst)
}
