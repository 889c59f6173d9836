//! Every parser, on mutations of the corpora in `fuzz/corpus/`: the same in every run, a few seconds of them. `cargo
//! xtask fuzz` looks further, led by coverage.

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

use crate::support::{bytes, root, say};

#[path = "../../fuzz/src/parsers.rs"]
mod parsers;

/// Mutations of each corpus.
const MUTATIONS: usize = 4000;
/// Mutations may grow no larger.
const LONGEST: usize = 1 << 16;

/// What parsers of text and of lengths look at.
const TOKENS: [&[u8]; 24] = [
    b"\"",
    b",",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"\n",
    b"\r\n",
    b"\t",
    b"\\",
    b"\0",
    b"null",
    b"-1",
    b"1e999",
    b"4294967296",
    b"18446744073709551615",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"PK\x01\x02",
    b"PAR1",
];

/// SplitMix64 (Steele et al. 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % limit.max(1) as u64) as usize
    }

    /// A range of up to `longest` places of `length`.
    fn range(&mut self, length: usize, longest: usize) -> std::ops::Range<usize> {
        let from = self.below(length + 1);
        from..(from + 1 + self.below(longest)).min(length)
    }
}

fn mutated(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = corpus[random.below(corpus.len())].clone();
    for _ in 0..1 + random.below(4) {
        let at = random.below(input.len());
        let place = random.below(input.len() + 1);
        match random.below(8) {
            0 if !input.is_empty() => input[at] ^= 1 << random.below(8),
            1 if !input.is_empty() => input[at] = random.below(256) as u8,
            2 => input.truncate(place),
            3 => drop(input.drain(random.range(input.len(), 16))),
            4 => {
                let again = input[random.range(input.len(), 64)].to_vec();
                for _ in 0..1 + random.below(8) {
                    input.splice(place..place, again.iter().copied());
                }
            }
            5 => {
                let other = &corpus[random.below(corpus.len())];
                let part = other[random.range(other.len(), 256)].to_vec();
                input.splice(place..place, part);
            }
            6 => {
                let token = TOKENS[random.below(TOKENS.len())];
                let over = (place + token.len()).min(input.len());
                input.splice(place..over, token.iter().copied());
            }
            _ => {
                let token = TOKENS[random.below(TOKENS.len())];
                input.splice(place..place, token.iter().copied());
            }
        }
        input.truncate(LONGEST);
    }
    input
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = root().join("fuzz/corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| bytes(path)).collect()
}

#[test]
fn no_parser_panics() {
    let kept = env::temp_dir().join(format!("emberlab-fuzzed-{}", std::process::id()));
    let mut panicked = Vec::new();
    for (number, (name, parse)) in parsers::TARGETS.into_iter().enumerate() {
        let corpus = corpus(name);
        let mut random = Random(number as u64);
        let mutations = (0..MUTATIONS).map(|_| mutated(&corpus, &mut random));
        for input in corpus.iter().cloned().chain(mutations) {
            // Before it is parsed: an abort leaves nothing else to find it by.
            fs::write(&kept, &input).unwrap();
            if catch_unwind(AssertUnwindSafe(|| parse(&input))).is_err() {
                let path = env::temp_dir().join(format!("emberlab-{name}-{}", panicked.len()));
                fs::write(&path, &input).unwrap();
                panicked.push(path);
            }
        }
    }
    let _ = fs::remove_file(&kept);
    let inputs = parsers::TARGETS.len() * MUTATIONS;
    say(&format!("fuzzed: {inputs} mutations, {} panics\n", panicked.len()));
    assert!(panicked.is_empty(), "these end in a panic: {panicked:?}");
}
