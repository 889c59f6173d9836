//! The table of what is compared, and what is to be reached.

use super::report::{Case, OURS, Side};

pub const TITLES: [(u8, &str); 12] = [
    (1, "CPU forward"),
    (2, "CPU training step (forward, backward, clipping, AdamW)"),
    (3, "fine-tuning MiniLM-L6 on emotion6, one epoch, whole process"),
    (4, "predicting 10,000 texts, file to file, whole process"),
    (5, "one text, whole process"),
    (6, "peak memory of rows 2 and 4"),
    (7, "browser, CPU engine"),
    (8, "browser, WebGPU engine on a software adapter"),
    (9, "browser, training step"),
    (10, "page: download and time to the first result"),
    (11, "CUDA: fine-tuning on one GPU"),
    (12, "growth with rows, length and batch"),
];

/// Sides whose names start with this are one peer, which counts by its fastest side.
const PYTORCH: &str = "PyTorch";
const PIPELINE: &str = "transformers";
const ONNX_RUNTIME: &str = "ONNX Runtime";
pub const TRAINER: &str = "Trainer, dynamic padding";
pub const TRAINER_BY_LENGTH: &str = "Trainer, group_by_length";
pub const TRAINER_BF16: &str = "Trainer, bf16, eager";
pub const COMPILED: &str = "Trainer, bf16, compiled";
const EVERY_PEER: &str = "";

/// A bound on our median divided by a peer's.
pub struct Target {
    peer: &'static str,
    pub must: Option<f64>,
    pub goal: Option<f64>,
}

/// A target beside what was measured.
pub struct Verdict<'a> {
    pub peer: &'a str,
    pub ratio: f64,
    pub target: Target,
}

pub fn title(row: u8) -> &'static str {
    TITLES.iter().find(|(known, _)| *known == row).map_or("", |(_, title)| title)
}

fn targets(row: u8) -> Vec<Target> {
    let both = |peer, must, goal| Target { peer, must: Some(must), goal: Some(goal) };
    match row {
        1 => vec![
            Target { peer: PYTORCH, must: Some(1.0), goal: None },
            Target { peer: EVERY_PEER, must: None, goal: Some(0.7) },
        ],
        2 => vec![both(PYTORCH, 1.0, 0.7)],
        3 => vec![both(TRAINER_BY_LENGTH, 1.0, 0.8), both(TRAINER, 0.6, 0.4)],
        4 => vec![both(PIPELINE, 0.6, 0.3), both(ONNX_RUNTIME, 0.6, 0.3)],
        5 => vec![Target { peer: PIPELINE, must: Some(0.05), goal: None }],
        6 => vec![both(EVERY_PEER, 0.7, 0.5)],
        7 | 8 => vec![both(EVERY_PEER, 1.0, 0.7)],
        9 => vec![both(EVERY_PEER, 1.0, 0.5)],
        10 => vec![both(EVERY_PEER, 0.5, 0.3)],
        11 => vec![
            Target { peer: COMPILED, must: None, goal: Some(0.83) },
            Target { peer: TRAINER_BF16, must: Some(1.0), goal: None },
        ],
        _ => Vec::new(),
    }
}

/// Each target of the row for which this case has both sides.
pub fn verdicts(row: u8, case: &Case) -> Vec<Verdict<'_>> {
    // Dispatches are stated, not judged.
    let Some(ours) = case.side(OURS).filter(|side| side.is_measured() && case.unit != "dispatches")
    else {
        return Vec::new();
    };
    let verdict = |target: Target| {
        let peers = case.sides.iter().filter(|side| {
            side.name != OURS && side.name.starts_with(target.peer) && side.is_measured()
        });
        let best = peers.min_by(|a, b| a.median.total_cmp(&b.median))?;
        Some(Verdict { peer: &best.name, ratio: ratio(ours, best), target })
    };
    targets(row).into_iter().filter_map(verdict).collect()
}

/// How much of the peer's median ours is; below 1 is better.
pub fn ratio(ours: &Side, peer: &Side) -> f64 {
    ours.median / peer.median
}
