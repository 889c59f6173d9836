//! `kill -9` at random moments, again and again until a run is complete.

use std::thread::sleep;

use anyhow::{Result, ensure};

use super::scene::check_resumed;
use super::{Figures, Random, Scene};

pub fn series(
    scene: &Scene,
    kills: usize,
    random: &mut Random,
    figures: &mut Figures,
) -> Result<()> {
    while figures.kills < kills {
        scene.clear()?;
        let mut command = scene.start();
        loop {
            let mut training = command.spawn()?;
            if figures.kills < kills {
                sleep(scene.duration.mul_f64(random.fraction()));
            }
            if figures.kills < kills && training.try_wait()?.is_none() {
                training.kill()?;
                let ran = training.wait_with_output()?;
                ensure!(
                    !ran.status.success() || scene.check_complete().is_ok(),
                    "a kill that was none"
                );
                figures.kills += 1;
                scene.check_left()?;
                command = scene.resume();
                continue;
            }
            check_resumed(&training.wait_with_output()?)?;
            break;
        }
        scene.check_complete()?;
        figures.killed_runs += 1;
        if figures.killed_runs.is_multiple_of(10) {
            eprintln!("{} kills", figures.kills);
        }
    }
    Ok(())
}
