//! How far figures would be off on other rows of the same kind: the percentile bootstrap (Efron 1979),
//! as `scipy.stats.bootstrap(method="percentile")` takes it.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    AnswerMetrics, Answered, EntityMetrics, Metrics, RowScore, answered::row_scores,
    entities::RowCounts,
};
use crate::data::LabelMap;

/// The part of the resamples that an interval holds.
const LEVEL: f64 = 0.95;
const RESAMPLES: usize = 1000;
const SEED: u64 = 42;

/// A 95 % interval for each figure, over the rows that were measured; another training would differ
/// by more.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Intervals {
    pub level: f64,
    pub resamples: usize,
    pub seed: u64,
    /// From and to, by the name of the figure; NaN, in JSON `null`, where a resample has no such figure.
    #[serde(flatten, serialize_with = "by_name")]
    pub figures: Vec<(&'static str, [f64; 2])>,
}

impl Intervals {
    /// Of 1000 resamples with a fixed seed, so that they can be had again.
    pub fn new(answered: &Answered, labels: &LabelMap) -> Self {
        let resamples = resamples(answered.len(), RESAMPLES, SEED);
        let found = figures_of(answered, labels, resamples);
        let interval = |(name, values)| (name, percentile_interval(values, LEVEL));
        let figures = found.into_iter().map(interval).collect();
        Self { level: LEVEL, resamples: RESAMPLES, seed: SEED, figures }
    }

    /// That of one figure, where it has one.
    pub fn of(&self, figure: &str) -> Option<[f64; 2]> {
        let found = self.figures.iter().find(|(name, _)| *name == figure);
        found
            .map(|(_, interval)| *interval)
            .filter(|interval| interval.iter().all(|end| end.is_finite()))
    }
}

/// `count` times as many of `rows` rows as there are, drawn with replacement.
pub fn resamples(rows: usize, count: usize, seed: u64) -> impl Iterator<Item = Vec<usize>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(move |_| (0..rows).map(|_| rng.random_range(0..rows as u64) as usize).collect())
}

/// The figures of [`Metrics::figures`] of each resample, by name.
pub fn figures_of(
    answered: &Answered,
    labels: &LabelMap,
    resamples: impl Iterator<Item = Vec<usize>>,
) -> Vec<(&'static str, Vec<f64>)> {
    // The entities of a row are the same in each resample, and so is what its answer is worth.
    let counts: Vec<RowCounts> = match answered {
        Answered::Tags(rows) => {
            rows.iter().map(|(gold, predicted)| RowCounts::new(gold, predicted, labels)).collect()
        }
        _ => Vec::new(),
    };
    let scores: Vec<RowScore> = match answered {
        Answered::Answers(rows) => row_scores(rows).collect(),
        _ => Vec::new(),
    };
    let metrics = |rows: &[usize]| match answered {
        Answered::Answers(_) => {
            Metrics::Answers(AnswerMetrics::of(rows.iter().map(|&row| &scores[row])))
        }
        Answered::Tags(_) => {
            Metrics::Entities(EntityMetrics::of(rows.iter().map(|&row| &counts[row])))
        }
        _ => Metrics::of(&answered.select(rows), labels),
    };
    let mut figures: Vec<(&'static str, Vec<f64>)> = Vec::new();
    for rows in resamples {
        let found = metrics(&rows).figures();
        if figures.is_empty() {
            figures = found.iter().map(|(name, _)| (*name, Vec::new())).collect();
        }
        for ((_, values), (_, value)) in figures.iter_mut().zip(found) {
            values.push(value);
        }
    }
    figures
}

/// The middle `level` of values, its ends interpolated as `numpy.percentile` does; NaN where one of
/// the values is, or where there are none.
pub fn percentile_interval(mut values: Vec<f64>, level: f64) -> [f64; 2] {
    if values.is_empty() || values.iter().any(|value| value.is_nan()) {
        return [f64::NAN; 2];
    }
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    [tail, 1.0 - tail].map(|part| {
        let place = part * (values.len() - 1) as f64;
        let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
        below + (above - below) * place.fract()
    })
}

fn by_name<S: serde::Serializer>(
    figures: &[(&'static str, [f64; 2])],
    to: S,
) -> Result<S::Ok, S::Error> {
    let named = figures.iter().map(|(name, ends)| ((*name).to_owned(), ends.to_vec().into()));
    named.collect::<Map<String, Value>>().serialize(to)
}
