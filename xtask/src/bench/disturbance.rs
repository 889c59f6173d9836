//! How busy the machine was with other work while something was measured.
//!
//! A thread pool that waits for its slowest thread suffers more from a neighbour than one that
//! steals work, so a disturbed run is not merely slow: its ratios are wrong.

use std::fs;

/// Above this share of the machine, ratios are not to be trusted.
const TOLERABLE: f64 = 0.03;

/// Processor time since the machine started, in ticks.
pub struct Snapshot {
    busy: u64,
    idle: u64,
    /// Of this process and its ended children.
    own: u64,
}

impl Snapshot {
    /// `None` where the system has no `/proc`.
    pub fn now() -> Option<Self> {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let all = numbers(stat.lines().next()?.strip_prefix("cpu")?);
        // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user and nice.
        let all = all.get(..8)?;
        let idle = all[3] + all[4];
        let own = fs::read_to_string("/proc/self/stat").ok()?;
        let own = numbers(own.rsplit_once(')')?.1);
        // After the name and the state, utime is the 11th number, stime, cutime and cstime follow.
        Some(Self {
            busy: all.iter().sum::<u64>() - idle,
            idle,
            own: own.get(10..14)?.iter().sum(),
        })
    }

    /// The share of the machine that others took since then, from 0 to 1.
    pub fn others_since(&self) -> Option<f64> {
        let now = Self::now()?;
        let busy = (now.busy - self.busy) as f64;
        let all = busy + (now.idle - self.idle) as f64;
        Some(((busy - (now.own - self.own) as f64) / all).max(0.0))
    }
}

/// Whether ratios are spoilt by that share.
pub fn spoils(share: f64) -> bool {
    share > TOLERABLE
}

fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}
