//! Targets on the host: checked before a device sees them.

use crate::{Error, Result, data::Targets, model::Setup, text::Encoding};

/// Of tags those of the words that the model sees.
pub(super) fn seen(targets: Targets, encodings: &[Encoding]) -> Targets {
    let Targets::Tags(tags) = targets else { return targets };
    if tags.len() != encodings.len() {
        return Targets::Tags(tags); // which is refused
    }
    let of_row = |(tags, encoding): (Vec<usize>, &Encoding)| {
        encoding.words.iter().filter_map(|word| tags.get(word.index).copied()).collect()
    };
    Targets::Tags(tags.into_iter().zip(encodings).map(of_row).collect())
}

/// Checks that there is a target for each text, of the model's task, and that the model has its class.
///
/// # Errors
/// [`Error::BadSetting`] naming the first that is out of range.
pub(super) fn check_targets(
    encodings: &[Encoding],
    targets: &Targets,
    setup: &Setup,
) -> Result<()> {
    let bad =
        |value: String, reason: String| Err(Error::BadSetting { name: "labels", value, reason });
    let (task, classes) = (setup.task(), setup.num_labels());
    if targets.task() != task {
        return bad(targets.task().to_string(), format!("the model is for {task}"));
    }
    if encodings.is_empty() || encodings.len() != targets.len() {
        let reason = format!("expected one for each of {} texts", encodings.len());
        return bad(targets.len().to_string(), reason);
    }
    if let Some(label) = targets.ids().into_iter().find(|&label| label >= classes) {
        return bad(label.to_string(), format!("there are {classes} classes"));
    }
    match targets {
        Targets::Scores(scores) => match scores.iter().find(|score| !score.is_finite()) {
            Some(score) => bad(score.to_string(), "a score must be finite".into()),
            None => Ok(()),
        },
        Targets::Tags(tags) => {
            let mut rows = tags.iter().zip(encodings);
            match rows.position(|(tags, encoding)| tags.is_empty() || encoding.words.is_empty()) {
                Some(row) => bad("no tag".into(), format!("no word is left of text {}", row + 1)),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
