//! Progress on standard error: a bar on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use emberlab_core::train::StepInfo;
use indicatif::{ProgressBar, ProgressStyle};

use super::{clock, note};
use crate::live::Live;

/// How often a log file gets a line.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How often the figures on the bar change.
const FIGURES_EVERY: Duration = Duration::from_secs(1);
/// Weight of the latest second in the smoothed speed.
const SMOOTHING: f64 = 0.3;

/// A bar over `rows` texts that go through a classifier, hidden off a terminal.
pub fn texts(rows: usize) -> ProgressBar {
    bar(rows, "{bar:24} {pos}/{len} texts, {eta} left")
}

/// A bar over optimizer steps, hidden off a terminal.
pub fn steps(steps: usize) -> ProgressBar {
    bar(steps, "{bar:24} {pos}/{len} steps, {eta} left")
}

fn bar(length: usize, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length as u64).with_style(style(template));
    if !io::stderr().is_terminal() {
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    bar
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file, so the fallback is never seen.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

/// The progress of one training run.
pub struct TrainProgress {
    bar: ProgressBar,
    on_terminal: bool,
    total_steps: usize,
    epochs: usize,
    loss: Option<f32>,
    speed: Speed,
    last_line: Instant,
    live: Option<Live>,
}

impl TrainProgress {
    pub fn new(total_steps: usize, epochs: usize) -> Self {
        let bar = ProgressBar::new(total_steps as u64)
            .with_style(style("{bar:20} {pos}/{len} {wide_msg}"));
        let on_terminal = io::stderr().is_terminal();
        Self {
            bar,
            on_terminal,
            total_steps,
            epochs,
            loss: None,
            speed: Speed::new(),
            last_line: Instant::now(),
            live: None,
        }
    }

    /// Also tells the page.
    pub fn watched_by(&mut self, live: Live) {
        self.live = Some(live);
    }

    /// One optimizer step is done.
    pub fn step(&mut self, step: &StepInfo) {
        let fresh = self.speed.add(step);
        if let Some(live) = &self.live {
            live.step(step, &self.speed, self.loss);
        }
        if self.on_terminal {
            self.bar.set_position(step.step as u64);
            if fresh {
                self.bar.set_message(self.figures(step));
            }
        } else if self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            note(format_args!("step {}/{} {}", step.step, self.total_steps, self.figures(step)));
        }
    }

    /// The mean loss since the last one.
    pub fn loss(&mut self, loss: f32) {
        self.loss = Some(loss);
    }

    /// Says a line above the bar.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| note(line));
    }

    /// Training goes on after a pause that is not to count as training.
    pub fn resume(&mut self) {
        self.speed.restart();
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn figures(&self, step: &StepInfo) -> String {
        let loss = self.loss.map_or_else(|| "–".to_owned(), |loss| format!("{loss:.4}"));
        let left = (self.total_steps - step.step) as f64 * self.speed.seconds_per_step;
        format!(
            "epoch {}/{} · loss {loss} · lr {:.2e} · {:.0} tokens/s · {:.1} sequences/s · {} left",
            step.epoch + 1,
            self.epochs,
            step.learning_rate,
            self.speed.tokens_per_second,
            self.speed.rows_per_second,
            clock(Duration::from_secs_f64(left)),
        )
    }
}

/// Smoothed throughput, renewed once a second.
pub struct Speed {
    since: Instant,
    steps: usize,
    rows: usize,
    tokens: usize,
    pub seconds_per_step: f64,
    pub rows_per_second: f64,
    pub tokens_per_second: f64,
}

impl Speed {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            steps: 0,
            rows: 0,
            tokens: 0,
            seconds_per_step: 0.0,
            rows_per_second: 0.0,
            tokens_per_second: 0.0,
        }
    }

    /// Counts a step; true where the figures are new.
    fn add(&mut self, step: &StepInfo) -> bool {
        self.steps += 1;
        self.rows += step.rows;
        self.tokens += step.tokens;
        let elapsed = self.since.elapsed();
        let first = self.seconds_per_step == 0.0;
        if elapsed < FIGURES_EVERY && !first {
            return false;
        }
        let seconds = elapsed.as_secs_f64().max(1e-9);
        let weight = if first { 1.0 } else { SMOOTHING };
        let blend = |old: f64, new: f64| old + weight * (new - old);
        self.seconds_per_step = blend(self.seconds_per_step, seconds / self.steps as f64);
        self.rows_per_second = blend(self.rows_per_second, self.rows as f64 / seconds);
        self.tokens_per_second = blend(self.tokens_per_second, self.tokens as f64 / seconds);
        self.restart();
        true
    }

    fn restart(&mut self) {
        (self.since, self.steps, self.rows, self.tokens) = (Instant::now(), 0, 0, 0);
    }
}
