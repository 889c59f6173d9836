//! `emberlab evaluate`: a classifier's figures on labelled rows.

use anyhow::Result;
use emberlab_core::data::Dataset;
use emberlab_core::metrics::Evaluation;

use crate::Outcome;
use crate::cli::EvaluateArgs;
use crate::files::hub;
use crate::inference::Inference;
use crate::load::{DataFiles, Loader, Source};
use crate::terminal::figures::evaluation_table;
use crate::terminal::{counted, json, print};

/// Runs the command.
pub fn run(args: &EvaluateArgs) -> Result<Outcome> {
    let source = source(args)?;
    let mut loader = Loader::new(&args.read);
    let loaded = loader.load(&source)?;
    loaded.selected.note_clamped(&source);
    let table = loaded.table;
    loader.columns(&table, None)?.require_label(&table)?;
    let inference = Inference::open(args.model.as_deref(), &args.inference)?
        .version_2_with_negative(args.version_2_with_negative);
    let columns = loader.columns(&table, Some(inference.classifier.task()))?;
    let labels = inference.classifier.label_map();
    let dataset = Dataset::from_table(&table, &columns, Some(labels), &mut loader.bad)?;
    loader.report_skipped();
    let predictions = inference.predict(&dataset.texts)?;
    let evaluation = Evaluation::new(&dataset.targets, &predictions, labels);
    if args.json {
        print(json(&evaluation)?)?;
    } else {
        let rows = counted(evaluation.metrics.rows(), "row");
        print(format_args!("{source}: {rows}\n\n{}", evaluation_table(&evaluation)))?;
    }
    Ok(Outcome::Completed)
}

/// What to measure on: of several splits `test`, unless one is named.
fn source(args: &EvaluateArgs) -> Result<Source> {
    let split = args.split.as_deref();
    let source = Source::with_split(&hub::dataset(&args.data, split.or(Some("test")))?, split);
    if source.split.is_some() || !source.path.is_dir() {
        return Ok(source);
    }
    let files = DataFiles::find(&source.path)?;
    let several = files.splits.len() > 1 && files.has("test");
    Ok(Source { split: several.then(|| "test".to_owned()), ..source })
}
