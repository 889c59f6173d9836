//! `kill -9` at random moments.

use std::thread::sleep;

use anyhow::{Result, bail, ensure};

use super::scene::check_resumed;
use super::{Figures, Random, Scene};

/// Runs of one seed that are started until a kill meets one between a checkpoint and its end.
const TRIES: usize = 50;

/// Again and again, until a run is complete.
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

/// Runs with seeds of their own, each killed once after a checkpoint, and gone on with once.
pub fn resumes(scene: &mut Scene, seeds: usize, figures: &mut Figures) -> Result<()> {
    for seed in 1..=seeds as u64 {
        scene.reseed(seed)?;
        kill_once(scene, &mut Random(seed))?;
        scene.check_left()?;
        check_resumed(&scene.resume().output()?)?;
        scene.check_complete()?;
        figures.resumes += 1;
    }
    Ok(())
}

fn kill_once(scene: &Scene, random: &mut Random) -> Result<()> {
    for _ in 0..TRIES {
        scene.clear()?;
        let mut training = scene.start().spawn()?;
        sleep(scene.duration.mul_f64(random.fraction()));
        let is_over = training.try_wait()?.is_some();
        training.kill()?;
        training.wait_with_output()?;
        if !is_over && !scene.checkpoints().is_empty() {
            return Ok(());
        }
    }
    bail!("no kill met a run between its first checkpoint and its end")
}
