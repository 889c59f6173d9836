//! Which rows of a large set are shuffled together.
//!
//! A set that does not fit memory is read a window at a time: blocks of rows that stand one after the
//! other in their file, drawn from all over it. The rows of a window are then shuffled and batched like
//! those of a small set.

use std::ops::Range;

use rand::{SeedableRng, rngs::ChaCha8Rng};

use super::plan::shuffle;

/// Rows that are read one after the other.
pub const BLOCK_ROWS: usize = 256;

/// Rows that are shuffled together, at least: a window is made of whole steps.
pub const WINDOW_ROWS: usize = 1 << 16;

/// The rows of the `window`-th window of an epoch, each part within one block. The order of the blocks
/// comes from (`seed`, `epoch`); over all windows each row stands there once. Where one window holds all
/// rows, they stand in their order.
pub fn window(
    rows: usize,
    window_rows: usize,
    window: usize,
    seed: u64,
    epoch: u64,
) -> Vec<Range<usize>> {
    let block = |index: usize| index * BLOCK_ROWS..rows.min((index + 1) * BLOCK_ROWS);
    let mut order: Vec<usize> = (0..rows.div_ceil(BLOCK_ROWS)).collect();
    if rows > window_rows {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream(epoch, u32::MAX as usize));
        shuffle(&mut order, &mut rng);
    }
    // The window as a part of all rows in the order of the blocks.
    let wanted = window * window_rows..(window + 1) * window_rows;
    let mut at = 0;
    let mut parts = Vec::new();
    for rows in order.into_iter().map(block) {
        let from = rows.start + wanted.start.saturating_sub(at).min(rows.len());
        let to = rows.start + wanted.end.saturating_sub(at).min(rows.len());
        at += rows.len();
        if from < to {
            parts.push(from..to);
        }
    }
    parts
}

/// The random stream of a window; that of the first is its epoch's.
pub fn stream(epoch: u64, window: usize) -> u64 {
    epoch | (window as u64) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_hold_each_row_once_and_are_full_but_for_the_last() {
        for (rows, size) in [(1_usize, 64), (5000, 512), (5000, 700), (2560, 512), (70_000, 4096)] {
            for epoch in 0..2 {
                let windows = rows.div_ceil(size);
                let mut all = Vec::new();
                for index in 0..windows {
                    let parts = window(rows, size, index, 7, epoch);
                    let found: usize = parts.iter().map(Range::len).sum();
                    assert_eq!(found, size.min(rows - index * size), "{rows} {size} {index}");
                    let within = |part: &Range<usize>| {
                        part.start / BLOCK_ROWS == (part.end - 1) / BLOCK_ROWS
                    };
                    assert!(parts.iter().all(within));
                    all.extend(parts.into_iter().flatten());
                }
                assert!(window(rows, size, windows, 7, epoch).is_empty());
                all.sort_unstable();
                assert_eq!(all, (0..rows).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn blocks_are_drawn_anew_for_each_seed_and_epoch() {
        let first = |seed, epoch| window(100_000, 4096, 0, seed, epoch);
        assert_eq!(first(1, 0), first(1, 0));
        assert_ne!(first(1, 0), first(1, 1));
        assert_ne!(first(1, 0), first(2, 0));
        // From all over the file, and not from its beginning.
        assert!(first(1, 0).iter().any(|part| part.start > 50_000));
        assert_eq!(window(500, 1000, 0, 1, 0), [0..256, 256..500]);
    }
}
