//! A measurement with what it leaves open.

use serde::Serialize;

use super::{Answered, Intervals, Metrics, Reliability};
use crate::{
    data::{LabelMap, Targets},
    model::Prediction,
};

/// Serialized as the metrics, with the rest beside them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    #[serde(flatten)]
    pub metrics: Metrics,
    pub confidence_intervals: Intervals,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Reliability>,
}

impl Evaluation {
    /// Of one prediction for each target.
    pub fn new(targets: &Targets, predictions: &[Prediction], labels: &LabelMap) -> Self {
        let answered = Answered::new(targets, predictions);
        Self {
            metrics: Metrics::of(&answered, labels),
            confidence_intervals: Intervals::new(&answered, labels),
            calibration: Reliability::new(targets, predictions),
        }
    }
}
