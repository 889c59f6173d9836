//! A long training, and whether its memory grows.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// Steps between two looks at the memory, and of an epoch, after which the held-out rows are measured.
const INTERVAL: usize = 100;
const BATCH: usize = 4;
/// Steps between two checkpoints.
const SAVE_STEPS: usize = 500;
/// The part of the steps in which allocators and caches may still grow.
const WARM_UP: f64 = 0.2;
/// What memory may grow by in 1,000 steps, in MB.
pub const MOST_GROWTH: f64 = 1.0;
const MB: f64 = 1e6;

/// What a process held (`VmRSS`, in bytes) after so many steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub step: usize,
    pub bytes: f64,
}

/// What a soak saw.
#[derive(Debug)]
pub struct Figures {
    pub samples: Vec<Sample>,
    /// Growth by least squares of all samples after the warm-up but for one jump, in MB per 1,000 steps.
    pub growth: f64,
    pub seconds: f64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mb = |bytes: f64| bytes / MB;
        let held = self.samples.iter().map(|sample| sample.bytes);
        let (first, last) = (self.samples.first(), self.samples.last());
        write!(
            f,
            "soak           {} steps in {:.0} s, {} samples: {:.1} MB after step {}, {:.1} MB at the end, {:.1} MB at most; \
             {:+.3} MB per 1,000 steps",
            last.map_or(0, |sample| sample.step),
            self.seconds,
            self.samples.len(),
            first.map_or(0.0, |sample| mb(sample.bytes)),
            first.map_or(0, |sample| sample.step),
            last.map_or(0.0, |sample| mb(sample.bytes)),
            mb(held.fold(0.0, f64::max)),
            self.growth
        )
    }
}

/// Trains bert-tiny with the program `emberlab` in `folder`, which is emptied before and after, for `steps`
/// steps, with a measurement each 100 and a checkpoint each 500.
///
/// # Errors
/// The training fails, or too few steps were asked for to see anything.
pub fn soak(root: &Path, emberlab: &Path, folder: &Path, steps: usize) -> Result<Figures> {
    ensure!(steps >= 10 * INTERVAL, "a soak takes at least {} steps", 10 * INTERVAL);
    write_data(root, folder)?;
    let line = format!(
        "train --train train.jsonl --eval eval.jsonl --device cpu --max-steps {steps} --batch-size {BATCH} \
         --learning-rate 1e-4 --logging-steps {INTERVAL} --save-steps {SAVE_STEPS} --out run"
    );
    let mut command = Command::new(emberlab);
    command.args(line.split_whitespace()).current_dir(folder);
    command.arg("--model").arg(root.join("models/bert-tiny"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("said"))?);
    let started = Instant::now();
    let mut training = command.spawn().context("cannot start emberlab")?;
    let samples = watch(&mut training, &folder.join("run/metrics.jsonl"))?;
    let ended = training.wait()?;
    let said = fs::read_to_string(folder.join("said"))?;
    ensure!(ended.success(), "the training failed:\n{said}");
    ensure!(
        samples.len() * INTERVAL * 10 >= steps * 9,
        "memory was seen {} times in {steps} steps: the machine is too slow for its own steps",
        samples.len()
    );
    let warm: Vec<Sample> = samples
        .iter()
        .copied()
        .filter(|sample| sample.step as f64 > WARM_UP * steps as f64)
        .collect();
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(Figures { growth: growth(&without_a_jump(&warm)), samples, seconds })
}

/// So many rows that an epoch is an interval.
fn write_data(root: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))?;
    let rows = fs::read_to_string(root.join("data/emotions/train.jsonl"))?;
    let rows: Vec<&str> = rows.lines().collect();
    let (train, eval) = rows.split_at(INTERVAL * BATCH);
    fs::write(folder.join("train.jsonl"), train.join("\n") + "\n")?;
    fs::write(folder.join("eval.jsonl"), eval[..8 * BATCH].join("\n") + "\n")?;
    Ok(())
}

/// Looks at the memory whenever the history has a new step, until the process ends.
fn watch(training: &mut Child, history: &Path) -> Result<Vec<Sample>> {
    let status = format!("/proc/{}/status", training.id());
    let mut samples: Vec<Sample> = Vec::new();
    while training.try_wait()?.is_none() {
        let step = last_step(&fs::read_to_string(history).unwrap_or_default());
        let seen = samples.last().map_or(0, |sample| sample.step);
        let held = resident(&fs::read_to_string(&status).unwrap_or_default());
        if let (Some(step), Some(bytes)) = (step.filter(|&step| step > seen), held) {
            samples.push(Sample { step, bytes });
        }
        sleep(Duration::from_millis(10));
    }
    Ok(samples)
}

fn last_step(history: &str) -> Option<usize> {
    let line: serde_json::Value = serde_json::from_str(history.lines().next_back()?).ok()?;
    Some(line["step"].as_u64()? as usize)
}

/// `VmRSS` of a `/proc/…/status`, in bytes.
fn resident(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0)
}

/// The samples without the largest step up between two of them. A leak has many; one run in thirty holds the room of a
/// checkpoint (52 MB) from some step on, as the allocator gives it back only where nothing else has come to stand in it.
fn without_a_jump(samples: &[Sample]) -> Vec<Sample> {
    let steps = samples.windows(2).map(|pair| pair[1].bytes - pair[0].bytes).enumerate();
    let (at, jump) = steps.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
    let jump = jump.max(0.0);
    let mut samples = samples.to_vec();
    samples.iter_mut().skip(at + 1).for_each(|sample| sample.bytes -= jump);
    samples
}

/// The slope of the least-squares line, in MB per 1,000 steps; 0 of fewer than two samples.
fn growth(samples: &[Sample]) -> f64 {
    let number = samples.len().max(1) as f64;
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / number;
    let (step, bytes) = (mean(|sample| sample.step as f64), mean(|sample| sample.bytes));
    let off = |sample: &Sample| (sample.step as f64 - step, sample.bytes - bytes);
    let (shared, spread) = samples
        .iter()
        .map(off)
        .fold((0.0, 0.0), |(shared, spread), (x, y)| (shared + x * y, spread + x * x));
    if spread == 0.0 { 0.0 } else { shared / spread * 1000.0 / MB }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_the_slope_of_the_line() {
        let sample = |step: usize, mb: f64| Sample { step, bytes: mb * MB };
        let line: Vec<Sample> = (0..9).map(|at| sample(at * 100, 50.0 + at as f64 / 4.0)).collect();
        assert!((growth(&line) - 2.5).abs() < 1e-9);
        // numpy.polyfit([100, 200, 300, 400], [10, 13, 11, 12], 1)[0] is 0.004.
        let noisy = [sample(100, 10.0), sample(200, 13.0), sample(300, 11.0), sample(400, 12.0)];
        assert!((growth(&noisy) - 4.0).abs() < 1e-9);
        assert_eq!(growth(&noisy[..1]), 0.0);
    }

    #[test]
    fn a_jump_is_no_growth_but_many_are() {
        let sample = |(at, mb): (usize, f64)| Sample { step: at * 100, bytes: mb * MB };
        let growth = |mb: &[f64]| {
            let samples: Vec<Sample> = mb.iter().copied().enumerate().map(sample).collect();
            growth(&without_a_jump(&samples))
        };
        assert_eq!(growth(&[149.0, 149.0, 149.0, 201.0, 201.0, 201.0]), 0.0);
        assert!(growth(&[149.0, 149.0, 201.0, 201.0, 253.0, 253.0]) > 100.0);
        assert!(growth(&[10.0, 11.0, 12.0, 13.0, 14.0, 15.0]) > 7.5);
        assert!(growth(&[149.0, 201.0, 149.0, 149.0]) <= 0.0);
        assert_eq!(growth(&[149.0]), 0.0);
    }

    #[test]
    fn memory_as_linux_says_it() {
        assert_eq!(resident("VmPeak:\t 9 kB\nVmRSS:\t   52 kB\n"), Some(52.0 * 1024.0));
        assert_eq!(last_step("{\"step\": 1}\n{\"step\": 200}\n{\"st"), None);
        assert_eq!(last_step("{\"step\": 1}\n{\"step\": 200}\n"), Some(200));
    }
}
