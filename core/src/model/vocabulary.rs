//! A model's folder with more words: their rows of the embeddings begin as the mean of what the words
//! were made of (Hewitt 2021, <https://nlp.stanford.edu/~johnhew/vocab-expansion.html>, by word).

use super::{HostTensor, ModelFiles, StorageDtype, names, storage};
use crate::{Error, Result};

/// Tensors that have a row, or a number, for each piece.
const WITH_ROWS: [&str; 4] = [
    "embeddings.word_embeddings.weight",
    "cls.predictions.decoder.weight",
    "cls.predictions.decoder.bias",
    "cls.predictions.bias",
];

impl ModelFiles {
    /// The files of the same model with these whole words in its vocabulary, stored as f32. Rows that
    /// were there keep their values to the last bit; that of a new word is the mean of the rows of its
    /// pieces. The new ids follow the rows that are there.
    ///
    /// # Errors
    /// [`Error::BadTokenizer`] for another tokenizer than WordPiece or a word that it has, and whatever
    /// is wrong with a file, by name.
    pub fn with_words(&self, words: &[String]) -> Result<Vec<(String, Vec<u8>)>> {
        let config = self.config()?;
        let old = self.tokenizer(&config)?;
        let pieces = words.iter().map(|word| old.pieces_of(word)).collect::<Result<Vec<_>>>()?;
        let new = old.with_words(words, config.vocab_size)?;
        let weights = self.weights(names::current)?;
        let tensor = |(key, shape): (&String, &[usize])| {
            let values = weights.values(key)?;
            let tensor = HostTensor { key: key.clone(), shape: shape.to_vec(), values };
            let has_rows = WITH_ROWS.iter().any(|end| key.ends_with(end));
            Ok(if has_rows { with_rows(tensor, &pieces) } else { tensor })
        };
        let tensors = weights.tensors().map(tensor).collect::<Result<Vec<_>>>()?;
        if !tensors.iter().any(|tensor| tensor.key.ends_with(WITH_ROWS[0])) {
            let (name, key) = (self.weights_name(), WITH_ROWS[0].to_owned());
            return Err(Error::TensorMissing { name, key });
        }
        Ok(vec![
            ("config.json".into(), config.with_vocab_size(config.vocab_size + words.len())?),
            ("tokenizer.json".into(), new.to_json()?),
            ("tokenizer_config.json".into(), self.tokenizer_config(&config)),
            (Self::WEIGHTS.into(), storage::encode(&tensors, StorageDtype::F32)?),
        ])
    }
}

/// A tensor with a row more for each of `words`, which are lists of rows that are there.
fn with_rows(mut tensor: HostTensor, words: &[Vec<u32>]) -> HostTensor {
    let width: usize = tensor.shape[1..].iter().product();
    for pieces in words {
        let count = pieces.len().max(1) as f64;
        let mean = |column: usize| {
            let rows = pieces.iter().map(|&row| tensor.values[row as usize * width + column]);
            (rows.map(f64::from).sum::<f64>() / count) as f32
        };
        let row: Vec<f32> = (0..width).map(mean).collect();
        tensor.values.extend(row);
    }
    tensor.shape[0] += words.len();
    tensor
}
