//! `emberlab data`: counts, warnings, and the page.

use serde_json::Value;

use crate::command::Scratch;

fn report(scratch: &Scratch, rest: &str) -> Value {
    serde_json::from_str(&scratch.run(&format!("data {rest} --json")).ok()).unwrap()
}

fn warnings(report: &Value) -> Vec<String> {
    serde_json::from_value(report["warnings"].clone()).unwrap()
}

fn with_files() -> Scratch {
    let scratch = Scratch::new();
    let train = "id,text,label\n1,good,pos\n2,very good indeed,pos\n3,bad,neg\n4,bad,pos\n5,so <b>bad</b>,neg\n";
    scratch.write("train.csv", train);
    scratch.write("test.csv", "id,text,label\n1,good,pos\n2,unseen,neutral\n");
    scratch
}

#[test]
fn columns_labels_lengths_and_duplicates() {
    let scratch = with_files();
    let report = report(&scratch, "train.csv test.csv --max-length 4");
    let train = &report["splits"][0];
    assert_eq!((&train["split"], &train["rows"]), (&"train".into(), &5.into()));
    let kinds: Vec<&str> =
        train["columns"].as_array().unwrap().iter().map(|c| c["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["int64", "string", "string"]);
    let counts = serde_json::json!([{"label": "neg", "rows": 2}, {"label": "pos", "rows": 3}]);
    assert_eq!(train["label_counts"], counts);
    // [CLS] very good indeed [SEP] and [CLS] so < b > bad < / b > [SEP]: longer than 4.
    let cuts = train["tokens"]["cuts"].as_array().unwrap();
    let cut = cuts.iter().find(|cut| cut["max_length"] == 4).unwrap();
    assert_eq!((&cut["rows"], &cut["share_of_rows"]), (&2.into(), &0.4.into()));
    assert_eq!(train["tokens"]["longest"], 11);
    let duplicates = &report["duplicates"];
    assert_eq!(
        duplicates["within"][0],
        serde_json::json!({"split": "train", "rows": 1, "other_label": 1})
    );
    assert_eq!(duplicates["across"][0]["rows"], 1);
    let said = warnings(&report).join("\n");
    for says in [
        "1 text of test stands in train too, for example \"good\"",
        "test has labels that train lacks: neutral",
        "1 row of train repeats an earlier text with another label",
    ] {
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn slices_of_one_class_and_past_the_end_are_warned_of() {
    let scratch = Scratch::new();
    let sorted: String =
        (0..20).map(|i| format!("text {i},{}\n", if i < 10 { "a" } else { "b" })).collect();
    scratch.write("set/train.csv", format!("text,label\n{sorted}"));
    let said = warnings(&report(&scratch, "set --split train[:5] train[15:30]")).join("\n");
    assert!(said.contains("train[:5] holds one class only (a)"), "{said}");
    assert!(
        said.contains("goes past the 20 rows of train: it is clamped to rows 15 to 20"),
        "{said}"
    );
    assert!(warnings(&report(&scratch, "set")).is_empty());
}

#[test]
fn rows_without_text_are_counted_and_named() {
    let scratch = Scratch::new();
    scratch.write("rows.csv", "text,label\na,x\n,y\nb,y\n");
    let report = report(&scratch, "rows.csv");
    assert_eq!(
        (&report["splits"][0]["rows"], &report["splits"][0]["skipped_rows"]),
        (&2.into(), &1.into())
    );
    assert!(warnings(&report)[0].contains("rows.csv, line 3: \"text\" is empty"), "{report}");
}

#[test]
fn pairs_are_recognised() {
    let scratch = Scratch::new();
    scratch.write("nli.jsonl", "{\"premise\": \"a\", \"hypothesis\": \"b\", \"label\": 0}\n{\"premise\": \"a\", \"hypothesis\": \"c\", \"label\": 1}\n");
    let report = report(&scratch, "nli.jsonl");
    let split = &report["splits"][0];
    assert_eq!(
        (&split["text_column"], &split["text_pair_column"]),
        (&"premise".into(), &"hypothesis".into())
    );
    assert_eq!(split["tokens"]["longest"], 5, "[CLS] a [SEP] b [SEP]");
    assert_eq!(report["duplicates"]["within"][0]["rows"], 0);
}

#[test]
fn for_people_it_is_a_table_and_a_page() {
    let scratch = with_files();
    let table = scratch.run("data train.csv test.csv").ok();
    for says in ["train: 5 rows (train.csv)", "tokens: mean", "a cut at", "warnings", "█"] {
        assert!(table.contains(says), "{table}");
    }
    scratch.run("data train.csv test.csv --html page.html").ok();
    let page = scratch.read("page.html");
    assert!(
        page.starts_with("<!doctype html>") && page.contains("1 text of test stands in train too")
    );
    for foreign in ["<script", "src=", "href=", "url(", "<b>bad</b>"] {
        assert!(!page.contains(foreign), "the page holds {foreign}");
    }
}
