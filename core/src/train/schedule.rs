//! Learning rate over the steps of a run.

use serde::{Deserialize, Serialize};

/// The shape of the learning rate after warm-up, as in transformers' `lr_scheduler_type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Down to 0 in a straight line.
    #[default]
    Linear,
    /// Down to 0 along half a cosine.
    Cosine,
}

impl Schedule {
    /// The factor on the peak rate at optimizer step `step`, counted from 0: up from 0 over
    /// `warmup_steps`, then down to 0 at `total_steps`
    /// (transformers' `get_linear_schedule_with_warmup` and `get_cosine_schedule_with_warmup`).
    pub fn factor(self, step: usize, warmup_steps: usize, total_steps: usize) -> f64 {
        if step < warmup_steps {
            return step as f64 / warmup_steps as f64;
        }
        let decay_steps = total_steps.saturating_sub(warmup_steps).max(1);
        let progress = ((step - warmup_steps) as f64 / decay_steps as f64).min(1.0);
        match self {
            Self::Linear => 1.0 - progress,
            Self::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_equal_the_closed_forms() {
        let trace = |schedule: Schedule| -> Vec<f64> {
            (0..=6).map(|step| schedule.factor(step, 2, 6)).collect()
        };
        assert_eq!(trace(Schedule::Linear), [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]);
        let quarter = 0.5 * (1.0 + std::f64::consts::FRAC_PI_4.cos());
        let expected = [0.0, 0.5, 1.0, quarter, 0.5, 1.0 - quarter, 0.0];
        for (got, expected) in trace(Schedule::Cosine).into_iter().zip(expected) {
            assert!((got - expected).abs() < 1e-12, "{got} {expected}");
        }
    }
}
