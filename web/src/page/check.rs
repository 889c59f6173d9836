//! What a WebGPU engine must show before it takes over: the CPU engine's probabilities, or scores.

use super::text::{decimal, fill};
use crate::messages::{Prediction, Request};

/// How far a probability may be from the CPU engine's.
const TOLERANCE: f32 = 1e-3;
/// Ordinary, long, odd and nearly empty.
const TEXTS: [&str; 4] = [
    "I can't believe we finally made it!",
    "She waited at the window until the last train had gone, and then she folded the letter and \
     put it back into the drawer.",
    "¿Qué? 12 o'clock… 🙂",
    ".",
];

/// The question for both engines.
pub fn request() -> Request {
    Request::Classify { texts: TEXTS.map(String::from).to_vec() }
}

/// Compares the answers, text by text and class by class.
pub fn compare(found: &[Prediction], expected: &[Prediction]) -> Result<(), String> {
    let furthest = furthest(found, expected);
    if furthest <= TOLERANCE {
        return Ok(());
    }
    Err(fill("webgpu.off", &[("n", &decimal(furthest.into(), 4))]))
}

/// The largest difference; infinite where there is none to speak of (NaN, or fewer numbers).
fn furthest(found: &[Prediction], expected: &[Prediction]) -> f32 {
    let flat = |predictions: &[Prediction]| -> Vec<f32> {
        let figures = predictions.iter().map(|it| match &it.probabilities[..] {
            [] => &it.logits[..],
            probabilities => probabilities,
        });
        figures.flatten().copied().collect()
    };
    let (found, expected) = (flat(found), flat(expected));
    if found.len() != expected.len() {
        return f32::INFINITY;
    }
    let differences = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs());
    differences.map(|it| if it.is_nan() { f32::INFINITY } else { it }).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(probabilities: &[f32]) -> Prediction {
        let probabilities = probabilities.to_vec();
        Prediction { logits: vec![], probabilities, tokens: 3, truncated: false }
    }

    #[test]
    fn the_furthest_probability_counts() {
        let found = [prediction(&[0.5, 0.5]), prediction(&[0.9, 0.1])];
        let expected = [prediction(&[0.5, 0.5]), prediction(&[0.8, 0.2])];
        assert!((furthest(&found, &expected) - 0.1).abs() < 1e-6);
        assert!(compare(&found, &found).is_ok());
    }

    #[test]
    fn what_cannot_be_compared_is_infinitely_far() {
        let one = [prediction(&[1.0])];
        assert_eq!(furthest(&[prediction(&[f32::NAN])], &one), f32::INFINITY);
        assert_eq!(furthest(&one, &[prediction(&[0.5, 0.5])]), f32::INFINITY);
        assert_eq!(furthest(&[], &one), f32::INFINITY);
    }
}
