//! Safetensors headers that lie.

use super::{folder::WEIGHTS, refused, sound};
use crate::command::classifier;

/// A file with this header over as many bytes of data.
fn file(header: &str, data: usize) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &vec![0; data]].concat()
}

/// Header, bytes of data behind it, and how the message goes on.
type Case = (&'static str, usize, &'static str);

const LIES: [Case; 30] = [
    ("", 0, "EOF while parsing"),
    ("{}", 4, "incomplete metadata"),
    ("null", 0, "invalid type: null, expected a map of tensors"),
    ("7", 0, "invalid type: integer `7`, expected a map of tensors"),
    ("[]", 0, "invalid type: sequence, expected a map of tensors"),
    ("{\"a\":", 0, "EOF while parsing a value"),
    ("{\"a\": 1}", 0, "invalid type: integer `1`, expected struct TensorInfo"),
    ("{\"a\": {}}", 0, "missing field `dtype`"),
    ("{\"a\": {\"dtype\": \"F32\", \"shape\": [1]}}", 4, "missing field `data_offsets`"),
    (
        "{\"a\": {\"dtype\": \"F31\", \"shape\": [1], \"data_offsets\": [0, 4]}}",
        4,
        "unknown variant `F31`",
    ),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [-1], \"data_offsets\": [0, 4]}}",
        4,
        "invalid value: integer `-1`",
    ),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [0.5], \"data_offsets\": [0, 4]}}",
        4,
        "invalid type: floating point `0.5`",
    ),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": \"1\", \"data_offsets\": [0, 4]}}",
        4,
        "invalid type: string \"1\"",
    ),
    ("{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0]}}", 4, "invalid length 1"),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [4, 0]}}",
        4,
        "invalid offset for tensor `a`",
    ),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [4, 8]}}",
        8,
        "invalid offset for tensor `a`",
    ),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 4]}}",
        4,
        "invalid shape, data type, or offset",
    ),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [], \"data_offsets\": [0, 8]}}",
        8,
        "invalid shape, data type, or offset",
    ),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}",
        3,
        "incomplete metadata",
    ),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}",
        5,
        "incomplete metadata",
    ),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}} x",
        4,
        "trailing characters",
    ),
    // More elements, or more bits, than there are numbers.
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [4294967296, 4294967296], \"data_offsets\": [0, 0]}}",
        0,
        "overflow",
    ),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [4611686018427387904], \"data_offsets\": [0, 0]}}",
        0,
        "overflow",
    ),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [18446744073709551616], \"data_offsets\": [0, 4]}}",
        4,
        "invalid type: floating point",
    ),
    (
        "{\"a\": {\"dtype\": \"U8\", \"shape\": [18446744073709551615], \"data_offsets\": [0, 18446744073709551615]}}",
        0,
        "overflow",
    ),
    // Two tensors in the same place, half over each other, with a gap between, of one name.
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}, \
          \"b\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}",
        4,
        "invalid offset for tensor",
    ),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 8]}, \
          \"b\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [4, 12]}}",
        12,
        "invalid offset for tensor `b`",
    ),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}, \
          \"b\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [8, 12]}}",
        12,
        "invalid offset for tensor `b`",
    ),
    (
        "{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}, \
          \"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}",
        4,
        "\"a\" stands twice",
    ),
    (
        "{\"__metadata__\": {\"format\": 7}, \"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}",
        4,
        "invalid type: integer `7`",
    ),
];

/// The cases of this page.
pub fn count() -> usize {
    LIES.len() + LENGTHS.len()
}

#[test]
fn headers_that_lie() {
    let scratch = sound();
    for (header, data, says) in LIES {
        refuse(&scratch, &file(header, data), says);
    }
    let not_text = [&5_u64.to_le_bytes()[..], b"{\"\xff\":", &[0; 4]].concat();
    refuse(&scratch, &not_text, "invalid unicode code point");
    // As deep as a stack would have to be.
    refuse(&scratch, &file(&"{\"a\":".repeat(100_000), 0), "EOF while parsing a value");
}

/// What the length of the header claims to be.
const LENGTHS: [(u64, &str); 8] = [
    (u64::MAX, "header too large"),
    (1 << 63, "header too large"),
    (100_000_001, "header too large"),
    (10_000_001, "header too large"),
    (9_999_999, "invalid header length"),
    (3, "incomplete metadata"),
    (1, "EOF while parsing an object"),
    (0, "EOF while parsing a value"),
];

/// The length of the header alone is no reason to fetch as much memory.
#[test]
fn headers_of_any_length() {
    let scratch = sound();
    for (length, says) in LENGTHS {
        refuse(&scratch, &[&length.to_le_bytes()[..], b"{}  "].concat(), says);
    }
    // 100 MB of white space, which a header may end in.
    let header = format!("{{}}{}", " ".repeat(100_000_000));
    refuse(&scratch, &file(&header, 0), "header too large");
    let header = format!("{{}}{}", " ".repeat(9_000_000));
    scratch.write(&format!("bad/{WEIGHTS}"), file(&header, 0));
    refused(&scratch, "predict --model bad --text hello", "no classification head");
}

fn refuse(scratch: &crate::command::Scratch, weights: &[u8], says: &str) {
    for (name, content) in classifier() {
        scratch.write(&format!("bad/{name}"), content);
    }
    scratch.write(&format!("bad/{WEIGHTS}"), weights);
    let of_the_file = ["incomplete metadata", "header too large", "invalid header length"];
    let place = if of_the_file.contains(&says) { "" } else { "invalid JSON in header: " };
    let says = format!("bad/model.safetensors: not a readable safetensors file: {place}{says}");
    refused(scratch, "predict --model bad --text hello", &says);
}
