//! Graders on the same held-out answers, over several runs: how good each is, and whether two differ.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde::Serialize;

use crate::{
    metrics::{GradingMetrics, percentile_interval, two_sided},
    model::stream,
};

/// Resamples of the questions of each run.
const RESAMPLES: usize = 1000;
/// Of the resamples, those between the ends of an interval.
const LEVEL: f64 = 0.95;

/// The held-out answers of one run, with the points that each grader gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GradedRun {
    pub questions: Vec<String>,
    pub gold: Vec<f32>,
    /// The most that the question gives.
    pub most: Vec<f32>,
    /// By grader, in the same order in each run.
    pub points: Vec<(String, Vec<f32>)>,
}

/// All runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Study {
    runs: Vec<GradedRun>,
}

/// A figure, averaged over runs, with the middle 95 % of what it is on resampled questions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    pub mean: f64,
    pub interval: [f64; 2],
}

/// One grader.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GraderFigures {
    pub grader: String,
    pub pearson: Estimate,
    pub quadratic_weighted_kappa: Estimate,
}

/// What one grader has over another, on the same resamples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GraderDifference {
    pub grader: String,
    pub over: String,
    pub figure: &'static str,
    pub difference: Estimate,
    /// The part of the resamples, of both sides, in which the difference is not what it seems.
    pub p: f64,
}

/// What a study found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    pub graders: Vec<GraderFigures>,
    pub differences: Vec<GraderDifference>,
}

impl GraderDifference {
    /// Whether the interval leaves out that there is none.
    pub fn is_shown(&self) -> bool {
        let [from, to] = self.difference.interval;
        from > 0.0 || to < 0.0
    }
}

/// The figures of each grader: of the runs themselves, and of each resample.
struct Figures {
    /// `[grader][figure]`
    runs: Vec<[f64; 2]>,
    /// `[grader][figure][resample]`
    resampled: Vec<[Vec<f64>; 2]>,
}

const FIGURES: [&str; 2] = ["pearson", "quadratic_weighted_kappa"];

impl Study {
    pub fn add(&mut self, run: GradedRun) {
        self.runs.push(run);
    }

    /// Figures of all graders, and the differences of `pairs` of them, by name. All answers to a question
    /// are drawn together, as graders go wrong by question (a cluster bootstrap, Field and Welsh 2007).
    pub fn compare(&self, pairs: &[(String, String)], threshold: f32, seed: u64) -> Found {
        let figures = self.figures(threshold, seed);
        let names: Vec<&String> = match self.runs.first() {
            Some(run) => run.points.iter().map(|(name, _)| name).collect(),
            None => Vec::new(),
        };
        let estimate = |grader: usize, figure: usize| Estimate {
            mean: figures.runs[grader][figure],
            interval: percentile_interval(figures.resampled[grader][figure].clone(), LEVEL),
        };
        let graders = names.iter().enumerate().map(|(at, name)| GraderFigures {
            grader: (*name).clone(),
            pearson: estimate(at, 0),
            quadratic_weighted_kappa: estimate(at, 1),
        });
        let place = |wanted: &String| names.iter().position(|name| *name == wanted);
        let mut differences = Vec::new();
        for (grader, over) in pairs {
            let (Some(a), Some(b)) = (place(grader), place(over)) else { continue };
            for (figure, name) in FIGURES.into_iter().enumerate() {
                let [ours, theirs] = [a, b].map(|at| &figures.resampled[at][figure]);
                let all: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
                differences.push(GraderDifference {
                    grader: grader.clone(),
                    over: over.clone(),
                    figure: name,
                    difference: Estimate {
                        mean: figures.runs[a][figure] - figures.runs[b][figure],
                        interval: percentile_interval(all.clone(), LEVEL),
                    },
                    p: two_sided(&all),
                });
            }
        }
        Found { graders: graders.collect(), differences }
    }

    fn figures(&self, threshold: f32, seed: u64) -> Figures {
        let graders = self.runs.first().map_or(0, |run| run.points.len());
        let runs = self.runs.len().max(1) as f64;
        let mut found = Figures {
            runs: vec![[0.0; 2]; graders],
            resampled: vec![[vec![0.0; RESAMPLES], vec![0.0; RESAMPLES]]; graders],
        };
        for (index, run) in self.runs.iter().enumerate() {
            let mut rng = ChaCha8Rng::seed_from_u64(stream(seed, index));
            let questions = run.by_question();
            let all: Vec<usize> = (0..run.gold.len()).collect();
            for grader in 0..graders {
                let figures = run.figures(grader, &all, threshold);
                (0..2).for_each(|of| found.runs[grader][of] += figures[of] / runs);
            }
            for resample in 0..RESAMPLES {
                let drawn = (0..questions.len())
                    .map(|_| rng.random_range(0..questions.len() as u64) as usize)
                    .flat_map(|question| questions[question].iter().copied());
                let rows: Vec<usize> = drawn.collect();
                for grader in 0..graders {
                    let figures = run.figures(grader, &rows, threshold);
                    for (of, figure) in figures.into_iter().enumerate() {
                        found.resampled[grader][of][resample] += figure / runs;
                    }
                }
            }
        }
        found
    }
}

impl GradedRun {
    fn by_question(&self) -> Vec<Vec<usize>> {
        let mut rows: BTreeMap<&String, Vec<usize>> = BTreeMap::new();
        for (row, question) in self.questions.iter().enumerate() {
            rows.entry(question).or_default().push(row);
        }
        rows.into_values().collect()
    }

    fn figures(&self, grader: usize, rows: &[usize], threshold: f32) -> [f64; 2] {
        let pick = |of: &[f32]| -> Vec<f32> { rows.iter().map(|&row| of[row]).collect() };
        let (_, points) = &self.points[grader];
        let metrics =
            GradingMetrics::new(&pick(&self.gold), &pick(points), &pick(&self.most), threshold);
        [metrics.pearson, metrics.quadratic_weighted_kappa]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty questions with ten answers each; the points of a good grader, one that is as good, and one
    /// that guesses.
    fn study() -> Study {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut study = Study::default();
        for _ in 0..3 {
            let mut run = GradedRun {
                points: ["good", "as good", "guess"].map(|name| (name.into(), Vec::new())).into(),
                ..GradedRun::default()
            };
            for row in 0..200 {
                let gold = rng.random_range(0..=5u64) as f32;
                let mut off = |by: f32| (rng.random::<f64>() as f32 - 0.5) * by;
                run.questions.push(format!("q{}", row / 10));
                run.gold.push(gold);
                run.most.push(5.0);
                let points = [gold + off(4.0), gold + off(4.0), 2.5 + off(5.0)];
                run.points.iter_mut().zip(points).for_each(|((_, of), points)| of.push(points));
            }
            study.add(run);
        }
        study
    }

    #[test]
    fn what_is_there_is_shown_and_what_is_not_is_not() {
        let pairs = [("good", "guess"), ("good", "as good"), ("good", "good")];
        let pairs = pairs.map(|(a, b)| (a.to_owned(), b.to_owned()));
        let found = study().compare(&pairs, 0.5, 7);
        let shown: Vec<bool> = found.differences.iter().map(|it| it.is_shown()).collect();
        assert_eq!(shown, [true, true, false, false, false, false]);
        assert!(found.differences[0].p < 0.01 && found.differences[2].p > 0.05);
        assert_eq!(found.differences[4].difference.interval, [0.0; 2]);
        assert_eq!(found.differences[4].p, 1.0);
        let good = &found.graders[0].pearson;
        assert!(good.interval[0] < good.mean && good.mean < good.interval[1]);
        assert_eq!(found, study().compare(&pairs, 0.5, 7));
    }
}
