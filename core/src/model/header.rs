//! What the `safetensors` crate does not check of a header.

use std::{collections::HashSet, fmt};

use serde::{
    Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};

/// Fails where a key stands twice: of two such tensors, one reader takes the first and another the
/// last.
pub(super) fn check_keys(header: &[u8]) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_slice(header);
    json.deserialize_map(DistinctKeys)?;
    json.end()
}

struct DistinctKeys;

impl<'de> Visitor<'de> for DistinctKeys {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value::<IgnoredAny>()?;
            if let Some(key) = seen.replace(key) {
                return Err(A::Error::custom(format_args!("\"{key}\" stands twice")));
            }
        }
        Ok(())
    }
}
