//! Reading what an engine answers.
//!
//! Serde reads messages in the engine, where a test may post anything. What the page reads comes from
//! its own engine, so it needs no account of what is wrong with a field: that account, with its
//! printing of numbers, was a third of the page's code.

use super::{
    Classified, Evaluated, Example, Finding, ModelInfo, Prediction, Response, Reviewed,
    TrainSettings, Trained, Words, property,
};
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};

/// What can be read from a plain JavaScript value; nothing where it is something else.
pub trait Read: Sized {
    fn read(value: &JsValue) -> Option<Self>;
}

/// Reads a property.
pub fn field<T: Read>(object: &JsValue, name: &str) -> Option<T> {
    T::read(&property(object, name))
}

impl Read for f64 {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_f64()
    }
}

impl Read for f32 {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_f64().map(|number| number as f32)
    }
}

impl Read for usize {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_f64().map(|number| number as usize)
    }
}

impl Read for u64 {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_f64().map(|number| number as u64)
    }
}

impl Read for bool {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_bool()
    }
}

impl Read for JsValue {
    fn read(value: &JsValue) -> Option<Self> {
        Some(value.clone())
    }
}

impl Read for String {
    fn read(value: &JsValue) -> Option<Self> {
        value.as_string()
    }
}

impl<T: Read> Read for Option<T> {
    fn read(value: &JsValue) -> Option<Self> {
        if value.is_null() || value.is_undefined() { Some(None) } else { T::read(value).map(Some) }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: &JsValue) -> Option<Self> {
        value.dyn_ref::<Array>()?.iter().map(|item| T::read(&item)).collect()
    }
}

/// Reads a struct field by field, under the names that serde writes.
#[macro_export]
macro_rules! readable {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::messages::Read for $name {
            fn read(value: &wasm_bindgen::JsValue) -> Option<Self> {
                Some(Self { $($field: $crate::messages::field(value, stringify!($field))?),* })
            }
        }
    };
}

readable!(Words { key, values });
readable!(ModelInfo { name, architecture, task, parameters, labels, max_length, layers });
readable!(Classified { predictions, milliseconds });
readable!(Prediction { logits, probabilities, tokens, truncated });
readable!(Trained { step, epoch, loss, done, rows, tokens, milliseconds });
readable!(Evaluated { accuracy, macro_f1, confusion_matrix, predicted, scores });
readable!(Example { text, label });
readable!(Reviewed { findings, train, held_out });
readable!(TrainSettings { epochs, batch_size, learning_rate, seed, max_length, trainable_layers });

impl Read for Finding {
    /// `"one_label"` or `{ few_rows: { label, rows } }`
    fn read(value: &JsValue) -> Option<Self> {
        let body = |name: &str| Some(property(value, name)).filter(|body| !body.is_undefined());
        if value.is_string() {
            return Some(Self::OneLabel);
        }
        if let Some(body) = body("few_rows") {
            return Some(Self::FewRows {
                label: field(&body, "label")?,
                rows: field(&body, "rows")?,
            });
        }
        if let Some(body) = body("unbalanced") {
            let (largest, smallest) = (field(&body, "largest")?, field(&body, "smallest")?);
            return Some(Self::Unbalanced { largest, smallest });
        }
        if let Some(body) = body("duplicates") {
            return Some(Self::Duplicates { rows: field(&body, "rows")? });
        }
        let body = body("contradictions")?;
        Some(Self::Contradictions {
            texts: field(&body, "texts")?,
            example: field(&body, "example")?,
        })
    }
}

impl Read for Response {
    /// What the page asks for; what it does not know was asked for by a script of `web/teach/`.
    fn read(value: &JsValue) -> Option<Self> {
        Some(match &*field::<String>(value, "type")? {
            "ready" => Self::Ready {},
            "opened" => {
                Self::Opened { model: field(value, "model")?, new_head: field(value, "new_head")? }
            }
            "classified" => Self::Classified(Read::read(value)?),
            "train_started" => Self::TrainStarted {
                total_steps: field(value, "total_steps")?,
                steps_per_epoch: field(value, "steps_per_epoch")?,
                learning_rate: field(value, "learning_rate")?,
                step: field(value, "step")?,
            },
            "trained" => Self::Trained(Read::read(value)?),
            "evaluated" => Self::Evaluated(Read::read(value)?),
            "saved" => Self::Saved { file: super::take_files(value).into_iter().next()?.1 },
            "rows" => Self::Rows { rows: field(value, "rows")? },
            "reviewed" => Self::Reviewed(Read::read(value)?),
            "failed" => {
                Self::Failed { message: field(value, "message")?, words: field(value, "words")? }
            }
            "died" => Self::Died { message: field(value, "message")? },
            _ => Self::Script(value.clone()),
        })
    }
}
