//! Which rows go into which batch, and how long each batch is.
//!
//! Rows are grouped by length bucket, so that little is padded and a GPU sees few shapes.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// The lengths that batches are padded to, in tokens.
pub const BUCKETS: [usize; 10] = [16, 32, 48, 64, 96, 128, 192, 256, 384, 512];

/// The rows of one batch and the length they are padded to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedBatch {
    pub rows: Vec<usize>,
    pub seq_len: usize,
}

/// The smallest bucket that holds `length` tokens, but no more than `max_positions`.
pub fn bucket(length: usize, max_positions: usize) -> usize {
    let fitting = BUCKETS.into_iter().find(|&bucket| bucket >= length);
    fitting.unwrap_or(length).min(max_positions.max(length))
}

/// One training epoch: an exact shuffle from (`seed`, `epoch`), each row exactly once.
///
/// Shuffled rows fill their buckets until a bucket holds a batch; what is left over at the end is
/// batched by length. So there are `ceil(rows / batch_size)` batches in every epoch, in random
/// order.
pub fn plan_epoch(
    lengths: &[usize],
    batch_size: usize,
    max_positions: usize,
    seed: u64,
    epoch: u64,
) -> Vec<PlannedBatch> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(epoch);
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    shuffle(&mut order, &mut rng);
    let mut batches = fill(order, lengths, batch_size, max_positions);
    shuffle(&mut batches, &mut rng);
    batches
}

/// Batches for evaluation and prediction: the same grouping without a shuffle.
pub fn plan_in_order(
    lengths: &[usize],
    batch_size: usize,
    max_positions: usize,
) -> Vec<PlannedBatch> {
    fill((0..lengths.len()).collect(), lengths, batch_size, max_positions)
}

/// Batches for evaluation and prediction where nothing is padded: rows as they come, `max_tokens`
/// of them together or a single longer row.
pub fn plan_by_tokens(lengths: &[usize], max_tokens: usize) -> Vec<PlannedBatch> {
    let mut batches: Vec<PlannedBatch> = Vec::new();
    let mut tokens = 0;
    for (row, &length) in lengths.iter().enumerate() {
        tokens += length;
        match batches.last_mut().filter(|_| tokens <= max_tokens) {
            Some(batch) => {
                batch.rows.push(row);
                batch.seq_len = batch.seq_len.max(length);
            }
            None => {
                batches.push(PlannedBatch { rows: vec![row], seq_len: length });
                tokens = length;
            }
        }
    }
    batches
}

fn fill(
    order: Vec<usize>,
    lengths: &[usize],
    batch_size: usize,
    max_positions: usize,
) -> Vec<PlannedBatch> {
    let batch_size = batch_size.max(1);
    let mut open = std::collections::BTreeMap::<usize, Vec<usize>>::new();
    let mut batches = Vec::with_capacity(order.len().div_ceil(batch_size));
    for row in order {
        let seq_len = bucket(lengths[row], max_positions);
        let rows = open.entry(seq_len).or_default();
        rows.push(row);
        if rows.len() == batch_size {
            batches.push(PlannedBatch { rows: std::mem::take(rows), seq_len });
        }
    }
    let left: Vec<usize> = open.into_values().flatten().collect();
    for rows in left.chunks(batch_size) {
        let longest = rows.iter().map(|&row| lengths[row]).max().unwrap_or(1);
        batches.push(PlannedBatch { rows: rows.to_vec(), seq_len: bucket(longest, max_positions) });
    }
    batches
}

/// Fisher–Yates over a portable generator: the same order on every platform.
pub(crate) fn shuffle<T>(items: &mut [T], rng: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.random_range(0..=last as u64) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(count: usize) -> Vec<usize> {
        (0..count).map(|row| 3 + (row * row * 7) % 500).collect()
    }

    #[test]
    fn every_row_stands_once_at_any_batch_size() {
        for (count, batch_size) in [(1, 1), (7, 3), (100, 8), (333, 32), (64, 64), (5, 100)] {
            let lengths = lengths(count);
            for epoch in 0..3 {
                let plan = plan_epoch(&lengths, batch_size, 512, 42, epoch);
                assert_eq!(plan.len(), count.div_ceil(batch_size));
                let mut rows: Vec<usize> = plan.iter().flat_map(|b| b.rows.clone()).collect();
                rows.sort_unstable();
                assert_eq!(rows, (0..count).collect::<Vec<_>>());
                for batch in &plan {
                    assert!(batch.rows.iter().all(|&row| lengths[row] <= batch.seq_len));
                    assert!(BUCKETS.contains(&batch.seq_len));
                }
            }
        }
    }

    #[test]
    fn tokens_fill_a_batch() {
        let rows = |lengths: &[usize]| -> Vec<Vec<usize>> {
            plan_by_tokens(lengths, 10).into_iter().map(|batch| batch.rows).collect()
        };
        assert_eq!(
            rows(&[4, 6, 1, 20, 3, 7, 1]),
            [vec![0, 1], vec![2], vec![3], vec![4, 5], vec![6]]
        );
        assert_eq!(plan_by_tokens(&[3, 5], 10)[0].seq_len, 5);
        assert!(rows(&[]).is_empty());
    }

    #[test]
    fn the_shuffle_is_fixed_by_seed_and_epoch() {
        let lengths = lengths(50);
        let plan = |seed, epoch| plan_epoch(&lengths, 4, 512, seed, epoch);
        assert_eq!(plan(1, 0), plan(1, 0));
        assert_ne!(plan(1, 0), plan(1, 1));
        assert_ne!(plan(1, 0), plan(2, 0));
    }

    #[test]
    fn a_bucket_never_exceeds_the_positions() {
        assert_eq!(bucket(40, 48), 48);
        assert_eq!(bucket(40, 44), 44);
        assert_eq!(bucket(512, 512), 512);
        assert_eq!(bucket(3, 512), 16);
    }
}
