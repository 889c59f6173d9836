//! What a model has embeddings for.

use super::BertConfig;
use crate::{Error, Result, text::Encoding};

/// Checks on the host what no device would: a wrong id on a GPU is silent garbage, or the end of the
/// process without a word of the row.
///
/// # Errors
/// [`Error::BadSetting`] for a text longer than the model's positions, or an id it has no embedding
/// for; [`Error::BadTokenizer`] for a text without a token.
pub(super) fn check(encodings: &[Encoding], config: &BertConfig) -> Result<()> {
    let bad = |name, value: usize, reason| {
        Err(Error::BadSetting { name, value: value.to_string(), reason })
    };
    let longest = encodings.iter().map(|encoding| encoding.ids.len()).max().unwrap_or(0);
    let positions = config.max_length();
    if longest > positions {
        return bad("max_length", longest, format!("the model has {positions} positions"));
    }
    let token_types = config.token_types().unwrap_or(usize::MAX);
    for (row, encoding) in encodings.iter().enumerate() {
        if encoding.ids.is_empty() {
            return Err(Error::BadTokenizer {
                name: "tokenizer.json".into(),
                reason: format!(
                    "gives no token for row {row}, as it has no post_processor that puts special tokens around a text; leave empty texts out"
                ),
            });
        }
        for (name, ids, limit) in [
            ("input_ids", &encoding.ids, config.vocab_size),
            ("token_type_ids", &encoding.type_ids, token_types),
        ] {
            let most = ids.iter().fold(0, |most, &id| id.max(most)) as usize;
            if most >= limit {
                let reason = format!("row {row} has it, but the model has {limit} of them");
                return bad(name, most, reason);
            }
        }
    }
    Ok(())
}
