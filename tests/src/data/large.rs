//! Sets that are read as a stream give what the same rows give from memory.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufWriter, Write},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::command::{Scratch, jsonl};

const ROWS: usize = 1500;

/// `small.jsonl`, and `large.jsonl` with a column more, which makes 150 MB of the same rows. Two rows
/// cannot be used.
fn with_both() -> Scratch {
    let scratch = Scratch::new();
    scratch.write_classifier("model");
    let labels = ["billing", "praise", "delivery"];
    let filler = "x".repeat(100_000);
    let mut small = String::new();
    let mut large = BufWriter::new(File::create(scratch.path("large.jsonl")).unwrap());
    for row in 0..ROWS {
        let text = match row {
            700 => String::new(),
            _ => format!("row {} of words", "abc ".repeat(row * 7 % 11)),
        };
        let label = if row == 900 { "" } else { labels[row * row % 3] };
        let row = format!("{{\"id\": {row}, \"text\": \"{text}\", \"label\": \"{label}\"");
        writeln!(small, "{row}}}").unwrap();
        writeln!(large, "{row}, \"note\": \"{filler}\"}}").unwrap();
    }
    large.flush().unwrap();
    scratch.write("small.jsonl", small);
    scratch
}

/// What a file of 200 kB unpacks to is not held because the file is small.
#[test]
fn a_packed_set_is_as_large_as_what_it_unpacks_to() {
    let scratch = with_both();
    for (rows, is_stream) in [("small", false), ("large", true)] {
        let packed = File::create(scratch.path(&format!("{rows}.jsonl.gz"))).unwrap();
        let mut packed = GzEncoder::new(packed, Compression::fast());
        packed.write_all(&fs::read(scratch.path(&format!("{rows}.jsonl"))).unwrap()).unwrap();
        packed.finish().unwrap();
        let line = format!(
            "train --model model --train {rows}.jsonl.gz --out run --dry-run --skip-bad-rows"
        );
        let ran = scratch.run(&line);
        let said = ran.stderr.clone();
        ran.ok();
        assert_eq!(said.contains("train is too large to be held in memory"), is_stream, "{said}");
    }
}

#[test]
fn a_stream_trains_and_predicts_what_memory_does() {
    let scratch = with_both();
    let train = |rows: &str, rest: &str| {
        let line = format!(
            "train --model model --train {rows} --out run --overwrite --epochs 2 --batch-size 64 --device cpu {rest}"
        );
        scratch.run(&line)
    };
    let said = train("large.jsonl", "").error();
    assert!(said.contains("large.jsonl, line 701: \"text\" is empty"), "{said}");
    let weights = |rows: &str| {
        let ran = train(rows, "--skip-bad-rows");
        let said = ran.stderr.clone();
        ran.ok();
        let run = scratch.json("run/run.json");
        assert_eq!(
            (&run["data"][0]["skipped_rows"], &run["data"][0]["rows"]),
            (&2.into(), &1498.into())
        );
        (fs::read(scratch.path("run/model.safetensors")).unwrap(), run["data"][0].clone(), said)
    };
    let (small, small_data, _) = weights("small.jsonl");
    let (large, large_data, said) = weights("large.jsonl");
    assert_eq!(small, large, "the same rows in the same order give the same weights");
    for figure in ["tokens", "label_counts", "text_column", "label_columns"] {
        assert_eq!(small_data[figure], large_data[figure]);
    }
    assert!(said.contains("skipped 2 rows") && said.contains("1,498 rows in"), "{said}");

    // The second time the tokens are there already, whatever the file is called.
    fs::rename(scratch.path("large.jsonl"), scratch.path("again.jsonl")).unwrap();
    let (again, _, said) = weights("again.jsonl");
    assert_eq!(again, large);
    assert!(!said.contains("1,498 rows in"), "{said}");
    // A damaged file of them is refused.
    let cache = scratch.path("cache/emberlab/tokenized");
    let cached = fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&cached).unwrap();
    let mut damaged = whole.clone();
    damaged[100] ^= 1;
    for bytes in [&damaged[..], &whole[..whole.len() / 2]] {
        fs::write(&cached, bytes).unwrap();
        let said = train("again.jsonl", "--skip-bad-rows").error();
        assert!(said.contains("Delete it; it is made anew"), "{said}");
    }

    // A slice takes the same rows.
    for slice in ["[20%:40%]", "[-100:]"] {
        let rows = |file: &str| {
            let shown = train(&format!("{file}{slice}"), "--dry-run").ok();
            let lines = shown
                .lines()
                .filter(|line| line.starts_with("train") || line.starts_with("labels"));
            lines.map(|line| line.split(": ").next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(rows("small.jsonl"), rows("again.jsonl"), "{slice}");
    }

    let predicted = |file: &str| -> Vec<Value> {
        let line =
            format!("predict --model model --input {file} --output out.jsonl --skip-bad-rows");
        let ran = scratch.run(&line);
        assert!(ran.stderr.contains("skipped 1 row "), "{}", ran.stderr);
        ran.ok();
        let mut rows = jsonl(&scratch.read("out.jsonl"));
        rows.iter_mut().for_each(|row| row.as_object_mut().unwrap().retain(|key, _| key != "note"));
        rows
    };
    let small = predicted("small.jsonl");
    assert_eq!(small.len(), ROWS - 1);
    assert!(predicted("again.jsonl") == small, "the same predictions in the same order");
}

/// Sets of labels, scores, tags and pairs, too: the same weights and the same figures.
#[test]
fn a_stream_is_of_any_task() {
    let scratch = Scratch::new();
    scratch.write_classifier("model");
    let filler = "x".repeat(300_000);
    let (mut small, mut large) = (String::new(), Vec::new());
    for row in 0..500 {
        let words: Vec<String> = (0..=row % 5).map(|word| format!("{}", word * row % 13)).collect();
        let tags: Vec<&str> =
            (0..=row % 5).map(|word| ["O", "B-X", "I-X"][word * row % 3]).collect();
        let sets: Vec<&str> = ["b", "a", "c"].into_iter().take(row % 4).collect();
        let mut cells = json!({
            "text": words.join(" "), "text_b": format!("{row}"), "tokens": words, "tags": tags,
            "labels": sets, "score": (row % 11) as f64 / 2.0,
        });
        writeln!(small, "{cells}").unwrap();
        cells["note"] = filler.as_str().into();
        writeln!(large, "{cells}").unwrap();
    }
    scratch.write("small.jsonl", small);
    scratch.write("large.jsonl", large);
    for flags in [
        "--text-column text --label-column labels --class-weights balanced",
        "--text-column text --text-pair-column text_b --label-column score",
        "--text-column tokens --label-column tags --task token_classification",
    ] {
        let run = |rows: &str| {
            let line = format!(
                "train --model model --train {rows} --test {rows} --out run --overwrite --epochs 1 --batch-size 64 --device cpu {flags}"
            );
            scratch.run(&line).ok();
            let run = scratch.json("run/run.json");
            let data = &run["data"][0];
            let read = [&data["rows"], &data["label_counts"], &data["tokens"]].map(Value::clone);
            let figures = [&run["task"], &run["labels"], &run["metrics"], &run["recipe"]];
            let weights = fs::read(scratch.path("run/model.safetensors")).unwrap();
            (read, figures.map(Value::clone), weights)
        };
        let (small, large) = (run("small.jsonl"), run("large.jsonl"));
        assert_eq!((small.0, small.1), (large.0, large.1), "{flags}");
        assert!(small.2 == large.2, "other weights: {flags}");
    }
}

/// What comes on standard input is predicted as it comes.
#[test]
fn standard_input_is_a_stream_too() {
    let scratch = Scratch::new();
    scratch.write_classifier("model");
    let mut lines = String::new();
    for row in 0..3000 {
        writeln!(
            lines,
            "{{\"id\": {row}, \"text\": \"row {row}\", \"note\": \"{}\"}}",
            "x".repeat(900)
        )
        .unwrap();
    }
    assert!(lines.len() > 2 << 20, "several pieces");
    let rows = jsonl(&scratch.pipe("predict --model model", &lines).ok());
    let ids: Vec<u64> = rows.iter().map(|row| row["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (0..3000).collect::<Vec<_>>());
    let csv = scratch.pipe("predict --model model --format csv", &lines).ok();
    assert_eq!(csv.lines().count(), 3001);
    assert!(csv.starts_with("id,text,note,label,score,"));
}
