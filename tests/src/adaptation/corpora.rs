//! `emberlab corpus`: what stays, what goes and why.

use std::collections::BTreeSet;

use serde_json::Value;

use super::vocabulary::notes;
use crate::{
    command::{Scratch, jsonl},
    support::{say, shared},
};

/// The texts of a part.
fn texts(scratch: &Scratch, file: &str) -> Vec<String> {
    let rows = jsonl(&scratch.read(file));
    rows.iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn files_of_several_formats_become_clean_paragraphs() {
    let scratch = Scratch::new();
    scratch.write(
        "in/page.html",
        "<html><head><title>T</title></head><body><nav>Home | About | Contact | Imprint | Help</nav>\
         <p>The heart is a muscular organ that pumps blood through the vessels.</p>\
         <p>The heart is a muscular organ that pumps blood through the vessels!</p>\
         <footer>Copyright © 2020. All rights reserved by somebody.</footer></body></html>",
    );
    scratch.write(
        "in/text.txt",
        "Chapter One\n\nThe lungs bring oxygen into the body and carbon di-\noxide out of it every minute.\n\n\
         12\n\nLa sangre circula por todo el cuerpo humano y lleva el oxígeno a cada una de las células.\n",
    );
    scratch.write("in/notes.md", notes());
    scratch.write("in/left.rs", "fn main() {}");
    let said = scratch.run("corpus in --out out --held-out 0.2").ok();
    let (train, held_out) =
        (texts(&scratch, "out/train.jsonl"), texts(&scratch, "out/held_out.jsonl"));
    let all: Vec<&String> = train.iter().chain(&held_out).collect();
    let expected = [
        "The heart is a muscular organ that pumps blood through the vessels.",
        "The lungs bring oxygen into the body and carbon dioxide out of it every minute.",
    ];
    for text in expected {
        assert_eq!(all.iter().filter(|known| **known == text).count(), 1, "{text}\n{said}");
    }
    assert_eq!(all.len(), 2 + 12 * 6, "{said}");
    let report: Value = scratch.json("out/corpus.json");
    for reason in ["boilerplate", "too_short", "page_number", "other_language", "duplicate"] {
        assert!(report["dropped"][reason]["blocks"].as_u64() >= Some(1), "{reason}: {report}");
    }
    // Held out by document: none stands in both.
    let documents = |file: &str| -> BTreeSet<String> {
        let rows = jsonl(&scratch.read(file));
        rows.iter().map(|row| format!("{} {}", row["source"], row["document"])).collect()
    };
    let (train, held_out) = (documents("out/train.jsonl"), documents("out/held_out.jsonl"));
    assert!(train.is_disjoint(&held_out) && !held_out.is_empty());
    assert_eq!(report["train"]["documents"], train.len());
}

#[test]
fn what_is_wrong_is_named() {
    let scratch = Scratch::new();
    scratch.write("a.docx", "x");
    scratch.write("latin.txt", b"fine\ncaf\xe9 is not UTF-8\n");
    scratch.write("empty.txt", "\n");
    scratch.write("long.md", vec![b'a'; (16 << 20) + 1]);
    scratch.write("empty/none", "");
    for (line, says) in [
        ("corpus a.docx --out o", "a.docx: not a .txt, .md, .html or .pdf file"),
        ("corpus absent.txt --out o", "there is no file absent.txt"),
        ("corpus latin.txt --out o", "latin.txt, line 2: not valid UTF-8"),
        (
            "corpus long.md --out o",
            "long.md: more than 16 MB of Markdown; part it into several files",
        ),
        ("corpus empty --out o", "no .txt, .md, .html or .pdf file in empty"),
        ("corpus empty.txt --out o", "no paragraph was left of 1 files"),
        ("corpus empty.txt --out o --language xx", "--language xx: expected any or one of"),
        ("corpus empty.txt --out o --held-out 1", "--held-out 1: expected 0 to below 1"),
    ] {
        let error = scratch.run(line).error();
        assert!(error.contains(says), "{line}: {error}");
        assert!(!scratch.path("o").exists());
    }
}

/// Where there is no `pdftotext`, the remedy is told; where there is, a PDF is read.
#[test]
fn a_pdf_is_read_or_its_remedy_told() {
    let scratch = Scratch::new();
    scratch.write("book.pdf", pdf("The heart is a muscular organ that pumps blood."));
    let mut command = scratch.command("corpus book.pdf --out none --language any".split(' '));
    let without: crate::command::Ran = command.env("PATH", "/nowhere").output().unwrap().into();
    let error = without.error();
    assert!(error.contains("install poppler-utils"), "{error}");
    if std::process::Command::new("pdftotext").arg("-v").output().is_err() {
        say("SKIPPED: reading a PDF: there is no pdftotext (poppler-utils)\n");
        return;
    }
    scratch.run("corpus book.pdf --out out --language any").ok();
    assert_eq!(
        texts(&scratch, "out/train.jsonl"),
        ["The heart is a muscular organ that pumps blood."]
    );
}

/// The smallest PDF with a line of text.
fn pdf(text: &str) -> Vec<u8> {
    let stream = format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).bytes());
    }
    let start = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    places.iter().for_each(|place| file.extend(format!("{place:010} 00000 n \n").bytes()));
    let trailer = format!("trailer\n<< /Size {} /Root 1 0 R >>", objects.len() + 1);
    file.extend(format!("{trailer}\nstartxref\n{start}\n%%EOF\n").bytes());
    file
}

/// A real book: most of it stays, and nothing stays twice.
#[test]
fn a_textbook_becomes_a_corpus() {
    let Some(book) = shared("data/openstax/psychology.txt") else { return };
    let scratch = Scratch::new();
    scratch.run(&format!("corpus {} --out out", book.display())).ok();
    let report = scratch.json("out/corpus.json");
    let count = |part: &str, what: &str| report[part][what].as_u64().unwrap();
    assert!(count("train", "documents") > 80 && count("held_out", "documents") >= 5);
    let part = count("held_out", "characters") as f64
        / (count("held_out", "characters") + count("train", "characters")) as f64;
    assert!((0.08..0.14).contains(&part), "{part}");
    let all = [texts(&scratch, "out/train.jsonl"), texts(&scratch, "out/held_out.jsonl")].concat();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert!(count("train", "characters") > 1_500_000, "{report}");
}
