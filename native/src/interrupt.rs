//! Ctrl-C.
//!
//! Most commands end at once with exit code 130. Training asks to finish its step first; a second
//! Ctrl-C ends that at once too.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use anyhow::{Context, Result};

use crate::files;
use crate::report::note;

/// The exit code of an interrupted command.
pub const EXIT_CODE: u8 = 130;

static FINISH_STEP_FIRST: AtomicBool = AtomicBool::new(false);
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Handles Ctrl-C from now on; call once, at the start.
pub fn install() -> Result<()> {
    ctrlc::set_handler(|| {
        let second = REQUESTED.swap(true, SeqCst);
        if second || !FINISH_STEP_FIRST.load(SeqCst) {
            files::discard_unfinished();
            process::exit(i32::from(EXIT_CODE));
        }
        note("\ninterrupted: finishing this step, then saving. Ctrl-C again stops at once.");
    })
    .context("cannot handle Ctrl-C")
}

/// From now on the first Ctrl-C only sets [`requested`].
pub fn finish_step_first() {
    FINISH_STEP_FIRST.store(true, SeqCst);
}

/// Whether Ctrl-C was pressed.
pub fn requested() -> bool {
    REQUESTED.load(SeqCst)
}
