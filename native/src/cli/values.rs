//! Values on the command line that Clap has no parser for.

use clap::builder::{PossibleValuesParser, StringValueParser, TypedValueParser};
use emberlab_core::data::Task;
use emberlab_core::model::StorageDtype;
use emberlab_core::train::Schedule;

/// The name of a storage type.
pub fn storage_dtype() -> impl TypedValueParser<Value = StorageDtype> {
    PossibleValuesParser::new(["f32", "f16", "bf16"]).map(|name| match name.as_str() {
        "f16" => StorageDtype::F16,
        "bf16" => StorageDtype::Bf16,
        _ => StorageDtype::F32,
    })
}

/// The name of a task, as transformers has it.
pub fn task() -> impl TypedValueParser<Value = Task> {
    PossibleValuesParser::new(Task::ALL.map(Task::name))
        .map(|name| Task::from_name(&name).unwrap_or_default())
}

/// The name of a schedule.
pub fn schedule() -> impl TypedValueParser<Value = Schedule> {
    PossibleValuesParser::new(Schedule::ALL.map(Schedule::name))
        .map(|name| Schedule::from_name(&name).unwrap_or_default())
}

/// A whole number of at least 1.
pub fn positive() -> impl TypedValueParser<Value = usize> {
    StringValueParser::new().try_map(|value| match value.parse::<usize>() {
        Ok(0) | Err(_) => Err("must be a whole number of at least 1"),
        Ok(number) => Ok(number),
    })
}

/// A number of minutes above 0.
pub fn minutes() -> impl TypedValueParser<Value = f64> {
    StringValueParser::new().try_map(|value| match value.parse::<f64>() {
        Ok(number) if number > 0.0 && number <= 1e6 => Ok(number),
        _ => Err("must be a number above 0, such as 5 or 0.5"),
    })
}

/// One ASCII character, `\t` and `tab` for a tab.
pub fn delimiter() -> impl TypedValueParser<Value = u8> {
    StringValueParser::new().try_map(|value| match (value.as_str(), value.as_bytes()) {
        (r"\t" | "tab", _) => Ok(b'\t'),
        (_, &[byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Ok(byte),
        _ => Err("must be one character, such as ; or | or \\t, and no quote or line break"),
    })
}
