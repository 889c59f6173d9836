//! What an engine cannot do: in English, and as the page's own string where it has one.

use crate::messages::Words;
use emberlab_core::Error;

pub struct Problem {
    pub message: String,
    pub words: Option<Words>,
}

impl Problem {
    /// A problem for which `web/strings/` has words under `key`.
    pub fn new(message: String, key: &str, values: &[(&str, &str)]) -> Self {
        let values = values.iter().map(|(name, value)| vec![(*name).into(), (*value).into()]);
        Self { message, words: Some(Words { key: key.into(), values: values.collect() }) }
    }
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self { message, words: None }
    }
}

impl From<&str> for Problem {
    fn from(message: &str) -> Self {
        message.to_string().into()
    }
}

/// The causes that a person meets in the page. The others are told in `core`'s English.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let shape = |shape: &[usize]| format!("{shape:?}");
        match &error {
            Error::UnknownFormat { name } => {
                Self::new(message, "error.unknown_format", &[("name", name)])
            }
            Error::NotUtf8 { place } => {
                Self::new(message, "error.not_utf8", &[("place", &place.to_string())])
            }
            Error::NoRows { name, .. } => Self::new(message, "error.no_rows", &[("name", name)]),
            Error::NoColumn { name, role, columns, .. } => {
                let values = [("name", &**name), ("role", *role), ("columns", &**columns)];
                Self::new(message, "error.no_column", &values)
            }
            Error::MissingFile { folder, file } => {
                Self::new(message, "error.missing_file", &[("folder", folder), ("file", file)])
            }
            Error::BadSafetensors { name, reason } => {
                let values = [("name", &**name), ("reason", &**reason)];
                Self::new(message, "error.bad_safetensors", &values)
            }
            Error::TensorShape { name, key, found, expected } => {
                let (found, expected) = (shape(found), shape(expected));
                let values = [
                    ("name", &**name),
                    ("key", &**key),
                    ("found", &found),
                    ("expected", &expected),
                ];
                Self::new(message, "error.tensor_shape", &values)
            }
            Error::TensorDtype { name, key, dtype } => {
                let values = [("name", &**name), ("key", &**key), ("dtype", &**dtype)];
                Self::new(message, "error.tensor_dtype", &values)
            }
            Error::TensorNotFinite { name, key } => {
                Self::new(message, "error.tensor_not_finite", &[("name", name), ("key", key)])
            }
            Error::TensorMissing { name, key } => {
                Self::new(message, "error.tensor_missing", &[("name", name), ("key", key)])
            }
            Error::NoHead { name, .. } => Self::new(message, "error.no_head", &[("name", name)]),
            Error::LossNotFinite { loss, step } => {
                let (loss, step) = (loss.to_string(), step.to_string());
                Self::new(message, "error.loss_not_finite", &[("loss", &loss), ("step", &step)])
            }
            Error::Device(why) => Self::new(message, "error.device", &[("why", why)]),
            _ => message.into(),
        }
    }
}
