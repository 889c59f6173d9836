//! Too little memory: `ulimit -v` at ever lower limits, so that an allocation fails somewhere.

use std::process::Command;

use anyhow::Result;

use super::scene::check_resumed;
use super::{Figures, Scene};

/// From more than a run needs to less than the program itself does, in KiB.
const MOST: usize = 1_600_000;
const LEAST: usize = 100_000;

pub fn series(scene: &Scene, limits: usize, figures: &mut Figures) -> Result<()> {
    for number in 0..limits {
        scene.clear()?;
        let limit = MOST - (MOST - LEAST) * number / limits.max(2).saturating_sub(1);
        let training = scene.start();
        let mut limited = Command::new("sh");
        limited.arg("-c").arg(format!("ulimit -v {limit}; exec \"$0\" \"$@\""));
        limited.arg(training.get_program()).args(training.get_args());
        limited.current_dir(&scene.folder);
        let ran = limited.output()?;
        figures.memory_limits += 1;
        figures.ended_by_memory += usize::from(!ran.status.success());
        check_resumed(&scene.resume().output()?)?;
        scene.check_complete()?;
    }
    Ok(())
}
