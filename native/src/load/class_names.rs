//! The names of `ClassLabel` columns, from what describes a folder: `dataset_info.json`, or the YAML at
//! the head of its `README.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;

use crate::files::front_matter;
use crate::terminal::note_once;

/// The classes of each such column, in the order of their ids.
pub type ClassNames = BTreeMap<String, Vec<String>>;

/// Descriptions of a data set, in the order in which they are believed.
pub const DESCRIPTIONS: [&str; 2] = ["dataset_info.json", "README.md"];

/// Each level of YAML begins a column further to the right at least. The crate (0.3.4) goes down by recursion, which
/// ends the process some thousand levels deep.
const DEEPEST: usize = 200;

/// What the descriptions of a folder state; nothing where there are none. One that cannot be read is
/// said, and keeps nobody from the rows.
pub fn of_folder(folder: &Path) -> ClassNames {
    let text = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let unreadable = |name: &str, error: &dyn std::fmt::Display| {
        note_once(format_args!(
            "{}: no class names are read from it: {error}",
            folder.join(name).display()
        ));
        ClassNames::new()
    };
    let [info, card] = DESCRIPTIONS;
    if let Some(text) = text(info) {
        return match serde_json::from_str::<Value>(&text) {
            Ok(about) => class_names(&about["features"]),
            Err(error) => unreadable(info, &error),
        };
    }
    let named = of_card(&text(card).unwrap_or_default());
    named.unwrap_or_else(|error| unreadable(card, &error))
}

/// Those of a dataset card.
///
/// # Errors
/// The YAML at its head is none.
pub fn of_card(text: &str) -> Result<ClassNames> {
    let Some((head, _)) = front_matter(text, "---") else { return Ok(ClassNames::new()) };
    let begins = |line: &str| line.find(|c| !matches!(c, ' ' | '-' | '?')).unwrap_or(line.len());
    if let Some(index) = head.lines().position(|line| begins(line) > DEEPEST) {
        bail!("line {}: too deep", index + 2);
    }
    let documents = Yaml::load_from_str(head)?;
    Ok(documents.first().map_or_else(ClassNames::new, of_configurations))
}

/// Those of features as `datasets` writes them in JSON.
pub fn class_names(features: &Value) -> ClassNames {
    let names = |feature: &Value| -> Option<Vec<String>> {
        // Of a list, those of its items.
        let feature = feature.get("feature").unwrap_or(feature);
        let names = feature["names"].as_array().filter(|_| feature["_type"] == "ClassLabel")?;
        names.iter().map(|name| Some(name.as_str()?.to_owned())).collect()
    };
    let features = features.as_object().into_iter().flatten();
    features.filter_map(|(column, feature)| Some((column.clone(), names(feature)?))).collect()
}

/// `dataset_info` of a dataset card: one, or one for each configuration. A column on which
/// configurations differ is left without names.
fn of_configurations(card: &Yaml) -> ClassNames {
    let Some(info) = card.as_mapping_get("dataset_info") else { return ClassNames::new() };
    let infos: Vec<&Yaml> = match info.as_sequence() {
        Some(several) => several.iter().collect(),
        None => vec![info],
    };
    let mut found: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
    let features = infos.iter().filter_map(|info| info.as_mapping_get("features")?.as_sequence());
    for feature in features.flatten() {
        let name = feature.as_mapping_get("name").and_then(Yaml::as_str);
        let (Some(column), Some(names)) = (name, names_of(feature)) else { continue };
        let known = found.entry(column.to_owned()).or_insert_with(|| Some(names.clone()));
        if known.as_ref() != Some(&names) {
            *known = None;
        }
    }
    found.into_iter().filter_map(|(column, names)| Some((column, names?))).collect()
}

/// `dtype: class_label: names: '0': …`, or a list of names; of a column of lists, `sequence` or `list` in
/// place of `dtype`.
fn names_of(feature: &Yaml) -> Option<Vec<String>> {
    let class_label = ["dtype", "sequence", "list"]
        .into_iter()
        .find_map(|kind| feature.as_mapping_get(kind)?.as_mapping_get("class_label"));
    let names = class_label?.as_mapping_get("names")?;
    // `yes`, `1` and the like are names here.
    let word = |yaml: &Yaml| match yaml.as_integer() {
        Some(number) => Some(number.to_string()),
        None => yaml.as_str().map(str::to_owned),
    };
    if let Some(list) = names.as_sequence() {
        return list.iter().map(word).collect();
    }
    let mut named = names
        .as_mapping()?
        .iter()
        .map(|(id, name)| Some((word(id)?.parse::<usize>().ok()?, word(name)?)))
        .collect::<Option<Vec<_>>>()?;
    named.sort_unstable();
    // An id that is left out would move all that follow.
    let whole = named.iter().enumerate().all(|(index, (id, _))| index == *id);
    whole.then(|| named.into_iter().map(|(_, name)| name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(String, String)> {
        let names = of_card(text).unwrap().into_iter();
        names.map(|(column, names)| (column, names.join(" "))).collect()
    }

    #[test]
    fn names_in_a_dataset_card() {
        let features = "  features:\n  - name: text\n    dtype: string\n  - name: label\n    dtype:\n      \
             class_label:\n        names:\n          '1': pos\n          '0': neg\n";
        let card = format!("---\nlanguage: [en]\ndataset_info:\n{features}---\n# About\n");
        assert_eq!(of(&card), [("label".into(), "neg pos".into())]);
        let one = |name: &str, class: &str| {
            format!(
                "- config_name: {name}\n  features:\n  - name: label\n    dtype:\n      class_label:\n        \
                 names: [neg, {class}]\n"
            )
        };
        let several =
            |second: &str| format!("---\ndataset_info:\n{}{second}---\n", one("a", "pos"));
        assert_eq!(of(&several(&one("b", "pos"))), [("label".into(), "neg pos".into())]);
        assert_eq!(of(&several(&one("b", "other"))), []);
        assert_eq!(of("# About\n"), []);
    }

    #[test]
    fn depth_is_refused_by_its_line() {
        let levels: String = (0..5000).map(|level| " ".repeat(level) + "a:\n").collect();
        for (deep, line) in [(levels, 203), ("- ".repeat(100_000), 2)] {
            let error = of_card(&format!("---\n{deep}\n---\n")).unwrap_err().to_string();
            assert_eq!(error, format!("line {line}: too deep"));
        }
        of_card(&format!("---\n{}\n---\n", "[".repeat(100_000))).unwrap_err();
    }
}
