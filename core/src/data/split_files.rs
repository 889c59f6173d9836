//! Which files of a folder make which split, by the names that `load_dataset(folder)` looks for.
//!
//! Source: `get_data_patterns` of the Python library `datasets`: sharded files in `data/` first, then
//! the names of folders, then those of files; where none speaks of a split, all is `train`.

/// The usual splits, with the words that name them. They come first, in this order.
const KEYWORDS: [(&str, &[&str]); 3] = [
    ("train", &["train", "training"]),
    ("validation", &["validation", "valid", "dev", "val"]),
    ("test", &["test", "testing", "eval", "evaluation"]),
];
/// What may stand before and after such a word.
const SEPARATORS: &str = "-._ 0123456789";
/// Files that describe a data set and hold none.
const IGNORED: [&str; 6] = [
    "README.md",
    "config.json",
    "dataset_info.json",
    "dataset_infos.json",
    "dummy_data.zip",
    "dataset_dict.json",
];

/// A split and its files, sorted by name.
pub type SplitFiles = (String, Vec<String>);

/// Sorts the files of a folder, given as paths in it with `/`, into splits. Hidden files, files in
/// hidden folders or in folders named `__…`, and descriptions are left out.
pub fn split_files(paths: &[String]) -> Vec<SplitFiles> {
    let mut files: Vec<&str> =
        paths.iter().map(String::as_str).filter(|path| !is_ignored(path)).collect();
    files.sort_unstable();
    let sharded = sharded(&files);
    if !sharded.is_empty() {
        return sharded;
    }
    for in_folder_names in [true, false] {
        let found = by_keyword(&files, in_folder_names);
        if !found.is_empty() {
            return found;
        }
    }
    match files.is_empty() {
        true => Vec::new(),
        false => vec![("train".into(), files.into_iter().map(str::to_owned).collect())],
    }
}

fn is_ignored(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    path.split('/').any(|part| part.starts_with('.'))
        || folders.split('/').any(|part| part.starts_with("__"))
        || IGNORED.contains(&name)
}

/// `data/<split>-00000-of-00002….<ending>`
fn sharded(files: &[&str]) -> Vec<SplitFiles> {
    let mut splits: Vec<SplitFiles> = Vec::new();
    for file in files {
        let Some(split) = file.strip_prefix("data/").and_then(shard_of) else { continue };
        match splits.iter_mut().find(|(name, _)| name == split) {
            Some((_, files)) => files.push((*file).to_owned()),
            None => splits.push((split.to_owned(), vec![(*file).to_owned()])),
        }
    }
    let rank = |name: &str| KEYWORDS.iter().position(|(split, _)| *split == name);
    splits.sort_by_key(|(name, _)| (rank(name).unwrap_or(KEYWORDS.len()), name.clone()));
    splits
}

/// The split that the name of a shard begins with.
fn shard_of(name: &str) -> Option<&str> {
    let (before, after) = name.split_once("-of-")?;
    let (split, number) = before.rsplit_once('-')?;
    let number_ends = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
    let five_digits = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
    let proper = five_digits(number) && number_ends >= 5 && after[5..].contains('.');
    (proper && !name.contains('/') && !split.is_empty()).then_some(split)
}

fn by_keyword(files: &[&str], in_folder_names: bool) -> Vec<SplitFiles> {
    let splits = KEYWORDS.iter().map(|(split, keywords)| {
        let named =
            |file: &&&str| keywords.iter().any(|word| speaks_of(file, word, in_folder_names));
        let files: Vec<String> =
            files.iter().filter(named).map(|file| (*file).to_owned()).collect();
        ((*split).to_owned(), files)
    });
    splits.filter(|(_, files)| !files.is_empty()).collect()
}

/// The class of a text file that lies in a folder named after it, as `train/pos/1.txt`: the folder's
/// name, unless it speaks of a split.
pub fn class_folder(path: &str) -> Option<&str> {
    let (folders, _) = path.rsplit_once('/')?;
    let folder = folders.rsplit('/').next()?;
    let keywords = KEYWORDS.iter().flat_map(|(_, keywords)| *keywords);
    let is_split =
        folder == "data" || keywords.into_iter().any(|word| has_word(folder, word, true));
    (!is_split).then_some(folder)
}

/// Whether a file's name, or that of a folder it lies in, holds a word as a whole. A file's name
/// must go on after it.
fn speaks_of(path: &str, word: &str, in_folder_names: bool) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    match in_folder_names {
        true => folders.split('/').any(|folder| has_word(folder, word, true)),
        false => has_word(name, word, false),
    }
}

fn has_word(name: &str, word: &str, may_end: bool) -> bool {
    name.match_indices(word).any(|(at, _)| {
        let before = name[..at].chars().next_back();
        let after = name[at + word.len()..].chars().next();
        before.is_none_or(|c| SEPARATORS.contains(c))
            && after.map_or(may_end, |c| SEPARATORS.contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Folders in all shapes are held to `datasets` in `tests/src/data/`.

    #[test]
    fn folders_speak_before_files() {
        let files = ["test/train.csv", "README.md", "train/a.csv"].map(str::to_owned);
        let found = split_files(&files);
        assert_eq!(found[0], ("train".into(), vec!["train/a.csv".to_owned()]));
        assert_eq!(found[1], ("test".into(), vec!["test/train.csv".to_owned()]));
        assert!(split_files(&[]).is_empty());
    }

    #[test]
    fn classes_are_folders_that_are_no_split() {
        assert_eq!(class_folder("train/pos/1.txt"), Some("pos"));
        assert_eq!(class_folder("pos/1.txt"), Some("pos"));
        assert_eq!(class_folder("train/1.txt"), None);
        assert_eq!(class_folder("1.txt"), None);
    }
}
