//! The embedded data sets: size, balance, and nothing that stands twice.

use std::collections::{HashMap, HashSet};

use emberlab_core::data::{BadRows, Columns, Dataset, Format, NamedColumns, Table};

use crate::support::{bytes, root};

const SPLITS: [&str; 3] = ["train", "eval", "test"];

fn load(set: &str) -> Vec<Dataset> {
    let load = |split: &str| {
        let name = format!("data/{set}/{split}.jsonl");
        let (bytes, mut bad) = (bytes(&root().join(&name)), BadRows::Refuse);
        let table = Table::parse(&name, &bytes, &Format::Jsonl, &mut bad).unwrap();
        let columns = Columns::guess(&table, NamedColumns::default()).unwrap();
        Dataset::from_table(&table, &columns, None, &mut bad).unwrap()
    };
    SPLITS.into_iter().map(load).collect()
}

/// Runs of letters and digits, in lower case.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_string).collect()
}

fn shingles(words: &[String], size: usize) -> HashSet<String> {
    words.windows(size.min(words.len()).max(1)).map(|window| window.join(" ")).collect()
}

/// Pairs of texts whose shingles overlap by at least `limit` (Jaccard), found through an index.
fn near_duplicates(texts: &[&str], size: usize, limit: f64) -> Vec<(String, String)> {
    let sets: Vec<HashSet<String>> = texts.iter().map(|t| shingles(&words(t), size)).collect();
    let mut index: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut pairs = Vec::new();
    for (row, set) in sets.iter().enumerate() {
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for shingle in set {
            let rows = index.entry(shingle).or_default();
            rows.iter().for_each(|&other| *shared.entry(other).or_default() += 1);
            rows.push(row);
        }
        for (other, both) in shared {
            let either = set.len() + sets[other].len() - both;
            if both as f64 >= limit * either as f64 {
                pairs.push((texts[other].into(), texts[row].into()));
            }
        }
    }
    pairs
}

fn nothing_twice(splits: &[Dataset], size: usize, limit: f64) {
    let texts: Vec<&str> =
        splits.iter().flat_map(|split| split.texts.first.iter().map(String::as_str)).collect();
    let pairs = near_duplicates(&texts, size, limit);
    assert!(pairs.is_empty(), "{} near-duplicates, e.g. {:?}", pairs.len(), pairs[0]);
}

#[test]
fn emotions_are_many_balanced_and_distinct() {
    let splits = load("emotions");
    let rows: usize = splits.iter().map(|split| split.texts.len()).sum();
    assert!(rows >= 1200, "{rows}");
    for split in &splits {
        let names = ["anger", "fear", "joy", "love", "sadness", "surprise"];
        assert_eq!(split.label_map.names(), names);
        let counts = split.label_counts();
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(*most as f64 <= 1.1 * *least as f64, "{}: {counts:?}", split.name);
    }
    assert!(splits[1].texts.len() * 20 >= rows && splits[2].texts.len() * 10 >= rows);
    nothing_twice(&splits, 3, 0.5);
}

#[test]
fn most_emotions_are_not_named() {
    let stems = ["sad", "joy", "lov", "ang", "fear", "surpris"];
    let splits = load("emotions");
    let all = splits.iter().flat_map(|split| &split.texts.first);
    let named = |text: &&String| words(text).iter().any(|w| stems.iter().any(|s| w.starts_with(s)));
    let (count, named) = (all.clone().count(), all.filter(named).count());
    assert!(named * 4 < count, "{named} of {count} name an emotion");
}

#[test]
fn spam_is_2000_mails_none_twice() {
    let splits = load("spam");
    let rows: Vec<usize> = splits.iter().map(|split| split.texts.len()).collect();
    assert_eq!(rows, [1400, 300, 300]);
    for split in &splits {
        assert_eq!(split.label_map.names(), ["ham", "spam"]);
        let spam = split.label_counts()[1] as f64 / split.texts.len() as f64;
        assert!((0.2..0.4).contains(&spam), "{}: {spam}", split.name);
    }
    nothing_twice(&splits, 4, 0.6);
}
