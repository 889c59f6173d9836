//! Memory on the way to a refusal: at most twice the file and 64 MB, whatever a file claims or holds.

use std::{fs, io::Write, thread::sleep, time::Duration};

use flate2::{Compression, write::GzEncoder};

use super::{folder::WEIGHTS, sound};
use crate::{
    command::{Ran, Scratch, classifier},
    support::say,
};

const MB: usize = 1 << 20;
/// Small enough to be held in memory as rows, were it well-formed.
const SIZE: usize = 64 * MB;

const TRAIN: &str = "train --model model --out run --train";
const PREDICT: &str = "predict --model bad --text hello";

/// `start`, then `again` as often as it fits in [`SIZE`] bytes, then `end`.
fn filled(start: &str, again: &str, end: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SIZE + end.len());
    bytes.extend_from_slice(start.as_bytes());
    let times = (SIZE - start.len()) / again.len();
    bytes.extend(again.bytes().cycle().take(times * again.len()));
    bytes.extend_from_slice(end.as_bytes());
    bytes
}

/// `start`, then lines that `line` makes of their number until there are [`SIZE`] bytes, then `end`.
fn counted(start: &str, line: impl Fn(usize) -> String, end: &str) -> Vec<u8> {
    let mut bytes = start.as_bytes().to_vec();
    let mut lines = (0..).map(line);
    while bytes.len() < SIZE {
        bytes.extend(lines.next().unwrap().into_bytes());
    }
    bytes.extend_from_slice(end.as_bytes());
    bytes
}

/// Runs a command that refuses `file`; prints and bounds its peak of memory.
fn bounded(scratch: &Scratch, line: &str, file: &str, says: &str) {
    let size = scratch.path(file).metadata().unwrap().len() as usize;
    let mut command = scratch.command(line.split_whitespace());
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    // What `wait4` says of a child is no less than what this process held when it started it.
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(held(&fs::read_to_string(&status).unwrap_or_default()).unwrap_or_default());
        sleep(Duration::from_millis(1));
    }
    let said = Ran::from(child.wait_with_output().unwrap()).error();
    say(&format!("{file}: {} MB, refused with {} MB at most\n", size / MB, peak / MB));
    assert!(peak > 0, "{file}: it ended before its memory was seen");
    assert!(said.contains(says), "{file}: it does not say \"{says}\": {said}");
    assert!(peak <= 2 * size + 64 * MB, "{file} of {} MB took {} MB", size / MB, peak / MB);
}

/// The most that a process has held so far (`VmHWM`), in bytes.
fn held(status: &str) -> Option<usize> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()? * 1024)
}

#[test]
fn data_files() {
    let cases: [(&str, Vec<u8>, &str); 18] = [
        ("quote.csv", filled("text,label\n\"", "a", ""), "line 2: a row of more than 8 MB"),
        ("endless.csv", filled("text,label\n", "a", ""), "line 2: a row of more than 8 MB"),
        ("commas.csv", filled("text,label\n", ",", ""), "line 2: more than 10000 cells"),
        ("header.csv", filled("", "a,", ""), "line 1: more than 10000 cells"),
        ("columns.csv", counted("", |n| format!("c{n},"), "\n"), "line 1: more than 10000 cells"),
        ("late.csv", filled("text,label\n", "lovely words,praise\n", "\na\n"), ": 1 cells where"),
        ("endless.jsonl", filled("{\"text\": \"", "a", ""), "line 1: a row of more than 8 MB"),
        (
            "keys.jsonl",
            counted("", |n| format!("{{\"k{n}\": 1}}\n"), ""),
            "more than 10000 columns",
        ),
        (
            "names.jsonl",
            counted("", |n| format!("{{\"{n:064000}\": 1}}\n"), ""),
            "line 1: a column's name has more than 1000 bytes",
        ),
        (
            "name.csv",
            filled(&format!("{}\n", "a".repeat(4 * MB)), "b\n", ""),
            "line 1: a column's name",
        ),
        (
            "numbers.json",
            filled("{\"a\":[0", ",0", "]}"),
            "line 1: a row of more than 250000 values",
        ),
        ("object.json", filled("{\n\"a\":[0", ",0", "]}"), "line 1: one object over several lines"),
        (
            "squad.json",
            filled("{\"data\":[{\"paragraphs\":[{\"context\":\"a\",\"qas\":[{}", ",{}", "]}]}]}"),
            "line 1: more values than questions can have",
        ),
        ("deep.json", filled("", "[", ""), "line 1: a row of more than 8 MB"),
        ("cut-off.json", filled("[{\"text\": \"a\"}", ",{\"text\": \"a\"}", "{"), "not valid JSON"),
        ("endless.txt", filled("", "a", "\0"), "line 1: a row of more than 8 MB"),
        ("endless.conll", filled("", "a O\n", ""), "line 1: a row of more than 8 MB"),
        ("garbage.parquet", filled("PAR1", "\u{15}\u{1}\u{7f}", "\0\0\u{7f}\0PAR1"), "Parquet"),
    ];
    for (name, content, says) in cases {
        let scratch = sound();
        scratch.write(name, content);
        bounded(&scratch, &format!("{TRAIN} {name}"), name, says);
    }
}

/// A file of a megabyte that unpacks to a gigabyte.
#[test]
fn a_packed_file_that_unpacks_without_end() {
    let scratch = sound();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(b"text,label\n").unwrap();
    let piece = vec![b'a'; MB];
    (0..1024).for_each(|_| packed.write_all(&piece).unwrap());
    scratch.write("bomb.csv.gz", packed.finish().unwrap());
    bounded(&scratch, &format!("{TRAIN} bomb.csv.gz"), "bomb.csv.gz", "a row of more than 8 MB");
}

#[test]
fn model_files() {
    let header = |json: Vec<u8>| [&(json.len() as u64).to_le_bytes()[..], &json[..]].concat();
    let word = |n: usize| format!("w{n}\n");
    let entry = |n: usize| format!("\"w{n}\":{n},");
    let vocabulary = "{\"version\":\"1.0\",\"model\":{\"type\":\"WordPiece\",\"vocab\":{";
    let cases: [(&str, Vec<u8>, &str); 12] = [
        ("config.json", filled("", "[", ""), "config.json: 64 MB"),
        ("config.json", filled("{\"a\":[0", ",0", "]}"), "config.json: 64 MB"),
        ("adapter_config.json", filled("{\"a\":[0", ",0", "]}"), "adapter_config.json: 64 MB"),
        ("vocab.txt", counted("", word, ""), "but vocab_size is 120"),
        ("vocab.txt", filled("", "a", ""), "vocab.txt: line 1 is no word"),
        ("tokenizer.json", filled("", "[", ""), "not a readable tokenizer.json"),
        ("tokenizer.json", filled("{\"a\":[0", ",0", ""), "not a readable tokenizer.json"),
        ("tokenizer.json", counted(vocabulary, entry, ""), "not a readable tokenizer.json"),
        (
            "tokenizer.json",
            counted(vocabulary, entry, "\"z\":0}}}"),
            "entries, but vocab_size is 120",
        ),
        ("tokenizer.json", filled("{\"decoder\":[0", ",0", "]}"), "more than 10000 values"),
        (WEIGHTS, header(filled("{", " ", "}")), "header too large"),
        (WEIGHTS, filled("", "\u{7f}", ""), "header too large"),
    ];
    for (file, content, says) in cases {
        let scratch = sound();
        for (name, content) in classifier() {
            scratch.write(&format!("bad/{name}"), content);
        }
        scratch.write(&format!("bad/{file}"), content);
        bounded(&scratch, PREDICT, &format!("bad/{file}"), says);
    }
}

/// What is asked of the record of a run is little, whatever else is in it.
#[test]
fn the_record_of_a_run() {
    let scratch = sound();
    scratch.write("bad/run.json", filled("{\"status\":\"running\",\"a\":[0", ",0", "]}"));
    bounded(&scratch, PREDICT, "bad/run.json", "bad holds a run that did not end");
}
