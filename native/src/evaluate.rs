//! `emberlab evaluate`: a classifier's figures on labelled rows.

use anyhow::Result;
use emberlab_core::data::{Columns, Dataset};
use emberlab_core::metrics::ClassificationMetrics;

use crate::cli::EvaluateArgs;
use crate::inference::Inference;
use crate::report::{counted, json, metrics_table, print};
use crate::{Outcome, files};

/// Runs the command.
pub fn run(args: &EvaluateArgs) -> Result<Outcome> {
    let table = files::read_data(&args.data)?.table;
    let (text, label) = (args.columns.text_column.as_deref(), args.columns.label_column.as_deref());
    let columns = Columns::guess(&table, text, label)?;
    let inference = Inference::open(args.model.as_deref(), &args.inference)?;
    let labels = inference.classifier.label_map();
    let dataset = Dataset::from_table(&table, &columns, Some(labels))?;
    let predictions = inference.predict(&dataset.texts)?;
    let predicted: Vec<usize> = predictions.iter().map(|prediction| prediction.label()).collect();
    let metrics = ClassificationMetrics::new(&dataset.labels, &predicted, labels);
    if args.json {
        print(json(&metrics)?)?;
    } else {
        let rows = counted(metrics.rows, "row");
        print(format_args!("{}: {rows}\n\n{}", args.data.display(), metrics_table(&metrics)))?;
    }
    Ok(Outcome::Completed)
}
