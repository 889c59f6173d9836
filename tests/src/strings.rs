//! What the page says is complete in every language, and nothing is said that nobody needs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::support::root;

type Strings = BTreeMap<String, String>;

/// The page's own, and those that are loaded with the scripts of `web/teach/`.
const FOLDERS: [&str; 2] = ["web/strings", "web/teach/strings"];

fn strings(folder: &str, language: &str) -> Strings {
    let path = root().join(folder).join(language).with_extension("json");
    let text = fs::read_to_string(&path).unwrap();
    let strings: Strings = serde_json::from_str(&text).unwrap();
    // Of a key that stands twice, the second hides the first.
    for key in strings.keys() {
        let times = text.matches(&format!("\"{key}\":")).count();
        assert_eq!(times, 1, "{key} in {}", path.display());
    }
    strings
}

/// `{name}` and the like.
fn places(said: &str) -> BTreeSet<&str> {
    said.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

#[test]
fn every_language_says_everything() {
    for folder in FOLDERS {
        let (english, german) = (strings(folder, "en"), strings(folder, "de"));
        assert_eq!(
            english.keys().collect::<Vec<_>>(),
            german.keys().collect::<Vec<_>>(),
            "both files have the same keys"
        );
        for (key, said) in &english {
            assert!(!german[key].trim().is_empty(), "{key} is empty in German");
            assert_eq!(places(said), places(&german[key]), "{key}");
        }
    }
}

/// What stands in quotes in the page's and the engines' sources, and in `index.html`.
fn quoted() -> BTreeSet<String> {
    let mut sources = vec![root().join("index.html")];
    for folder in ["page", "engine"] {
        rust_files(&root().join("web/src").join(folder), &mut sources);
    }
    let text: Vec<String> = sources.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    text.iter().flat_map(|text| text.split('"')).map(String::from).collect()
}

fn rust_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn what_is_said_is_written_and_what_is_written_is_said() {
    let (english, quoted) = (strings(FOLDERS[0], "en"), quoted());
    let unused: Vec<&String> =
        english.keys().filter(|key| !quoted.contains(key.trim_end_matches(".one"))).collect();
    assert_eq!(unused, Vec::<&String>::new(), "strings that nothing says");

    // A key has a group that the file knows, a point and small letters.
    let groups: BTreeSet<&str> = english.keys().filter_map(|key| key.split('.').next()).collect();
    let is_key = |word: &&String| {
        let (group, rest) = word.split_once('.').unwrap_or_default();
        groups.contains(group)
            && !rest.is_empty()
            && rest.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '.'))
    };
    let files = ["model.safetensors"];
    let missing: Vec<&String> = quoted
        .iter()
        .filter(is_key)
        .filter(|word| !english.contains_key(*word) && !files.contains(&word.as_str()))
        .collect();
    assert_eq!(missing, Vec::<&String>::new(), "strings that are said but not written");
}

/// A step of the lesson says its title and what it is about; all else stands in quotes.
#[test]
fn what_scripts_say_is_written_and_what_is_written_is_said() {
    let english = strings(FOLDERS[1], "en");
    let scripts =
        fs::read_dir(root().join("web/teach")).unwrap().map(|entry| entry.unwrap().path());
    let scripts = scripts.filter(|path| path.extension().is_some_and(|ending| ending == "js"));
    let text: String = scripts.map(|path| fs::read_to_string(path).unwrap()).collect();
    for key in english.keys() {
        let (group, rest) = key.split_once('.').unwrap();
        let of_step =
            ["title", "about"].contains(&rest) && text.contains(&format!("id: \"{group}\""));
        let composed =
            text.contains(&format!("say(`{group}.${{")) && text.contains(&format!("\"{rest}\""));
        assert!(of_step || composed || text.contains(&format!("\"{key}\"")), "nothing says {key}");
    }
    let both: Vec<Strings> = vec![english, strings(FOLDERS[0], "en")];
    for said in text.split("say(\"").skip(1) {
        let (key, _) = said.split_once('"').unwrap();
        assert!(both.iter().any(|strings| strings.contains_key(key)), "{key} is not written");
    }
}
