//! Malformed data files.

use std::fs::create_dir;

use super::{GOOD, refused, sound};
use crate::support::{bytes, fixture};

/// A file's name, what is in it, and how the message goes on after the name.
type Case = (&'static str, &'static [u8], &'static str);

/// What no command can read.
const UNREADABLE: [Case; 53] = [
    ("empty.csv", b"", ": no rows"),
    ("empty.jsonl", b" \n\n", ": no rows"),
    ("header-only.csv", b"text,label\n", ": no rows"),
    ("no-text.csv", b"id,label\n1,praise\n", ": no text column; it has: id, label."),
    ("no-text.jsonl", b"{\"id\": 1, \"label\": \"praise\"}\n", ": no text column"),
    ("short.csv", b"text,label\na,praise\nb\n", ", line 3: 1 cells where the header names 2"),
    ("long.tsv", b"text\tlabel\na\tpraise\tb\n", ", line 2: 3 cells where the header names 2"),
    ("windows.csv", b"text,label\r\na,praise\r\nb\r\n", ", line 3: 1 cells"),
    ("gaps.csv", b"text,label\n\n\na,praise\n\nb\n", ", line 6: 1 cells"),
    ("multiline.csv", b"text,label\n\"a\nb\",praise\nc\n", ", line 4: 1 cells"),
    ("open-quote.csv", b"text,label\n\"a,praise\nb,other\n", ", line 2: 1 cells"),
    ("open-label.csv", b"text,label\na,praise\nb,\"other\nc,praise\n", ", line 3: a quote opens"),
    ("open-header.csv", b"\"text,label\na,praise\n", ", line 1: a quote opens"),
    ("two-texts.csv", b"text,label,text\na,praise,b\n", ", line 1: column \"text\" stands twice"),
    ("latin-1.csv", b"text,label\na,praise\nb\xe9,other\n", ", line 3: not valid UTF-8"),
    ("utf-16.csv", b"\xff\xfet\0e\0x\0t\0\n\0a\0\n\0", ", line 1: not valid UTF-8"),
    ("utf-16-unmarked.csv", b"t\0e\0x\0t\0\n\0a\0\n\0", ", line 1: holds a NUL byte"),
    ("nul.csv", b"text,label\na,praise\nb\0,other\n", ", line 3: holds a NUL byte"),
    ("nul.jsonl", b"{\"text\": \"a\"}\n{\"text\": \"\0\"}\n", ", line 2: holds a NUL byte"),
    (
        "broken.jsonl",
        b"{\"text\": \"a\"}\n{\"text\": }\n",
        ", line 2: not valid JSON: expected value at column 10",
    ),
    ("cut-off.jsonl", b"{\"text\": \"a\"}\n\n{\"text\": \"b", ", line 3: not valid JSON"),
    ("two-in-a-line.jsonl", b"{\"text\": \"a\"} {\"text\": \"b\"}\n", ", line 1: not valid JSON"),
    ("list.jsonl", b"{\"text\": \"a\"}\n[\"b\", \"other\"]\n", ", line 2: not a JSON object"),
    ("whole-list.jsonl", b"[{\"text\": \"a\"}, {\"text\": \"b\"}]", ", line 1: not a JSON object"),
    (
        "number.jsonl",
        b"{\"text\": \"a\", \"label\": \"praise\"}\n{\"text\": 7, \"label\": \"other\"}\n",
        ", line 2: \"text\" is not a string",
    ),
    (
        "absent.jsonl",
        b"{\"text\": \"a\", \"label\": \"praise\"}\n{\"label\": \"other\"}\n",
        ", line 2: \"text\" is missing",
    ),
    (
        "null.jsonl",
        b"{\"text\": \"a\", \"label\": \"praise\"}\n{\"text\": null, \"label\": \"other\"}\n",
        ", line 2: \"text\" is missing",
    ),
    ("blank.csv", b"text,label\na,praise\n  ,other\n", ", line 3: \"text\" is empty"),
    ("empty.txt", b"\n \n", ": no rows"),
    ("latin-1.txt", b"a\nb\xe9\n", ", line 2: not valid UTF-8"),
    ("nul.txt", b"a\nb\0\n", ", line 2: holds a NUL byte"),
    ("empty.json", b" \n", ": no rows"),
    ("no-items.json", b"[]", ": no rows"),
    (
        "broken.json",
        b"[{\"text\": \"a\"},\n{\"text\": }]",
        ", line 2: not valid JSON: expected value",
    ),
    (
        "no-comma.json",
        b"[{\"text\": \"a\"}\n{\"text\": \"b\"}]",
        ", line 2: not valid JSON: expected `,`",
    ),
    (
        "cut-off.json",
        b"[{\"text\": \"a\"},\n{\"text\": \"b\"}",
        ", line 2: not valid JSON: the file ends",
    ),
    ("more.json", b"[{\"text\": \"a\"}]\n[]", ", line 2: not valid JSON: something follows"),
    ("numbers.json", b"[{\"text\": \"a\"},\n7]", ", line 2: not a JSON object"),
    (
        "absent.json",
        b"[{\"text\": \"a\", \"label\": \"praise\"},\n{\"label\": \"b\"}]",
        ", line 2: \"text\" is missing",
    ),
    ("word.json", b"\"text\"", ", line 1: not an array of objects"),
    ("latin-1.json", b"[{\"text\": \"a\"},\n{\"text\": \"\xe9\"}]", ", line 2: not valid UTF-8"),
    (
        "nested.json",
        b"{\n\"data\": [{\"text\": \"a\"}]\n}",
        ", line 1: one object over several lines, not rows; name the field",
    ),
    ("empty.parquet", b"", ": not a readable Parquet file"),
    ("text.parquet", b"text,label\na,praise\n", ": not a readable Parquet file"),
    ("rows", b"text,label\na,praise\n", ": cannot tell the format from the name"),
    ("rows.csv.xz", b"\x1f\x8b", ": cannot tell the format from the name"),
    ("no-tag.conll", b"EU B-ORG\nrejects\n", ", line 2: a word without a tag"),
    ("latin-1.conll", b"EU B-ORG\n\xe9 O\n", ", line 2: not valid UTF-8"),
    ("nul.conll", b"EU B-ORG\n\0 O\n", ", line 2: holds a NUL byte"),
    ("old-mac.conll", b"EU B-ORG\rrejects O\r", ", line 1: lines end in \\r, as on old Macs"),
    ("empty.conll", b"\n \n", ": no rows"),
    ("not-packed.csv.gz", b"text,label\na,praise\n", "\n  invalid gzip header"),
    ("cut-off.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x2b\x49", "\n  "),
];

/// What only a command that needs labels refuses.
const UNLABELLED: [Case; 11] = [
    ("none.csv", b"text,mood\na,praise\n", ": no label column; it has: text, mood."),
    ("semicolons.csv", b"text;label\na;praise\n", ": no text column; it has: text;label."),
    ("lines.txt", b"a\nb\n", ": no label column; it has: text."),
    ("empty.csv", b"text,label\na,praise\nb,\n", ", line 3: \"label\" is empty"),
    ("blank.tsv", b"text\tlabel\na\t \n", ", line 2: \"label\" is empty"),
    (
        "missing.jsonl",
        b"{\"text\": \"a\", \"label\": \"praise\"}\n{\"text\": \"b\"}\n",
        ", line 2: \"label\" is missing",
    ),
    ("null.jsonl", b"{\"text\": \"a\", \"label\": null}\n", ", line 1: \"label\" is missing"),
    // Such labels alone would be scores and sets.
    (
        "float.jsonl",
        b"{\"text\": \"b\", \"label\": \"praise\"}\n{\"text\": \"a\", \"label\": 0.5}\n",
        ", line 2: \"label\" is neither",
    ),
    ("huge.jsonl", b"{\"text\": \"a\", \"label\": 1e40}\n", ", line 1: \"label\" is neither"),
    (
        "list.jsonl",
        b"{\"text\": \"b\", \"label\": \"praise\"}\n{\"text\": \"a\", \"label\": [\"praise\"]}\n",
        ", line 2: \"label\" is neither",
    ),
    (
        "object.jsonl",
        b"{\"text\": \"a\", \"label\": {\"praise\": 1}}\n",
        ", line 1: \"label\" is neither",
    ),
];

/// The cases below.
pub fn count() -> usize {
    UNREADABLE.len() + UNLABELLED.len()
}

const TRAIN: &str = "train --model model --out run --train";
const EVALUATE: &str = "evaluate --model model --data";
const PREDICT: &str = "predict --model model --output out.jsonl --input";

fn each_is_refused(cases: &[Case], commands: &[&str]) {
    for (name, content, says) in cases {
        let scratch = sound();
        scratch.write(name, content);
        for command in commands {
            refused(&scratch, &format!("{command} {name}"), &format!("{name}{says}"));
        }
    }
}

/// Parquet that other libraries write, and what is left of it when a download ends early.
#[test]
fn parquet_that_cannot_be_read() {
    let whole = bytes(&fixture("formats/rows.parquet"));
    let mut damaged = whole.clone();
    damaged[60..120].fill(0xff);
    for (name, content, says) in [
        ("cut-off.parquet", whole[..whole.len() - 9].to_vec(), ": not a readable Parquet file"),
        ("beginning.parquet", whole[..100].to_vec(), ": not a readable Parquet file"),
        ("damaged.parquet", damaged, ", row 1: "),
        (
            "brotli.parquet",
            bytes(&fixture("formats/brotli.parquet")),
            ": compressed in a way that is not supported",
        ),
        (
            "lz4.parquet",
            bytes(&fixture("formats/lz4.parquet")),
            ": compressed in a way that is not supported",
        ),
    ] {
        let scratch = sound();
        scratch.write(name, content);
        for command in [TRAIN, EVALUATE, PREDICT] {
            refused(&scratch, &format!("{command} {name}"), &format!("{name}{says}"));
        }
    }
}

/// Where the rows are is as wrong as the rows can be.
#[test]
fn places_that_are_not_there() {
    let scratch = sound();
    scratch.write("field.json", "{\"version\": 1, \"rows\": [{\"text\": \"a\"}]}");
    scratch.write("set/train.csv", GOOD);
    scratch.write("set/test.csv", GOOD);
    scratch.write("classes/praise/a.txt", "lovely");
    scratch.write("classes/billing/b.txt", b"who pays\xff");
    for (rest, says) in [
        ("field.json --field data", "field.json, line 1: no field \"data\"; it has: version, rows"),
        ("field.json --field version", "field.json, line 1: not an array of objects"),
        ("good.csv[:0]", "split \"train[:0]\": selects no row (train has 4)"),
        ("good.csv[9:]", "split \"train[9:]\": selects no row"),
        ("good.csv[2]", "split \"train[2]\": \"train[2]\" is not of the form split[from:to]"),
        ("absent.csv[:2]", "cannot read absent.csv[:2]"),
        ("set", "set holds several splits (train, test); say which"),
        ("classes", "classes/billing/b.txt: not valid UTF-8"),
    ] {
        for command in [TRAIN, PREDICT] {
            refused(&scratch, &format!("{command} {rest}"), says);
        }
    }
    for (line, says) in [
        (
            "evaluate --model model --data set --split dev",
            "split \"dev\": no split \"dev\"; there is: train, test",
        ),
        (
            "train --model model --out run --data set --train all[:5]",
            "no split \"all\"; there is: train, test",
        ),
        (
            &format!("{TRAIN} good.csv --delimiter ;"),
            "good.csv: no text column; it has: text,label. Name one with --text-column, or the delimiter with --delimiter ','",
        ),
        ("data absent.csv", "cannot read absent.csv"),
        ("data set --split nothing", "no split \"nothing\""),
    ] {
        refused(&scratch, line, says);
    }
}

#[test]
fn unreadable_files() {
    each_is_refused(&UNREADABLE, &[TRAIN, EVALUATE, PREDICT]);
}

#[test]
fn files_without_proper_labels() {
    each_is_refused(&UNLABELLED, &[TRAIN, EVALUATE]);
}

#[test]
fn one_class_is_nothing_to_learn() {
    let case = (
        "same.csv",
        &b"text,label\na,praise\nb,praise\n"[..],
        ": a classifier needs at least two labels; found only \"praise\"",
    );
    each_is_refused(&[case], &[TRAIN]);
}

#[test]
fn labels_that_training_did_not_have() {
    let scratch = sound();
    scratch.write("held-out.csv", "text,label\na,praise\n\"b\nc\",thanks\nd,other\n");
    for split in ["eval", "test"] {
        let line = format!("{TRAIN} good.csv --{split} held-out.csv");
        refused(
            &scratch,
            &line,
            "held-out.csv, line 3: label \"thanks\" is not one of: billing, praise",
        );
    }
    scratch.write("stars.csv", "text,label\na,1\nb,2\n");
    scratch.write("zero.csv", "text,label\na,1\nb,0\n");
    let says = "zero.csv, line 3: label \"0\" is not one of: 1, 2";
    refused(&scratch, &format!("{TRAIN} stars.csv --eval zero.csv"), says);
}

#[test]
fn columns_that_are_not_there() {
    let scratch = sound();
    let says = "good.csv: no text column \"body\"; it has: text, label.";
    for command in [TRAIN, EVALUATE, PREDICT] {
        refused(&scratch, &format!("{command} good.csv --text-column body"), says);
    }
    let says = "good.csv: no label column \"mood\"; it has: text, label.";
    for command in [TRAIN, EVALUATE] {
        refused(&scratch, &format!("{command} good.csv --label-column mood"), says);
    }
}

#[test]
fn no_file_at_all() {
    let scratch = sound();
    create_dir(scratch.path("folder.csv")).unwrap();
    for command in [TRAIN, EVALUATE, PREDICT] {
        refused(&scratch, &format!("{command} absent.csv"), "cannot read absent.csv");
        refused(&scratch, &format!("{command} folder.csv"), "cannot read folder.csv");
    }
}

#[test]
fn standard_input() {
    let scratch = sound();
    for (input, says) in [
        ("", "standard input holds no text"),
        ("\n \n", "standard input holds no text"),
        ("{\"text\": \"a\"}\nb\n", "standard input, line 2: not valid JSON"),
        ("{\"id\": 1, \"mood\": 2}\n", "standard input: no text column"),
    ] {
        let said = scratch.pipe("predict --model model", input).error();
        assert!(said.contains(says), "{input:?}: {said}");
    }
}
