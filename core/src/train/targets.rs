//! Targets on the host: checked before a device sees them.

use super::LabelledRows;
use crate::{
    Error, Result,
    data::{Span, Targets, Task},
    model::Setup,
    text::Encoding,
};

/// Rows that a model can be trained on; of tags those of the words that it sees.
///
/// # Errors
/// [`Error::BadSetting`] naming the first text or target that is out of range, or of another task.
pub(super) fn checked(rows: LabelledRows, setup: &Setup) -> Result<LabelledRows> {
    let LabelledRows { encodings, targets } = rows;
    setup.check(&encodings)?;
    let targets = seen(targets, &encodings);
    check_targets(&encodings, &targets, setup)?;
    Ok(LabelledRows { encodings, targets })
}

/// Of tags those of the words that the model sees.
fn seen(targets: Targets, encodings: &[Encoding]) -> Targets {
    let Targets::Tags(tags) = targets else { return targets };
    if tags.len() != encodings.len() {
        return Targets::Tags(tags); // which is refused
    }
    let of_row = |(tags, encoding): (Vec<usize>, &Encoding)| {
        encoding.words.iter().filter_map(|word| tags.get(word.index).copied()).collect()
    };
    Targets::Tags(tags.into_iter().zip(encodings).map(of_row).collect())
}

fn bad(value: String, reason: String) -> Result<()> {
    Err(Error::BadSetting { name: "labels", value, reason })
}

/// Checks that targets of `task` are what the model is for.
///
/// # Errors
/// [`Error::BadSetting`] where they are not.
pub(super) fn check_task(task: Task, setup: &Setup) -> Result<()> {
    match setup.task() {
        known if known == task => Ok(()),
        known => bad(task.to_string(), format!("the model is for {known}")),
    }
}

/// Checks that there is a target for each text, of the model's task, and that the model has its class.
fn check_targets(encodings: &[Encoding], targets: &Targets, setup: &Setup) -> Result<()> {
    check_task(targets.task(), setup)?;
    let classes = setup.num_labels();
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
        Targets::Spans(spans) => {
            let mut rows = spans.iter().zip(encodings);
            let is_odd = |(span, encoding): (&Span, &Encoding)| {
                let Span { start, end, tokens } = *span;
                start > end || end >= tokens || tokens != encoding.ids.len()
            };
            match rows.position(is_odd) {
                Some(row) => {
                    bad(format!("{:?}", spans[row]), format!("no span of window {}", row + 1))
                }
                None => Ok(()),
            }
        }
        Targets::Answers(_) => {
            bad("answers".into(), "expected where they stand in windows on their contexts".into())
        }
        Targets::Labels(_) | Targets::LabelSets(_) => Ok(()),
    }
}
