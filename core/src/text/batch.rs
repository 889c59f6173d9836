//! A padded batch, on the host and on a device.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::text::Encoding;

/// Added to the attention scores of padding: its softmax weight becomes exactly 0 in f32.
const MASKED: f32 = -1.0e4;

/// Rows padded to one length, on the host. All vectors are row-major `[batch, seq_len]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub seq_len: usize,
    pub input_ids: Vec<i32>,
    pub token_type_ids: Vec<i32>,
    /// 1 for a token, 0 for padding.
    pub attention_mask: Vec<u8>,
}

/// A batch on a device.
#[derive(Clone, Debug)]
pub struct BatchTensors {
    /// `[batch, seq]`
    pub input_ids: Tensor<2, Int>,
    /// `[batch, seq]`
    pub token_type_ids: Tensor<2, Int>,
    /// `[batch, 1, 1, seq]`: 0 for a token, a large negative number for padding.
    pub attention_bias: Tensor<4>,
}

impl Batch {
    /// Pads `encodings[row]` for each of `rows` on the right to `seq_len`.
    pub fn collate(
        encodings: &[Encoding],
        rows: &[usize],
        seq_len: usize,
        pad_token_id: u32,
    ) -> Self {
        let size = rows.len() * seq_len;
        let mut batch = Self {
            seq_len,
            input_ids: vec![pad_token_id as i32; size],
            token_type_ids: vec![0; size],
            attention_mask: vec![0; size],
        };
        for (index, &row) in rows.iter().enumerate() {
            let start = index * seq_len;
            let tokens = encodings[row].ids.iter().zip(&encodings[row].type_ids);
            for (place, (&id, &type_id)) in (start..start + seq_len).zip(tokens) {
                batch.input_ids[place] = id as i32;
                batch.token_type_ids[place] = type_id as i32;
                batch.attention_mask[place] = 1;
            }
        }
        batch
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.input_ids.len() / self.seq_len.max(1)
    }

    /// The number of tokens that are not padding.
    pub fn tokens(&self) -> usize {
        self.attention_mask.iter().map(|&mask| usize::from(mask)).sum()
    }

    /// Moves the batch to a device.
    pub fn to_device(&self, device: &Device) -> BatchTensors {
        let (rows, seq_len) = (self.rows(), self.seq_len);
        let ids = |values: &[i32]| {
            Tensor::from_data(TensorData::new(values.to_vec(), [rows, seq_len]), device)
        };
        let bias = self.attention_mask.iter().map(|&mask| if mask == 1 { 0.0 } else { MASKED });
        let bias: Vec<f32> = bias.collect();
        BatchTensors {
            input_ids: ids(&self.input_ids),
            token_type_ids: ids(&self.token_type_ids),
            attention_bias: Tensor::from_data(TensorData::new(bias, [rows, 1, 1, seq_len]), device),
        }
    }
}
