//! How long texts are, in tokens.

use serde::{Deserialize, Serialize};

/// Lengths at which texts are usually cut.
const USUAL_CUTS: [usize; 4] = [64, 128, 256, 512];
/// A histogram has no more bins than this, and one for what is longer.
const MOST_BINS: usize = 15;

/// The lengths of all texts of a split, special tokens included.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Lengths {
    pub mean: f64,
    pub median: usize,
    /// 95 of 100 texts are no longer than this.
    pub percentile_95: usize,
    pub longest: usize,
    pub histogram: Vec<LengthBin>,
    /// What a cut would take away, at the usual lengths and those asked for.
    pub cuts: Vec<Cut>,
}

/// How many texts have a length of `from..=to` tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LengthBin {
    pub from: usize,
    pub to: usize,
    pub rows: usize,
}

/// What a cut at `max_length` would take away.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cut {
    pub max_length: usize,
    /// Texts that would lose their end.
    pub rows: usize,
    /// Their share of all texts, 0 to 1.
    pub share_of_rows: f64,
    /// The share of all tokens that would be lost, 0 to 1.
    pub share_of_tokens: f64,
}

impl Lengths {
    /// Of texts with these lengths; `max_length` is shown among the cuts.
    pub fn new(mut lengths: Vec<usize>, max_length: Option<usize>) -> Self {
        lengths.sort_unstable();
        let rows = lengths.len();
        let at = |percent: usize| lengths.get(rows.saturating_sub(1) * percent / 100).copied();
        let longest = lengths.last().copied().unwrap_or(0);
        let mut cuts: Vec<usize> = USUAL_CUTS.into_iter().chain(max_length).collect();
        cuts.sort_unstable();
        cuts.dedup();
        Self {
            mean: lengths.iter().sum::<usize>() as f64 / rows.max(1) as f64,
            median: at(50).unwrap_or(0),
            percentile_95: at(95).unwrap_or(0),
            longest,
            histogram: histogram(&counts(&lengths)),
            cuts: cuts.into_iter().map(|cut| Cut::new(&lengths, cut)).collect(),
        }
    }
}

impl Cut {
    fn new(lengths: &[usize], max_length: usize) -> Self {
        let cut = lengths.iter().filter(|&&length| length > max_length);
        let lost: usize = cut.clone().map(|length| length - max_length).sum();
        let (rows, tokens) = (cut.count(), lengths.iter().sum::<usize>());
        let share_of_rows = rows as f64 / lengths.len().max(1) as f64;
        Self {
            max_length,
            rows,
            share_of_rows,
            share_of_tokens: lost as f64 / tokens.max(1) as f64,
        }
    }
}

/// Bins of one width, a power of two, from the shortest text on. 99 of 100 texts set the width; the
/// last bin holds all longer ones, so that a few do not flatten the rest.
///
/// `rows[length]` is the number of texts with this length.
pub fn histogram(rows: &[usize]) -> Vec<LengthBin> {
    let longest = rows.iter().rposition(|&rows| rows > 0).unwrap_or(0);
    let shortest = rows.iter().position(|&rows| rows > 0).unwrap_or(0);
    // The text with this number, from 0, in the order of lengths.
    let number = rows.iter().sum::<usize>().saturating_sub(1) * 99 / 100;
    let mut upto = 0;
    let percentile_99 = rows.iter().position(|rows| {
        upto += rows;
        upto > number
    });
    let percentile_99 = percentile_99.unwrap_or(0);
    let mut widths = (0..usize::BITS).map(|power| 1_usize << power);
    let width = widths.find(|width| percentile_99 / width < MOST_BINS).unwrap_or(1);
    let last = (percentile_99 / width + 1).min(longest / width);
    let bin =
        |index: usize| LengthBin { from: index * width, to: (index + 1) * width - 1, rows: 0 };
    let mut bins: Vec<LengthBin> = (0..=last).map(bin).collect();
    for (length, rows) in rows.iter().enumerate() {
        bins[(length / width).min(last)].rows += rows;
    }
    bins[last].to = bins[last].to.max(longest);
    bins.split_off(shortest / width)
}

/// How many texts have each length.
fn counts(lengths: &[usize]) -> Vec<usize> {
    let mut rows = vec![0; lengths.iter().max().map_or(0, |longest| longest + 1)];
    lengths.iter().for_each(|&length| rows[length] += 1);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_bins_and_cuts() {
        let lengths = Lengths::new(vec![3, 70, 100, 130, 5], Some(100));
        assert_eq!((lengths.mean, lengths.median, lengths.longest), (61.6, 70, 130));
        let bins = |lengths: Vec<usize>| {
            let bins = Lengths::new(lengths, None).histogram.into_iter();
            bins.map(|bin| (bin.from, bin.to, bin.rows)).collect::<Vec<_>>()
        };
        let mut many = vec![20; 200];
        many.extend([5, 7, 1000]);
        let expected = [(4, 5, 1), (6, 7, 1), (8, 9, 0), (10, 11, 0), (12, 13, 0), (14, 15, 0)];
        assert_eq!(bins(many.clone())[..6], expected);
        assert_eq!(bins(many)[8..], [(20, 21, 200), (22, 1000, 1)]);
        let cuts: Vec<(usize, usize)> =
            lengths.cuts.iter().map(|c| (c.max_length, c.rows)).collect();
        assert_eq!(cuts, [(64, 3), (100, 1), (128, 1), (256, 0), (512, 0)]);
        assert_eq!(lengths.cuts[1].share_of_tokens, 30.0 / 308.0);
        assert_eq!(Lengths::new(vec![], None).histogram.len(), 1);
    }
}
