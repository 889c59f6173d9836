//! What `emberlab train` prints at its end.

use std::path::Path;
use std::time::Duration;

use emberlab_core::data::Task;
use emberlab_core::metrics::Evaluation;

use crate::run::record::{RunRecord, Status};
use crate::terminal::figures::evaluation_table;
use crate::terminal::{bytes, clock, counted, shell_word};

/// What a person sees at the end.
pub fn render(
    record: &RunRecord,
    evaluations: &[(&'static str, Evaluation)],
    out: &Path,
) -> String {
    let folder = out.display().to_string();
    let mut text = match evaluations.last() {
        Some((split, figures)) => {
            let rows = counted(figures.metrics.rows(), "row");
            format!("{split}: {rows}\n\n{}\n", evaluation_table(figures))
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
    if let Some(calibration) = &record.calibration {
        text.push_str(&format!(
            "temperature {:.3}, fitted on {}\n",
            calibration.fit.temperature, calibration.fitted_on
        ));
    }
    if let [seed] = record.origin.seeds[..] {
        text.push_str(&format!(
            "seed    {seed} alone; --seeds 3 would say how far others differ\n"
        ));
    }
    let time = |seconds| clock(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    let memory = record.peak_memory_bytes.map_or_else(|| "unknown".to_owned(), bytes);
    let pair = record.data.first().is_some_and(|split| split.text_pair_column.is_some());
    let other_half = match record.task {
        Task::QuestionAnswering => " --text-pair 'its context'",
        _ if pair => " --text-pair 'its other half'",
        _ => "",
    };
    text.push_str(&format!(
        "time    {} training, {} evaluating\nmemory  {memory} at most\nsaved   {folder} (the weights after step {})\n\n\
         try it: emberlab predict --model {} --text 'your text'{other_half}\n",
        time(record.train_seconds),
        time(record.evaluation_seconds),
        record.weights_step.unwrap_or(record.steps),
        shell_word(&folder),
    ));
    text
}
