//! The names of `ClassLabel` columns, from what describes a folder: `dataset_info.json`, or the YAML at
//! the head of its `README.md`.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
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

/// Of a description that are read. Ten thousand classes take less than half of it; as values, it takes many times its
/// bytes.
const MOST_BYTES: usize = 1 << 20;

/// What the descriptions of a folder state; nothing where there are none. One that cannot be read is
/// said, and keeps nobody from the rows.
pub fn of_folder(folder: &Path) -> ClassNames {
    let [info, card] = DESCRIPTIONS.map(|name| folder.join(name));
    let (path, found) = match beginning(&info) {
        Ok(Some(bytes)) => (info, of_info(&bytes)),
        Err(error) => (info, Err(error)),
        Ok(None) => {
            let bytes = beginning(&card).map(Option::unwrap_or_default);
            (card, bytes.and_then(|bytes| of_beginning(&bytes)))
        }
    };
    found.unwrap_or_else(|error| {
        let path = path.display();
        note_once(format_args!("{path}: no class names are read from it: {error:#}"));
        ClassNames::new()
    })
}

/// The first bytes of a file, one more than may be; none where there is no such file.
fn beginning(path: &Path) -> Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Those of `dataset_info.json`.
fn of_info(bytes: &[u8]) -> Result<ClassNames> {
    ensure!(bytes.len() <= MOST_BYTES, "more than {} MB", MOST_BYTES >> 20);
    Ok(class_names(&serde_json::from_slice::<Value>(bytes)?["features"]))
}

/// Those of a dataset card that may be cut off, as its prose may have any length.
fn of_beginning(bytes: &[u8]) -> Result<ClassNames> {
    let whole_lines = match bytes.len() > MOST_BYTES {
        true => bytes.iter().rposition(|&byte| byte == b'\n').unwrap_or(0),
        false => bytes.len(),
    };
    of_card(std::str::from_utf8(&bytes[..whole_lines]).context("not valid UTF-8")?)
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
    // The crate counts what aliases stand for by its values, of which each may be long.
    let anchors: HashSet<&str> = names_after(head, '&').collect();
    if let Some(alias) = names_after(head, '*').find(|name| anchors.contains(name)) {
        bail!("aliases are not read; write out what *{alias} stands for");
    }
    let documents = Yaml::load_from_str(head)?;
    Ok(documents.first().map_or_else(ClassNames::new, of_configurations))
}

/// Names that may be those of anchors, where `mark` is `&`, or of aliases, where it is `*`; each up to what ends it or,
/// for both alike, to a mark in it.
fn names_after(head: &str, mark: char) -> impl Iterator<Item = &str> {
    let ends = |c: char| c.is_whitespace() || ",[]{}".contains(c);
    let after = head.match_indices(mark).map(|(at, _)| &head[at + 1..]);
    let named = after.filter(move |rest| !rest.starts_with(ends));
    named.filter_map(move |rest| rest.split(|c| ends(c) || "&*:".contains(c)).next())
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

    #[test]
    fn aliases_are_refused() {
        for alias in ["a: &a long\nb: [*a,*a]", "a: &a:& long\n*a:& : 1", "a: &x\n  - 1\nb: *x"] {
            let error = of_card(&format!("---\n{alias}\n---\n")).unwrap_err().to_string();
            assert!(error.contains("aliases are not read"), "{alias}: {error}");
        }
        of_card("---\nabout: Q & A, **R&D**\nmore: |\n  * a & b\n  *a* &amp;\n---\n").unwrap();
    }

    #[test]
    fn descriptions_have_an_end() {
        let card = format!("---\nlicense: mit\n---\n{}", "a long line\n".repeat(MOST_BYTES / 10));
        assert_eq!(of_beginning(&card.as_bytes()[..MOST_BYTES + 1]).unwrap(), ClassNames::new());
        assert!(of_beginning(b"---\na: \xff\n---\n").is_err());
        let large = format!("[0{}]", ",0".repeat(MOST_BYTES / 2));
        assert_eq!(of_info(large.as_bytes()).unwrap_err().to_string(), "more than 1 MB");
    }
}
