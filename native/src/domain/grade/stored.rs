//! What a grader's folder says of it beside the model: `grading.json`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use emberlab_core::metrics::GradingMetrics;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Grader;
use crate::cli::GradeSettings;
use crate::files::staged::StagedFolder;
use crate::files::{self, RUN_FILE};
use crate::run::folder::terms_files;
use crate::run::record::Origin;
use crate::terminal::json as pretty;

const FILE: &str = "grading.json";

#[derive(Debug, Serialize, Deserialize)]
pub struct About {
    pub method: String,
    /// Outputs are parts of it.
    pub max_score: f32,
    pub threshold: f32,
    pub max_length: usize,
}

pub fn write(
    folder: &StagedFolder,
    grader: &Grader,
    origin: &Origin,
    settings: &GradeSettings,
    metrics: &GradingMetrics,
    base_model: &Path,
) -> Result<()> {
    for (name, bytes) in grader.to_files()? {
        folder.write(&name, &bytes)?;
    }
    for terms in terms_files(base_model)? {
        folder.copy(&terms)?;
    }
    let about = About {
        method: grader.method().to_owned(),
        max_score: grader.most,
        threshold: grader.threshold,
        max_length: grader.max_length,
    };
    folder.write(FILE, pretty(&about)?.as_bytes())?;
    let run = json!({
        "status": "completed",
        "command": origin.command,
        "arguments": origin.arguments,
        "working_folder": origin.working_folder,
        "started_at": origin.started_at,
        "emberlab": env!("CARGO_PKG_VERSION"),
        "base_model": base_model,
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
        "seed": settings.seed,
        "max_length": grader.max_length,
        "metrics": metrics,
    });
    folder.write(RUN_FILE, pretty(&run)?.as_bytes())
}

/// # Errors
/// The folder is none that `emberlab grade train` wrote.
pub fn read(folder: &Path) -> Result<About> {
    let path = folder.join(FILE);
    ensure!(
        path.is_file(),
        "{} holds no grader ({FILE}); make one: emberlab grade train --data FILE --out DIR",
        folder.display()
    );
    serde_json::from_slice(&files::read(&path)?).with_context(|| path.display().to_string())
}
