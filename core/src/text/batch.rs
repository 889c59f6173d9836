//! A batch of encoded texts, on the host and on a device.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{kernels::Kernels, text::Encoding};

/// Added to the attention scores of padding: its softmax weight becomes exactly 0 in f32.
pub(crate) const MASKED: f32 = -1.0e4;

/// What a model wants to be given besides the ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputFormat {
    pub pad_token_id: u32,
    /// Whether it looks at segment ids; all are 0 where not.
    pub token_types: bool,
    /// Whether positions count from `pad_token_id + 1`, and padding, wherever it stands, has the
    /// position `pad_token_id`: transformers' `create_position_ids_from_input_ids` of RoBERTa.
    pub counts_from_padding: bool,
    /// Whether the head sees the mean of all tokens of a row.
    pub mean_pooling: bool,
    /// Whether the head sees each token.
    pub every_token: bool,
}

/// Rows on the host, one after the other, without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// `[tokens]`
    pub input_ids: Vec<i32>,
    /// `[tokens]`
    pub token_type_ids: Vec<i32>,
    /// `[tokens]`
    position_ids: Vec<i32>,
    /// Where each row begins among the tokens, and where the last one ends: `[rows + 1]`.
    pub offsets: Vec<usize>,
    /// The row of each word that is tagged, and its first token there; or of each token, where the head
    /// sees them all.
    words: Vec<(usize, usize)>,
    /// The length that rows are padded to where they must be.
    seq_len: usize,
    format: InputFormat,
}

/// A batch on a device. All tokens stand in one dimension, row after row.
#[derive(Clone, Debug)]
pub struct BatchTensors {
    /// `[tokens]`
    pub input_ids: Tensor<1, Int>,
    /// `[tokens]`
    pub token_type_ids: Tensor<1, Int>,
    /// The place of each token in its row, as the model counts, `[tokens]`.
    pub position_ids: Tensor<1, Int>,
    /// Where each row begins, `[rows]`.
    pub first_tokens: Tensor<1, Int>,
    /// What multiplies tokens to the means of their rows, `[rows, tokens]`, where the model wants it.
    pub means: Option<Tensor<2>>,
    /// Tokens of the longest row, or as many as rows are padded to.
    pub longest: usize,
    /// The first token of each word that is tagged, `[words]`, or each token.
    pub words: Tensor<1, Int>,
    pub layout: Layout,
}

/// How rows lie in the dimension of tokens.
#[derive(Clone, Debug)]
pub enum Layout {
    /// Without padding, as our own kernels take them: `offsets` `[rows + 1]`.
    #[cfg(feature = "kernels")]
    Packed { offsets: Tensor<1, Int> },
    /// All padded to `seq_len`, as Burn's operations need them: `attention_bias`
    /// `[rows, 1, 1, seq]` is 0 for a token and a large negative number for padding.
    Padded { seq_len: usize, attention_bias: Tensor<4> },
}

impl InputFormat {
    fn push_positions(self, ids: &[u32], out: &mut Vec<i32>) {
        let pad = self.pad_token_id as i32;
        if !self.counts_from_padding {
            return out.extend(0..ids.len() as i32);
        }
        let mut last = pad;
        out.extend(ids.iter().map(|&id| {
            if id == self.pad_token_id {
                return pad;
            }
            last += 1;
            last
        }));
    }
}

impl Batch {
    /// Takes `encodings[row]` for each of `rows`.
    pub fn collate(
        encodings: &[Encoding],
        rows: &[usize],
        seq_len: usize,
        format: InputFormat,
    ) -> Self {
        let tokens = rows.iter().map(|&row| encodings[row].ids.len()).sum();
        let mut batch = Self {
            input_ids: Vec::with_capacity(tokens),
            token_type_ids: Vec::with_capacity(tokens),
            position_ids: Vec::with_capacity(tokens),
            offsets: vec![0],
            words: Vec::new(),
            seq_len,
            format,
        };
        for (row, encoding) in rows.iter().map(|&row| &encodings[row]).enumerate() {
            match format.every_token {
                true => batch.words.extend((0..encoding.ids.len()).map(|token| (row, token))),
                false => batch.words.extend(encoding.words.iter().map(|word| (row, word.token))),
            }
            batch.input_ids.extend(encoding.ids.iter().map(|&id| id as i32));
            let types = encoding.type_ids.iter();
            let known = |&id: &u32| if format.token_types { id as i32 } else { 0 };
            batch.token_type_ids.extend(types.map(known));
            format.push_positions(&encoding.ids, &mut batch.position_ids);
            batch.offsets.push(batch.input_ids.len());
        }
        batch
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The number of tokens.
    pub fn tokens(&self) -> usize {
        self.input_ids.len()
    }

    /// The number of words that are tagged.
    pub(crate) fn words(&self) -> usize {
        self.words.len()
    }

    /// Moves the batch to a device, in the layout that `kernels` take.
    pub(crate) fn to_device(&self, kernels: Kernels, device: &Device) -> BatchTensors {
        let ids = |ids: Vec<i32>| {
            let length = ids.len();
            Tensor::<1, Int>::from_data(TensorData::new(ids, [length]), device)
        };
        let (rows, seq_len) = (self.rows(), self.seq_len);
        let padded_starts: Vec<usize> = (0..rows).map(|row| row * seq_len).collect();
        match kernels {
            #[cfg(feature = "kernels")]
            Kernels::Own => BatchTensors {
                input_ids: ids(self.input_ids.clone()),
                token_type_ids: ids(self.token_type_ids.clone()),
                position_ids: ids(self.position_ids.clone()),
                first_tokens: ids(self.offsets[..rows].iter().map(|&o| o as i32).collect()),
                means: self.means(&self.offsets, self.tokens(), device),
                longest: self.lengths().max().unwrap_or(0),
                words: ids(self.first_tokens_of_words(|row| self.offsets[row])),
                layout: Layout::Packed {
                    offsets: ids(self.offsets.iter().map(|&offset| offset as i32).collect()),
                },
            },
            Kernels::Burn => BatchTensors {
                input_ids: ids(self.padded(&self.input_ids, self.format.pad_token_id as i32)),
                token_type_ids: ids(self.padded(&self.token_type_ids, 0)),
                position_ids: ids(self.padded(&self.position_ids, 0)),
                first_tokens: ids(padded_starts.iter().map(|&start| start as i32).collect()),
                words: ids(self.first_tokens_of_words(|row| row * seq_len)),
                means: self.means(&padded_starts, rows * seq_len, device),
                longest: seq_len,
                layout: Layout::Padded { seq_len, attention_bias: self.attention_bias(device) },
            },
        }
    }

    /// The place of each word's first token, where a row begins at `start`.
    fn first_tokens_of_words(&self, start: impl Fn(usize) -> usize) -> Vec<i32> {
        self.words.iter().map(|&(row, token)| (start(row) + token) as i32).collect()
    }

    fn lengths(&self) -> impl Iterator<Item = usize> {
        self.offsets.windows(2).map(|bounds| bounds[1] - bounds[0])
    }

    /// `[rows * seq_len]`
    fn padded(&self, values: &[i32], padding: i32) -> Vec<i32> {
        let mut padded = vec![padding; self.rows() * self.seq_len];
        for (row, bounds) in padded.chunks_mut(self.seq_len.max(1)).zip(self.offsets.windows(2)) {
            row[..bounds[1] - bounds[0]].copy_from_slice(&values[bounds[0]..bounds[1]]);
        }
        padded
    }

    /// Of rows that begin at `starts` among `tokens` tokens.
    fn means(&self, starts: &[usize], tokens: usize, device: &Device) -> Option<Tensor<2>> {
        if !self.format.mean_pooling {
            return None;
        }
        let mut means = vec![0.0f32; self.rows() * tokens];
        for ((row, length), start) in self.lengths().enumerate().zip(starts) {
            means[row * tokens + start..][..length].fill(1.0 / length as f32);
        }
        Some(Tensor::from_data(TensorData::new(means, [self.rows(), tokens]), device))
    }

    fn attention_bias(&self, device: &Device) -> Tensor<4> {
        let row = |length| (0..self.seq_len).map(move |at| if at < length { 0.0 } else { MASKED });
        let bias: Vec<f32> = self.lengths().flat_map(row).collect();
        Tensor::from_data(TensorData::new(bias, [self.rows(), 1, 1, self.seq_len]), device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_one_after_the_other_and_are_padded_where_they_must_be() {
        let encoding = |ids: &[u32]| {
            let type_ids = vec![1; ids.len()];
            Encoding { ids: ids.into(), type_ids, ..Encoding::default() }
        };
        let encodings = [encoding(&[5, 6, 7]), encoding(&[8]), encoding(&[9, 10])];
        let format = InputFormat { pad_token_id: 3, token_types: true, ..InputFormat::default() };
        let batch = Batch::collate(&encodings, &[2, 0], 4, format);
        assert_eq!(batch.input_ids, [9, 10, 5, 6, 7]);
        assert_eq!(batch.position_ids, [0, 1, 0, 1, 2]);
        assert_eq!(batch.offsets, [0, 2, 5]);
        assert_eq!((batch.rows(), batch.tokens()), (2, 5));
        assert_eq!(batch.padded(&batch.input_ids, 3), [9, 10, 3, 3, 5, 6, 7, 3]);
        assert_eq!(batch.padded(&batch.token_type_ids, 0), [1, 1, 0, 0, 1, 1, 1, 0]);
    }

    #[test]
    fn positions_of_roberta_count_from_padding_and_pass_it_over() {
        let ids = vec![0, 7, 1, 1, 8, 2];
        let encodings = [Encoding { type_ids: vec![1; ids.len()], ids, ..Encoding::default() }];
        let format =
            InputFormat { pad_token_id: 1, counts_from_padding: true, ..InputFormat::default() };
        let batch = Batch::collate(&encodings, &[0], 8, format);
        assert_eq!(batch.position_ids, [2, 3, 1, 1, 4, 5]);
        assert_eq!(batch.token_type_ids, [0; 6]);
    }
}
