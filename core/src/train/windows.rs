//! The rows that batches are made of: all there are in memory, or a window of a file, or masked anew.

use super::{LabelledRows, Rows, TrainConfig, Trainer, targets::checked};
use crate::{
    Result,
    text::{plan_epoch, stream, window},
};

impl Trainer {
    /// Rows that are shuffled together: all there are in memory, else whole steps of a file.
    pub(super) fn window_rows(&self) -> usize {
        match &self.rows {
            Rows::Memory(rows) => rows.encodings.len(),
            Rows::File(_) => self.config.window_rows(),
        }
    }

    /// The rows that the plan counts.
    pub(super) fn present(&self) -> &LabelledRows {
        match &self.rows {
            Rows::Memory(rows) => rows,
            Rows::File(_) => &self.window,
        }
    }

    /// Reads a window, where rows come from a file, and plans its batches, unless that is done.
    pub(super) fn plan_window(&mut self, epoch: usize, index: usize) -> Result<()> {
        if self.planned == Some((epoch, index)) {
            return Ok(());
        }
        self.planned = None;
        let TrainConfig { batch_size, seed, .. } = self.config;
        if let Rows::File(file) = &self.rows {
            // The old window makes room first.
            self.window = LabelledRows::new(file.task());
            let size = self.config.window_rows();
            let mut rows = LabelledRows::new(file.task());
            for part in window(file.len(), size, index, seed, epoch as u64) {
                file.read(part, &mut rows)?;
            }
            self.window = checked(rows, &self.setup)?;
        }
        if let Some(masked) = &self.masked {
            self.rows = Rows::Memory(checked(masked.in_epoch(seed, epoch), &self.setup)?);
        }
        let lengths: Vec<usize> = self.present().encodings.iter().map(|e| e.ids.len()).collect();
        let positions = self.setup.max_length();
        let stream = stream(epoch as u64, index);
        self.plan = plan_epoch(&lengths, batch_size, positions, seed, stream);
        self.planned = Some((epoch, index));
        Ok(())
    }
}
