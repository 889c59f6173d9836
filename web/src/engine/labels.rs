//! Labels of rows, and labels of models.

use emberlab_core::{Result, data::LabelMap, model::ModelFiles};

/// The classes to train a model for: its own where it knows all of `labels`, so that its head goes on
/// from where it is; else those, in a fixed order.
pub fn for_training(files: &ModelFiles, labels: &[String]) -> Result<LabelMap> {
    let known = files.config()?.label_map("config.json").ok().flatten();
    let knows_all = |map: &LabelMap| labels.iter().all(|label| map.names().contains(label));
    match known.filter(knows_all) {
        Some(map) => Ok(map),
        None => LabelMap::from_labels("your rows", labels.iter().map(String::as_str)),
    }
}

/// A label that the model does not have would not be noticed by a GPU.
pub fn check(
    texts: &[String],
    labels: &[usize],
    known: &LabelMap,
) -> std::result::Result<(), String> {
    if texts.is_empty() || texts.len() != labels.len() {
        let (texts, labels) = (texts.len(), labels.len());
        return Err(format!("{texts} texts with {labels} labels; each text needs one."));
    }
    match labels.iter().find(|&&label| label >= known.len()) {
        Some(label) => Err(format!("Label {label} is not one of the model's {}.", known.len())),
        None => Ok(()),
    }
}
