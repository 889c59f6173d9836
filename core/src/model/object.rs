//! The small JSON files of a model's folder.

use serde_json::{Map, Value};

/// Ten thousand labels take less than half of it. As values, JSON takes many times its bytes.
const MOST_BYTES: usize = 2 << 20;

/// The keys and values of a `config.json` or `adapter_config.json`, called `what`; says what is wrong with one.
pub(super) fn object(what: &str, bytes: &[u8]) -> Result<Map<String, Value>, String> {
    check_size(what, bytes)?;
    serde_json::from_slice(bytes).map_err(|error| format!("not a JSON object: {error}"))
}

pub(super) fn check_size(what: &str, bytes: &[u8]) -> Result<(), String> {
    let [found, most] = [bytes.len() >> 20, MOST_BYTES >> 20];
    match bytes.len() > MOST_BYTES {
        true => Err(format!("{found} MB; a model's {what} has at most {most}")),
        false => Ok(()),
    }
}
