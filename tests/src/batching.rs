//! How rows are batched changes nothing but speed: each is learned from once an epoch, accumulated
//! batches are one large batch, and padding is not seen.

use emberlab_core::{
    Device,
    kernels::Kernels,
    model::Classifier,
    text::{BUCKETS, Encoding, plan_epoch},
    train::{TrainConfig, Trainer},
};

use crate::support::{batch, bytes, config, distance, files, fixture, logits};

const BOTH: [Kernels; 2] = [Kernels::Own, Kernels::Burn];

/// Random numbers that are the same on every machine (Knuth's MMIX generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// random3, without dropout.
fn classifier(kernels: Kernels) -> Classifier {
    let labels = ["billing", "delivery", "praise", "other"];
    let config = config(&fixture("random3/config.json"), &labels);
    let files = files(config, bytes(&fixture("random3/model.safetensors")));
    let classifier = Classifier::open(&files, &Device::flex()).unwrap().0;
    match kernels {
        Kernels::Own => classifier,
        Kernels::Burn => classifier.without_kernels(),
    }
}

/// `count` rows of known tokens, of 3 to `longest` of them.
fn rows(count: usize, longest: usize, numbers: &mut Numbers) -> (Vec<Encoding>, Vec<usize>) {
    let (known, _) = batch("random3/batch.json");
    let ids: Vec<u32> = known.into_iter().flat_map(|encoding| encoding.ids).collect();
    let row = |_| {
        let length = 3 + numbers.below(longest - 2);
        let ids: Vec<u32> = (0..length).map(|_| ids[numbers.below(ids.len())]).collect();
        let encoding = Encoding { type_ids: vec![0; length], ids, ..Encoding::default() };
        (encoding, numbers.below(4))
    };
    (0..count).map(row).unzip()
}

#[test]
fn each_row_stands_in_one_step_of_an_epoch_whatever_the_settings() {
    let mut numbers = Numbers(1);
    for _ in 0..2000 {
        let count = 1 + numbers.below(200);
        let positions = [16, 60, 128, 512][numbers.below(4)];
        let lengths: Vec<usize> = (0..count).map(|_| 1 + numbers.below(positions)).collect();
        let config = TrainConfig {
            batch_size: 1 + numbers.below(70),
            gradient_accumulation_steps: 1 + numbers.below(9),
            ..TrainConfig::default()
        };
        let (seed, epoch) = (numbers.below(5) as u64, numbers.below(4) as u64);
        let plan = plan_epoch(&lengths, config.batch_size, positions, seed, epoch);
        let steps: Vec<_> = plan.chunks(config.gradient_accumulation_steps).collect();
        let setting = format!("{count} rows up to {positions}, {config:?}");
        assert_eq!(steps.len(), config.steps_per_epoch(count), "{setting}");
        let mut seen: Vec<usize> = Vec::new();
        for batch in steps.into_iter().flatten() {
            assert!(batch.rows.len() <= config.batch_size, "{setting}");
            assert!(batch.rows.iter().all(|&row| lengths[row] <= batch.seq_len), "{setting}");
            assert!(BUCKETS.contains(&batch.seq_len) || batch.seq_len == positions, "{setting}");
            seen.extend(&batch.rows);
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..count).collect::<Vec<_>>(), "{setting}");
    }
}

#[test]
fn a_trainer_learns_from_each_row_once_an_epoch() {
    let mut numbers = Numbers(2);
    for (count, batch_size, gradient_accumulation_steps) in
        [(1, 8, 4), (13, 4, 1), (13, 4, 3), (13, 1, 5), (9, 32, 2)]
    {
        let (encodings, labels) = rows(count, 40, &mut numbers);
        let tokens: usize = encodings.iter().map(|encoding| encoding.ids.len()).sum();
        let config = TrainConfig {
            epochs: 2,
            batch_size,
            gradient_accumulation_steps,
            learning_rate: 1e-5,
            ..TrainConfig::default()
        };
        let mut trainer =
            Trainer::new(classifier(Kernels::Own), encodings, labels, config).unwrap();
        let mut learned = [(0, 0); 2];
        while !trainer.is_done() {
            let step = trainer.step().unwrap();
            learned[step.epoch].0 += step.rows;
            learned[step.epoch].1 += step.tokens;
        }
        assert_eq!(learned, [(count, tokens); 2], "{batch_size} × {gradient_accumulation_steps}");
    }
}

#[test]
fn four_batches_of_8_are_one_of_32() {
    let (encodings, labels) = rows(32, 40, &mut Numbers(3));
    let train = |kernels, batch_size, gradient_accumulation_steps| {
        let config = TrainConfig {
            epochs: 3,
            batch_size,
            gradient_accumulation_steps,
            learning_rate: 1e-4,
            ..TrainConfig::default()
        };
        let (rows, labels) = (encodings.clone(), labels.clone());
        let mut trainer = Trainer::new(classifier(kernels), rows, labels, config).unwrap();
        let mut losses = Vec::new();
        while !trainer.is_done() {
            trainer.step().unwrap();
            losses.extend(pollster::block_on(trainer.read_loss()).unwrap());
        }
        (losses, logits(&trainer.classifier(), &encodings))
    };
    for kernels in BOTH {
        let ((losses, found), (expected_losses, expected)) =
            (train(kernels, 8, 4), train(kernels, 32, 1));
        assert_eq!(losses.len(), 3);
        let off = distance(&losses, &expected_losses).max(distance(&found, &expected));
        assert!(off < 1e-5, "{kernels:?}: {off}");
        let untrained = logits(&classifier(kernels), &encodings);
        assert!(distance(&untrained, &expected) > 1e-3, "nothing was learned");
    }
}

#[test]
fn padding_to_max_length_changes_no_logit() {
    let longest = classifier(Kernels::Own).max_length();
    let mut numbers = Numbers(4);
    let (short, _) = rows(12, 20, &mut numbers);
    let alone: Vec<Vec<f32>> = short
        .iter()
        .map(|row| logits(&classifier(Kernels::Own), std::slice::from_ref(row)))
        .collect();
    // In a batch with a row of max_length all are padded to it, where they are padded.
    let (mut long, _) = rows(1, 3, &mut numbers);
    long[0].ids = vec![long[0].ids[0]; longest];
    long[0].type_ids = vec![0; longest];
    let together: Vec<Encoding> = short.iter().chain(&long).cloned().collect();
    for kernels in BOTH {
        let predicting = classifier(kernels);
        let found = pollster::block_on(predicting.predict(&together, 64, |_| ())).unwrap();
        let found: Vec<f32> =
            found[..short.len()].iter().flat_map(|of| of.logits.clone()).collect();
        let off = distance(&found, &alone.concat());
        assert!(off < 1e-5, "{kernels:?}: {off}");
    }
}
