//! The stages of a long command, each timed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

#[derive(Default)]
pub struct Stages {
    done: Vec<(&'static str, Duration)>,
}

impl Stages {
    /// Does `work` under a heading; a failure names the stage.
    pub fn run<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("\n== {name}");
        let started = Instant::now();
        let result = work();
        let time = started.elapsed();
        self.done.push((name, time));
        let end = if result.is_ok() { "done" } else { "failed" };
        eprintln!("== {name}: {end} after {}", minutes(time));
        result.with_context(|| format!("stage `{name}`"))
    }

    /// One line a stage and the sum.
    pub fn print(&self) {
        let sum = self.done.iter().map(|(_, time)| *time).sum();
        eprintln!();
        for (name, time) in self.done.iter().copied().chain([("in all", sum)]) {
            eprintln!("{name:<32} {:>8}", minutes(time));
        }
    }
}

/// Minutes and seconds, as in `3:07`.
fn minutes(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    format!("{}:{:02} min", seconds / 60, seconds % 60)
}
