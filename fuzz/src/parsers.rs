//! What is fuzzed: each takes bytes that nobody vouches for, and may return whatever it likes, but neither panic
//! nor take memory without end.

use std::io::Read;
use std::path::Path;
use std::sync::LazyLock;

use emberlab::cli::ReadArgs;
use emberlab::domain::corpus;
use emberlab::load::{Loader, Source, of_card};
use emberlab::serve;
use emberlab_core::Device;
use emberlab_core::data::{BadRows, Dataset, Format, Pieces, Table, pasted};
use emberlab_core::model::{BertConfig, Classifier, ModelFiles};
use emberlab_core::text::{Texts, Tokenizer};

/// A parser by the name of its corpus.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 13] = [
    ("safetensors", safetensors),
    ("config", config),
    ("tokenizer", tokenizer),
    ("vocabulary", vocabulary),
    ("delimited", delimited),
    ("jsonl", jsonl),
    ("json", json),
    ("conll", conll),
    ("parquet", parquet),
    ("card", card),
    ("pasted", pasted_rows),
    ("books", books),
    ("request", request),
];

/// The smallest model there can be.
const CONFIG: &[u8] = br#"{"model_type": "bert", "vocab_size": 5, "hidden_size": 2, "num_hidden_layers": 1,
    "num_attention_heads": 1, "intermediate_size": 2, "max_position_embeddings": 4, "type_vocab_size": 1,
    "id2label": {"0": "a", "1": "b"}}"#;
const VOCABULARY: &[u8] = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
const TEXT: &str = "A text: naïve, 中文 and [MASK]\u{301}\u{200d}.";

pub fn safetensors(bytes: &[u8]) {
    let files = [("config.json", CONFIG), ("vocab.txt", VOCABULARY), (ModelFiles::WEIGHTS, bytes)];
    let files = files.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
    if let Ok(files) = ModelFiles::from_named("model", files.into()) {
        let _ = Classifier::open(&files, &Device::flex());
    }
}

pub fn config(bytes: &[u8]) {
    let _ = BertConfig::from_json("config.json", bytes);
}

pub fn tokenizer(bytes: &[u8]) {
    if let Ok(tokenizer) = Tokenizer::from_json("tokenizer.json", bytes) {
        let _ = tokenizer.encode(TEXT, 8);
        let _ = tokenizer.encode("", 8);
        let mut pair = Texts::default();
        pair.push(TEXT, Some(TEXT));
        let _ = tokenizer.encode_texts(&pair, 8);
        let _ = tokenizer.encode_with_words(&[TEXT.to_owned()], 8);
        let _ = tokenizer.explain(TEXT, Some("a pair"), 8);
        let _ = tokenizer.count_words([TEXT].into_iter());
    }
}

/// The first line is `tokenizer_config.json`, the rest `vocab.txt`.
pub fn vocabulary(bytes: &[u8]) {
    let (config, words) = match bytes.iter().position(|&byte| byte == b'\n') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (&b"{}"[..], bytes),
    };
    if let Ok(tokenizer) = Tokenizer::from_vocab("vocab.txt", words, Some(config)) {
        let _ = tokenizer.encode(TEXT, 8);
    }
}

pub fn delimited(bytes: &[u8]) {
    let delimiter = bytes.iter().find(|byte| b",\t;".contains(byte)).map_or(b',', |&first| first);
    in_pieces(bytes, &Format::Delimited { delimiter });
    let _ = Dataset::parse("rows.csv", bytes, None);
}

pub fn jsonl(bytes: &[u8]) {
    in_pieces(bytes, &Format::Jsonl);
    let _ = Dataset::parse("rows.jsonl", bytes, None);
}

pub fn json(bytes: &[u8]) {
    in_pieces(bytes, &Format::Json { field: None });
    in_pieces(bytes, &Format::Json { field: Some("data".to_owned()) });
    let _ = Dataset::parse("rows.json", bytes, None);
}

pub fn conll(bytes: &[u8]) {
    in_pieces(bytes, &Format::Conll);
    in_pieces(bytes, &Format::Lines);
    let _ = Dataset::parse("rows.conll", bytes, None);
}

/// The `README.md` of a data set.
pub fn card(bytes: &[u8]) {
    let _ = of_card(&String::from_utf8_lossy(bytes));
}

/// What somebody has pasted into the page.
pub fn pasted_rows(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert!(pasted(&text).len() <= text.split(['\n', '\r']).count());
}

/// What `emberlab corpus` reads.
pub fn books(bytes: &[u8]) {
    use corpus::Format::{Html, Markdown, Pdf, Text};
    let text = String::from_utf8_lossy(bytes);
    for format in [Text, Markdown, Html, Pdf] {
        let blocks = corpus::sections(&text, format, &mut corpus::Report::default());
        let blocks = blocks.iter().flat_map(|(_, blocks)| blocks);
        assert!(blocks.map(String::len).sum::<usize>() <= 8 * text.len());
    }
}

/// What a client sends to `emberlab serve`: it gets what stands in the page or belongs to a model.
pub fn request(bytes: &[u8]) {
    const SECRET: &[u8] = b"nobody's business";
    static SITE: LazyLock<serve::Site> = LazyLock::new(|| {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/site"));
        let page = serve::Page::find(Some(&folder.join("page"))).expect("a page");
        serve::Site::new(page, &[folder.join("run")]).expect("a site")
    });
    let Some(response) = serve::answered(&SITE, bytes) else { return };
    let is_success = response.status().is_success();
    let bytes = match response.into_body() {
        serve::Contents::Bytes(bytes) => bytes.to_vec(),
        serve::Contents::File { file, length } => {
            let mut bytes = Vec::new();
            file.take(length).read_to_end(&mut bytes).expect("a file that is there");
            assert_eq!(bytes.len() as u64, length);
            bytes
        }
    };
    assert!(!is_success || !bytes.windows(SECRET.len()).any(|part| part == SECRET));
}

/// From a file, as Parquet is read from its end.
pub fn parquet(bytes: &[u8]) {
    let folder = Path::new("/dev/shm");
    let folder = if folder.is_dir() { folder.to_owned() } else { std::env::temp_dir() };
    let path = folder.join(format!("emberlab-fuzz-{}.parquet", std::process::id()));
    std::fs::write(&path, bytes).expect("a folder for temporary files");
    let _ = Loader::new(&ReadArgs::default()).load(&Source::new(&path));
    let _ = std::fs::remove_file(&path);
}

/// What a file is cut into at most: a row that goes on is gone through again with each piece, and a reader of CSV
/// begins anew, which coverage makes slow.
const MOST_PIECES: usize = 8;

/// A file that comes in pieces has the rows of the whole, and so has one whose bad rows are skipped: every other
/// length is read so.
fn in_pieces(bytes: &[u8], format: &Format) {
    let bad = || if bytes.len().is_multiple_of(2) { BadRows::Refuse } else { BadRows::skip() };
    let whole = Table::parse("file", bytes, format, &mut bad());
    let size = 1 + bytes.first().map_or(0, |&byte| usize::from(byte) % 16);
    let size = size.max(bytes.len().div_ceil(MOST_PIECES));
    let mut pieces = Pieces::new("file", format.clone());
    let mut skipped = bad();
    let mut rows = Vec::new();
    let mut read = |piece: &[u8], last| {
        pieces.read(piece, last, &mut skipped).map(|table| rows.extend(table.rows))
    };
    let all = bytes.chunks(size).try_for_each(|piece| read(piece, false));
    let all = all.and_then(|()| read(b"", true));
    match whole {
        Ok(whole) => assert!(all.is_ok() && rows == whole.rows, "{format:?}: {all:?}"),
        Err(error) => assert!(all.is_err() || rows.is_empty(), "{format:?}: only whole: {error}"),
    }
}
