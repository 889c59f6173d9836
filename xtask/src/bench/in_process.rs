//! Rows 1 and 2: each side is a process that loads once, and all take turns.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::report::{Case, Measured, OURS, Side};
use super::setup::{BERT_TINY, Bench, Encoder, MINILM};
use super::statistics::median;
use super::worker::{Answer, Worker};

/// Threads of a side that has just answered may still spin.
const CALM: Duration = Duration::from_millis(300);
/// Logits may differ by this much of the largest.
const TOLERANCE: f64 = 1e-3;
/// The matrix product of the limit: 16×128 tokens through MiniLM-L6's first feed-forward layer.
const LIMIT: [usize; 3] = [2048, 384, 1536];

/// One side of a case.
struct Contender<'a> {
    side: String,
    worker: &'a str,
    request: Value,
}

/// What came of a side: milliseconds of all iterations, and its last answer.
struct Outcome {
    side: String,
    ms: Vec<f64>,
    answer: Answer,
}

/// How often each side has its turn, and for about how long.
#[derive(Clone, Copy)]
struct Pace {
    rounds: usize,
    visit_ms: f64,
}

impl Pace {
    fn of(bench: &Bench) -> Self {
        if bench.quick {
            Self { rounds: 2, visit_ms: 250.0 }
        } else {
            Self { rounds: 10, visit_ms: 500.0 }
        }
    }
}

pub fn forward(bench: &mut Bench) -> Result<Measured> {
    let mut workers = vec![
        (OURS, Worker::start(OURS, &mut bench.built("emberlab-bench")?)?),
        ("PyTorch", Worker::start("PyTorch", &mut bench.peer("torch_peer.py"))?),
        ("ONNX Runtime", Worker::start("ONNX Runtime", &mut bench.peer("onnx_peer.py"))?),
        ("candle", Worker::start("candle", &mut bench.built("candle-bench")?)?),
    ];
    let (limit, mut notes) = limit(bench, &mut workers)?;
    let mut cases = Vec::new();
    for (encoder, batch, seq) in
        [(MINILM, 16, 128), (MINILM, 1, 32), (BERT_TINY, 16, 128), (BERT_TINY, 1, 32)]
    {
        let model = bench.classifier(encoder)?;
        let onnx = bench.onnx(&model, encoder.name)?;
        let ids = random_ids(batch, seq);
        let contender = |side: &str, worker, model: &Path| Contender {
            side: side.into(),
            worker,
            request: json!({ "work": "forward", "model": model, "ids": ids }),
        };
        let contenders = [
            contender(OURS, OURS, &model),
            contender("PyTorch (sdpa)", "PyTorch", &model),
            contender("ONNX Runtime", "ONNX Runtime", &onnx.join("model.onnx")),
            contender("ONNX Runtime (fused ahead)", "ONNX Runtime", &onnx.join("model_fused.onnx")),
            contender("candle", "candle", &model),
        ];
        let outcomes = take_turns(&mut workers, &contenders, Pace::of(bench))?;
        let name = format!("{} {batch}×{seq}", encoder.name);
        notes.push(format!("{name}: {}", agreement(&outcomes)?));
        let work = forward_flops(encoder, batch, seq);
        if (encoder.name, batch) == (MINILM.name, 16) {
            let reached = work / median(&outcomes[0].ms) / 1e6 / limit >= 0.7;
            let verdict = if reached { "reached" } else { "not reached" };
            notes.push(format!("{name}: go for 70% of the limit: {verdict}"));
        }
        cases.push(case(&name, &outcomes, |outcome| share(work, median(&outcome.ms), limit)));
    }
    Ok(Measured { cases, notes, ..Measured::default() })
}

pub fn training_step(bench: &mut Bench) -> Result<Measured> {
    let mut workers = vec![
        (OURS, Worker::start(OURS, &mut bench.built("emberlab-bench")?)?),
        ("PyTorch", Worker::start("PyTorch", &mut bench.peer("torch_peer.py"))?),
    ];
    let (limit, mut notes) = limit(bench, &mut workers)?;
    let mut cases = Vec::new();
    for encoder in [MINILM, BERT_TINY] {
        let model = bench.classifier(encoder)?;
        let contender = |side: &str, worker, attention: &str, optimizer: &str| Contender {
            side: side.into(),
            worker,
            request: training_request(&model, attention, optimizer),
        };
        let contenders = [
            contender(OURS, OURS, "", ""),
            contender("PyTorch (sdpa, fused AdamW)", "PyTorch", "sdpa", "fused"),
            contender("PyTorch (eager, fused AdamW)", "PyTorch", "eager", "fused"),
            contender("PyTorch (sdpa, foreach AdamW)", "PyTorch", "sdpa", "foreach"),
        ];
        let outcomes = take_turns(&mut workers, &contenders, Pace::of(bench))?;
        let name = format!("{} 16×128", encoder.name);
        let losses = outcomes.iter().filter_map(|o| Some(format!("{:.3}", o.answer.loss?)));
        notes.push(format!("{name}: last losses {}", losses.collect::<Vec<_>>().join(", ")));
        // Backward is twice the products of forward.
        let work = 3.0 * forward_flops(encoder, 16, 128);
        cases.push(case(&name, &outcomes, |outcome| share(work, median(&outcome.ms), limit)));
    }
    Ok(Measured { cases, notes, ..Measured::default() })
}

/// Steps of 16×128 through 64 rows; row 6 runs it, too.
pub fn training_request(model: &Path, attention: &str, optimizer: &str) -> Value {
    let labels: Vec<usize> = (0..64).map(|row| row % 6).collect();
    json!({
        "work": "train", "model": model, "ids": random_ids(64, 128), "labels": labels, "batch": 16,
        "attention": attention, "optimizer": optimizer,
    })
}

/// The best f32 matrix product of this machine in GFLOP/s, ours (the `gemm` crate) or PyTorch's.
fn limit(bench: &Bench, workers: &mut [(&str, Worker)]) -> Result<(f64, Vec<String>)> {
    let [m, k, n] = LIMIT;
    let contenders = [OURS, "PyTorch"].map(|worker| Contender {
        side: worker.into(),
        worker,
        request: json!({ "work": "matmul", "m": m, "k": k, "n": n }),
    });
    let outcomes = take_turns(workers, &contenders, Pace::of(bench))?;
    let rates: Vec<f64> = outcomes
        .iter()
        .map(|outcome| {
            let best = outcome.ms.iter().copied().fold(f64::INFINITY, f64::min);
            (2 * m * k * n) as f64 / best / 1e6
        })
        .collect();
    let limit = rates.iter().copied().fold(0.0, f64::max);
    let note = format!(
        "The machine's limit: {limit:.0} GFLOP/s, the better of the gemm crate ({:.0}) and PyTorch ({:.0}) \
         at {m}×{k}×{n} in f32, each at its fastest.",
        rates[0], rates[1]
    );
    Ok((limit, vec![note]))
}

/// Warms each side up, then lets them take turns.
fn take_turns(
    workers: &mut [(&str, Worker)],
    contenders: &[Contender],
    pace: Pace,
) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    let mut iterations = Vec::new();
    for contender in contenders {
        ask(workers, contender, 1)?;
        let answer = ask(workers, contender, 1)?;
        iterations.push((pace.visit_ms / median(&answer.ms)).clamp(1.0, 100.0) as usize);
        outcomes.push(Outcome { side: contender.side.clone(), ms: Vec::new(), answer });
    }
    for round in 0..pace.rounds {
        // Each round starts with another side, so that none always follows the same one.
        for turn in 0..contenders.len() {
            let index = (round + turn) % contenders.len();
            sleep(CALM);
            let answer = ask(workers, &contenders[index], iterations[index])?;
            outcomes[index].ms.extend(&answer.ms);
            outcomes[index].answer = answer;
        }
    }
    Ok(outcomes)
}

fn ask(workers: &mut [(&str, Worker)], one: &Contender, iterations: usize) -> Result<Answer> {
    let mut request = one.request.clone();
    request["iterations"] = iterations.into();
    let worker = workers.iter_mut().find(|(name, _)| *name == one.worker);
    worker.map_or_else(|| anyhow::bail!("{} was not started", one.worker), |(_, w)| w.ask(&request))
}

fn case(name: &str, outcomes: &[Outcome], note: impl Fn(&Outcome) -> String) -> Case {
    let side = |outcome: &Outcome| Side::new(&outcome.side, &outcome.ms, note(outcome));
    Case::new(name, "ms", outcomes.iter().map(side).collect())
}

/// How far the peers' logits are from ours.
fn agreement(outcomes: &[Outcome]) -> Result<String> {
    let flat = |outcome: &Outcome| outcome.answer.logits.concat();
    let ours = flat(&outcomes[0]);
    let largest = ours.iter().fold(0.0, |most: f64, logit| most.max(logit.abs()));
    let mut worst = 0.0_f64;
    for peer in &outcomes[1..] {
        let theirs = flat(peer);
        ensure!(theirs.len() == ours.len(), "{} gives {} logits", peer.side, theirs.len());
        let pairs = ours.iter().zip(&theirs);
        let difference = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        ensure!(
            difference <= TOLERANCE * largest,
            "{}: a logit differs from ours by {difference:e}, the largest being {largest}",
            peer.side
        );
        worst = worst.max(difference);
    }
    Ok(format!(
        "the peers' logits differ from ours by at most {worst:.1e}, the largest being {largest:.2}"
    ))
}

/// Floating point operations of the matrix products of one forward.
fn forward_flops(encoder: Encoder, batch: usize, seq: usize) -> f64 {
    let Encoder { layers, hidden, intermediate, .. } = encoder;
    let of_a_token = 2 * (4 * hidden * hidden + 2 * hidden * intermediate) + 4 * seq * hidden;
    (batch * (layers * seq * of_a_token + 2 * hidden * hidden)) as f64
}

fn share(flops: f64, ms: f64, limit: f64) -> String {
    let rate = flops / ms / 1e6;
    format!("{rate:.0} GFLOP/s, {:.0}% of the limit", rate / limit * 100.0)
}

/// Ids of plain words, the same in every run (SplitMix64, Steele et al. 2014).
fn random_ids(rows: usize, seq: usize) -> Vec<Vec<u64>> {
    let mut state = 42_u64;
    let mut id = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        1000 + (z ^ (z >> 31)) % 28_000
    };
    (0..rows).map(|_| (0..seq).map(|_| id()).collect()).collect()
}
