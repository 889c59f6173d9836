//! Intervals, tests and calibration are those of scipy, statsmodels and scikit-learn.

use emberlab_core::{
    data::{LabelMap, Targets, Task},
    metrics::{
        Answered, Difference, McNemar, Reliability, figures_of, fit_temperature,
        percentile_interval,
    },
    model::Prediction,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::support::{fixture, json};

fn fixtures() -> Value {
    json(&fixture("statistics.json"))
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn close(got: f64, expected: &Value, tolerance: f64, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((got - expected).abs() < tolerance, "{what}: {got}, reference {expected}");
}

fn labels(count: usize) -> LabelMap {
    LabelMap::new("fixture", (0..count).map(|id| id.to_string()).collect()).unwrap()
}

fn pairs<T: DeserializeOwned>(gold: &Value, predicted: &Value) -> Vec<(T, T)> {
    read::<Vec<T>>(gold).into_iter().zip(read::<Vec<T>>(predicted)).collect()
}

#[test]
fn intervals_equal_scipy_on_its_resamples() {
    let case = &fixtures()["bootstrap"];
    let resamples: Vec<Vec<usize>> = read(&case["resamples"]);
    let classes = Answered::Labels(pairs(&case["gold"], &case["predicted"][0]));
    let scores = Answered::Scores(pairs(&case["scores"], &case["guesses"]));
    for (answered, names) in
        [(&classes, &["accuracy", "macro_f1"][..]), (&scores, &["pearson", "spearman", "mse"])]
    {
        let found = figures_of(answered, &labels(3), resamples.iter().cloned());
        for name in names {
            let (_, values) = found.iter().find(|(figure, _)| figure == name).unwrap();
            for (end, got) in percentile_interval(values.clone(), 0.95).into_iter().enumerate() {
                close(got, &case["intervals"][*name][end], 1e-12, name);
            }
        }
    }
}

/// Scores that are all alike have no correlation: nobody wins.
#[test]
fn a_figure_that_is_not_defined_has_no_p() {
    let gold = [0.0, 1.0, 2.0, 3.0];
    let scores = |said: [f32; 4]| Answered::Scores(gold.into_iter().zip(said).collect());
    let (constant, good) = (scores([1.0; 4]), scores([0.0, 1.5, 1.5, 3.0]));
    let resamples = || vec![vec![0, 1, 2, 3], vec![3, 2, 1, 0]].into_iter();
    for difference in Difference::all(&constant, &good, &labels(2), resamples) {
        let is_defined = difference.difference.is_finite();
        assert_eq!(difference.p.is_nan(), !is_defined, "{difference:?}");
        assert_eq!(is_defined, ["mse", "mae"].contains(&difference.figure), "{difference:?}");
    }
}

#[test]
fn paired_differences_equal_scipy_on_its_resamples() {
    let case = &fixtures()["bootstrap"];
    let resamples: Vec<Vec<usize>> = read(&case["resamples"]);
    let of = |model: usize| Answered::Labels(pairs(&case["gold"], &case["predicted"][model]));
    let found = Difference::all(&of(0), &of(1), &labels(3), || resamples.iter().cloned());
    for difference in found.iter().take(2) {
        let name = format!("{}_difference", difference.figure);
        for (end, got) in difference.interval.into_iter().enumerate() {
            close(got, &case["intervals"][&name][end], 1e-12, &name);
        }
        assert!((difference.b - difference.a - difference.difference).abs() < 1e-15);
    }
    // Against itself there is nothing to be seen.
    let same = Difference::all(&of(0), &of(0), &labels(3), || resamples.iter().cloned());
    assert!(same.iter().all(|of| of.difference == 0.0 && of.p == 1.0 && of.interval == [0.0; 2]));
}

#[test]
fn mcnemar_equals_statsmodels() {
    for case in fixtures()["mcnemar"].as_array().unwrap() {
        let table: [usize; 4] = read(&case["table"]);
        let kinds = [(true, true), (true, false), (false, true), (false, false)];
        let rows = table.iter().zip(kinds).flat_map(|(&count, kind)| vec![kind; count]);
        let (a, b): (Vec<bool>, Vec<bool>) = rows.unzip();
        let found = McNemar::new(&a, &b);
        let counted = [found.both_right, found.only_a_right, found.only_b_right, found.both_wrong];
        assert_eq!(counted, table);
        close(found.exact_p, &case["exact_p"], 1e-12, "exact");
        match case.get("statistic") {
            Some(statistic) => {
                close(found.statistic, statistic, 1e-12, "statistic");
                close(found.corrected_p, &case["corrected_p"], 1e-12, "corrected");
            }
            None => assert_eq!((found.statistic, found.corrected_p), (0.0, 1.0)),
        }
    }
}

#[test]
fn calibration_equals_scikit_learn_and_scipy() {
    for case in fixtures()["calibration"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let task = Task::from_name(case["task"].as_str().unwrap()).unwrap();
        let targets = match task {
            Task::MultiLabelClassification => Targets::LabelSets(read(&case["gold"])),
            _ => Targets::Labels(read(&case["gold"])),
        };
        let predict = |logits: Vec<f32>| {
            Prediction { logits, ..Prediction::default() }.at_temperature(task, 1.0)
        };
        let logits: Vec<Vec<f32>> = read(&case["logits"]);
        let predictions: Vec<Prediction> = logits.into_iter().map(predict).collect();

        let found = Reliability::new(&targets, &predictions).unwrap();
        let error = &case["expected_calibration_error"];
        close(found.expected_calibration_error, error, 1e-6, name); // probabilities are f32
        let counts: Vec<usize> = found.bins.iter().map(|bin| bin.count).collect();
        assert_eq!(counts, read::<Vec<usize>>(&case["counts"]), "{name}");
        for (index, bin) in found.bins.iter().enumerate() {
            close(bin.accuracy, &case["accuracy"][index], 1e-12, name);
            close(bin.confidence, &case["confidence"][index], 1e-6, name);
        }

        let fit = fit_temperature(&targets, &predictions).unwrap();
        close(fit.temperature, &case["temperature"], 1e-6, name);
        close(fit.nll_before, &case["nll_before"], 1e-10, name);
        close(fit.nll_after, &case["nll_after"], 1e-10, name);
        let at = |found: &Prediction| found.clone().at_temperature(task, fit.temperature as f32);
        let calibrated: Vec<Prediction> = predictions.iter().map(at).collect();
        let after = Reliability::new(&targets, &calibrated).unwrap();
        assert!(after.expected_calibration_error < found.expected_calibration_error, "{name}");
    }
}

#[test]
fn scores_have_no_calibration() {
    let targets = Targets::Scores(vec![1.0]);
    let predictions = [Prediction { logits: vec![2.0], ..Prediction::default() }];
    assert_eq!(Reliability::new(&targets, &predictions), None);
    assert_eq!(fit_temperature(&targets, &predictions), None);
}
