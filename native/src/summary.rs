//! What `emberlab train` prints at its end.

use std::path::Path;
use std::time::Duration;

use emberlab_core::metrics::Metrics;

use crate::figures::metrics_table;
use crate::report::{bytes, clock, counted, shell_word};
use crate::run_record::{RunRecord, Status};

/// What a person sees at the end.
pub fn render(record: &RunRecord, metrics: &[(&'static str, Metrics)], out: &Path) -> String {
    let folder = out.display().to_string();
    let mut text = match metrics.last() {
        Some((split, figures)) => {
            format!("{split}: {}\n\n{}\n", counted(figures.rows(), "row"), metrics_table(figures))
        }
        None => "nothing was measured: no --eval or --test rows, or not yet\n\n".to_owned(),
    };
    if record.status == Status::Interrupted {
        text.push_str(&format!(
            "interrupted after step {} of {}; go on: emberlab train --resume {}\n",
            record.steps,
            record.total_steps,
            shell_word(&folder)
        ));
    }
    let time = |seconds| clock(Duration::from_secs_f64(seconds));
    let memory = record.peak_memory_bytes.map_or_else(|| "unknown".to_owned(), bytes);
    text.push_str(&format!(
        "time    {} training, {} evaluating\nmemory  {memory} at most\nsaved   {folder} (the weights after step {})\n\n\
         try it: emberlab predict --model {} --text 'your text'\n",
        time(record.train_seconds),
        time(record.evaluation_seconds),
        record.weights_step.unwrap_or(record.steps),
        shell_word(&folder),
    ));
    text
}
