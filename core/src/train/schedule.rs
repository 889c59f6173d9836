//! Learning rate over the steps of a run.

use serde::{Deserialize, Serialize};

/// The shape of the learning rate after warm-up, as in transformers' `lr_scheduler_type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Down to 0 in a straight line.
    #[default]
    Linear,
    /// Down to 0 along half a cosine.
    Cosine,
    /// Down to `lr_end` as a power of what is left.
    Polynomial,
    /// The peak from the first step on, without warm-up.
    Constant,
    ConstantWithWarmup,
}

impl Schedule {
    pub const ALL: [Self; 5] =
        [Self::Linear, Self::Cosine, Self::Polynomial, Self::Constant, Self::ConstantWithWarmup];

    /// `constant_with_warmup`
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Cosine => "cosine",
            Self::Polynomial => "polynomial",
            Self::Constant => "constant",
            Self::ConstantWithWarmup => "constant_with_warmup",
        }
    }

    /// The schedule with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|schedule| schedule.name() == name)
    }

    /// Whether the rate rises from 0 first.
    pub fn warms_up(self) -> bool {
        self != Self::Constant
    }

    /// Whether it falls to `lr_end`.
    pub fn has_end(self) -> bool {
        self == Self::Polynomial
    }
}

/// A schedule with all its numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    pub(super) schedule: Schedule,
    pub(super) warmup_steps: usize,
    pub(super) total_steps: usize,
    /// What `lr_end` is of the peak.
    pub(super) end: f64,
    pub(super) power: f64,
}

impl Course {
    /// The factor on the peak rate at optimizer step `step`, counted from 0: up from 0 over
    /// `warmup_steps`, then as the schedule has it until `total_steps` (transformers'
    /// `get_linear_schedule_with_warmup`, `get_cosine_schedule_with_warmup`,
    /// `get_polynomial_decay_schedule_with_warmup` and `get_constant_schedule_with_warmup`).
    pub(super) fn factor(self, step: usize) -> f64 {
        let Self { schedule, warmup_steps, total_steps, end, power } = self;
        if schedule.warms_up() && step < warmup_steps {
            return step as f64 / warmup_steps as f64;
        }
        let decay_steps = total_steps.saturating_sub(warmup_steps).max(1);
        let progress = (step.saturating_sub(warmup_steps) as f64 / decay_steps as f64).min(1.0);
        match schedule {
            Schedule::Linear => 1.0 - progress,
            Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()),
            Schedule::Polynomial => (1.0 - end) * (1.0 - progress).powf(power) + end,
            Schedule::Constant | Schedule::ConstantWithWarmup => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::train::TrainConfig;

    #[test]
    fn traces_equal_the_closed_forms() {
        let trace = |schedule: Schedule| -> Vec<f64> {
            let course = Course { schedule, warmup_steps: 2, total_steps: 6, end: 0.2, power: 2.0 };
            (0..=7).map(|step| course.factor(step)).collect()
        };
        let quarter = 0.5 * (1.0 + std::f64::consts::FRAC_PI_4.cos());
        for (schedule, expected) in [
            (Schedule::Linear, [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]),
            (Schedule::Cosine, [0.0, 0.5, 1.0, quarter, 0.5, 1.0 - quarter, 0.0, 0.0]),
            (Schedule::Polynomial, [0.0, 0.5, 1.0, 0.65, 0.4, 0.25, 0.2, 0.2]),
            (Schedule::Constant, [1.0; 8]),
            (Schedule::ConstantWithWarmup, [0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
        ] {
            for (got, expected) in trace(schedule).into_iter().zip(expected) {
                assert!((got - expected).abs() < 1e-12, "{schedule:?}: {got} {expected}");
            }
        }
    }

    /// `tests/fixtures/schedules.json` holds what transformers' `get_scheduler` gave an optimizer.
    #[test]
    fn traces_equal_those_of_transformers() {
        let fixture = include_str!("../../../tests/fixtures/schedules.json");
        let cases: Vec<Value> = serde_json::from_str(fixture).unwrap();
        assert!(Schedule::ALL.iter().all(|s| cases.iter().any(|c| c["schedule"] == s.name())));
        for case in cases {
            let number = |key: &str| case[key].as_f64().unwrap();
            let config = TrainConfig {
                schedule: Schedule::from_name(case["schedule"].as_str().unwrap()).unwrap(),
                learning_rate: number("learning_rate"),
                warmup_steps: Some(number("warmup_steps") as usize),
                lr_end: number("lr_end"),
                power: number("power"),
                ..TrainConfig::default()
            };
            config.check().unwrap();
            let expected: Vec<f64> = serde_json::from_value(case["rates"].clone()).unwrap();
            for (step, expected) in expected.into_iter().enumerate() {
                let got = config.learning_rate_at(step, number("total_steps") as usize);
                let close = (got - expected).abs() <= 1e-12 * expected.abs().max(1e-8);
                assert!(close, "{case} step {step}: {got}");
            }
        }
    }

    #[test]
    fn names_are_those_that_are_stored() {
        for schedule in Schedule::ALL {
            assert_eq!(serde_json::to_value(schedule).unwrap(), schedule.name());
            assert_eq!(Schedule::from_name(schedule.name()), Some(schedule));
        }
    }
}
