//! The metrics are scikit-learn's.

use emberlab_core::{data::LabelMap, metrics::ClassificationMetrics};
use serde_json::Value;

use crate::support::{fixture, json};

fn close(got: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((got - expected).abs() < 1e-12, "{what}: {got}, scikit-learn {expected}");
}

fn ids(value: &Value) -> Vec<usize> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn metrics_equal_scikit_learn() {
    for case in json(&fixture("metrics.json")).as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let classes = case["num_classes"].as_u64().unwrap() as usize;
        let labels = LabelMap::new(name, (0..classes).map(|c| c.to_string()).collect()).unwrap();
        let metrics =
            ClassificationMetrics::new(&ids(&case["labels"]), &ids(&case["predictions"]), &labels);
        close(metrics.accuracy, &case["accuracy"], name);
        close(metrics.macro_f1, &case["macro_f1"], name);
        close(metrics.micro_f1, &case["micro_f1"], name);
        close(metrics.weighted_f1, &case["weighted_f1"], name);
        for (class, got) in metrics.per_class.iter().enumerate() {
            close(got.precision, &case["precision"][class], name);
            close(got.recall, &case["recall"][class], name);
            close(got.f1, &case["f1"][class], name);
        }
        assert_eq!(serde_json::to_value(&metrics.confusion_matrix).unwrap(), case["confusion"]);
    }
}
