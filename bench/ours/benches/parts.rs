//! The parts of a run on the embedded models, by Criterion: `cargo bench` in `bench/`.

use std::path::{Path, PathBuf};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use emberlab_bench::{encodings, endless_recipe, open};
use emberlab_core::text::{Batch, InputFormat, plan_epoch};
use emberlab_core::train::Trainer;

const BATCH: usize = 16;
const SEQ: usize = 128;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Rows of `seq` token ids, no two alike.
fn ids(rows: usize, seq: usize) -> Vec<Vec<u32>> {
    let id = |row: usize, place: usize| 1000 + ((row * seq + place) * 7919 % 28_000) as u32;
    (0..rows).map(|row| (0..seq).map(|place| id(row, place)).collect()).collect()
}

fn forward(criterion: &mut Criterion) {
    let classifier = open(&root().join("models/emotions")).expect("models/emotions opens");
    for (rows, seq) in [(BATCH, SEQ), (1, 32)] {
        let rows = encodings(&ids(rows, seq));
        criterion.bench_function(&format!("forward {}x{seq}", rows.len()), |bencher| {
            bencher.iter(|| pollster::block_on(classifier.predict(&rows, rows.len(), |_| {})));
        });
    }
}

/// A step on one short row is little but clipping and AdamW, which `core` keeps to itself.
fn training_step(criterion: &mut Criterion) {
    for (batch, seq, name) in [(BATCH, SEQ, "training step"), (1, 16, "clipping and AdamW")] {
        let classifier = open(&root().join("models/emotions")).expect("models/emotions opens");
        let recipe = endless_recipe(batch, batch).expect("one batch");
        let (rows, labels) = (encodings(&ids(batch, seq)), vec![0; batch]);
        let mut trainer = Trainer::new(classifier, rows, labels, recipe).expect("a valid recipe");
        criterion.bench_function(&format!("{name} {batch}x{seq}"), |bencher| {
            bencher.iter(|| {
                trainer.step().expect("rows in memory");
                pollster::block_on(trainer.read_loss())
            });
        });
    }
}

fn text(criterion: &mut Criterion) {
    let classifier = open(&root().join("models/emotions")).expect("models/emotions opens");
    let texts: Vec<String> =
        (0..1000).map(|row| format!("i did not feel well on day {row} of the trip")).collect();
    criterion.bench_function("tokenize 1000 texts", |bencher| {
        bencher.iter(|| classifier.tokenizer().encode_all(&texts, SEQ));
    });
    let lengths: Vec<usize> = (0..16_000).map(|row| 5 + row * 37 % 80).collect();
    criterion.bench_function("plan an epoch of 16000 rows", |bencher| {
        bencher.iter(|| plan_epoch(&lengths, 32, 512, 42, 0));
    });
    let (rows, order) = (encodings(&ids(BATCH, SEQ)), (0..BATCH).collect::<Vec<_>>());
    criterion.bench_function(&format!("pad a batch {BATCH}x{SEQ}"), |bencher| {
        let collate = || Batch::collate(&rows, &order, SEQ, InputFormat::default());
        bencher.iter_batched(|| (), |()| collate(), BatchSize::SmallInput);
    });
}

criterion_group! {
    name = parts;
    config = Criterion::default().sample_size(10);
    targets = forward, training_step, text
}
criterion_main!(parts);
