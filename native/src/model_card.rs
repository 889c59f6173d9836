//! The `README.md` of a run folder, as model hubs read it.

use std::fmt::Write;

use emberlab_core::metrics::ClassificationMetrics;

use crate::hub;
use crate::plan::recipe_line;
use crate::report::{clock, counted, metrics_table};
use crate::run_record::{RunRecord, Status};

/// The card of a run, with its figures by split.
pub fn render(record: &RunRecord, metrics: &[(&'static str, ClassificationMetrics)]) -> String {
    let base = &record.base_model.path;
    let name = || base.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let base = hub::id_of(base).unwrap_or_else(name);
    let mut card = front_matter(&base);
    // Writing to a String cannot fail.
    let _ = write!(
        card,
        "\n# Text classifier fine-tuned from {base}\n\nClasses: {}.\n",
        record.labels.join(", ")
    );
    if record.status == Status::Interrupted {
        let _ = write!(
            card,
            "\n**Interrupted** after {} of {} steps.\n",
            record.steps, record.total_steps
        );
    }
    card.push_str("\n## Measured\n");
    if metrics.is_empty() {
        card.push_str("\nNothing.\n");
    }
    for (split, metrics) in metrics {
        let _ = write!(
            card,
            "\nOn `{split}` ({}):\n\n```\n{}```\n",
            counted(metrics.rows, "row"),
            metrics_table(metrics)
        );
    }
    card.push_str("\n## Data\n\n| split | rows | file | SHA-256 |\n| --- | ---: | --- | --- |\n");
    for split in &record.data {
        let _ = writeln!(
            card,
            "| {} | {} | `{}{}` | `{}` |",
            split.split,
            split.rows,
            split.path.display(),
            split.instruction.as_ref().map_or_else(String::new, |rows| format!(" {rows}")),
            split.sha256
        );
    }
    let seconds = std::time::Duration::from_secs_f64(record.train_seconds);
    let _ = write!(
        card,
        "\n## Recipe\n\n{}.\n{} in {} on {} ({}), with emberlab {} and Burn {}.\n\n```sh\n{}\n```\n",
        recipe_line(&record.recipe, record.max_length),
        counted(record.steps, "step"),
        clock(seconds),
        record.device.chosen,
        record.device.name,
        record.emberlab,
        record.burn,
        record.origin.command,
    );
    card.push_str(
        "\n## Use\n\n```python\nfrom transformers import pipeline\n\
         print(pipeline(\"text-classification\", model=\"this/folder\")(\"some text\"))\n```\n",
    );
    card
}

fn front_matter(base: &str) -> String {
    format!(
        "---\nlibrary_name: transformers\npipeline_tag: text-classification\nbase_model: {}\n\
         tags:\n- text-classification\n- emberlab\nmetrics:\n- accuracy\n- f1\n---\n",
        serde_json::Value::from(base) // a JSON string is a YAML string, whatever is in it
    )
}
