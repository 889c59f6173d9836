//! Small repairs of text.

use std::collections::BTreeSet;

/// Letters on either side of a hyphen that are looked at.
const LONGEST_WORD: usize = 100;

/// White space of any kind as one space; soft hyphens, zero-width characters and other marks that are
/// not seen are gone; ligatures in letters.
pub fn spaces(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            'ﬀ' => clean.push_str("ff"),
            'ﬁ' => clean.push_str("fi"),
            'ﬂ' => clean.push_str("fl"),
            'ﬃ' => clean.push_str("ffi"),
            'ﬄ' => clean.push_str("ffl"),
            c if c.is_whitespace() || c.is_control() => {
                if !clean.ends_with(' ') {
                    clean.push(' ');
                }
            }
            c => clean.push(c),
        }
    }
    clean.trim().to_owned()
}

/// The words of a text that have a hyphen, by pairs of their parts.
pub fn hyphenated(text: &str) -> BTreeSet<&str> {
    let pairs = text.match_indices('-').filter_map(|(at, _)| {
        let first = last_word(&text[..at]).len();
        let rest = first_word(&text[at + 1..]).len();
        (first > 0 && rest > 0).then(|| &text[at - first..at + 1 + rest])
    });
    pairs.collect()
}

/// The lines of a paragraph as one. A hyphen at the end of a line goes where a small letter follows,
/// unless the word, or one that goes on from it, is `hyphenated` elsewhere.
pub fn joined(lines: &[&str], hyphenated: &BTreeSet<&str>) -> String {
    let mut all = String::new();
    for line in lines {
        let line = line.trim();
        let broken = all.strip_suffix(['-', '\u{2010}', '\u{ad}']);
        match broken {
            Some(start) if is_broken(start, line) => {
                let with_hyphen = format!("{}-{}", last_word(start), first_word(line));
                let length = start.len();
                let next = hyphenated.range(with_hyphen.as_str()..).next();
                all.truncate(length);
                if next.is_some_and(|word| word.starts_with(&with_hyphen)) {
                    all.push('-');
                }
            }
            _ if all.is_empty() => {}
            _ => all.push(' '),
        }
        all.push_str(line);
    }
    spaces(&all)
}

/// The letters at the end of a text, as far as words go.
fn last_word(text: &str) -> &str {
    let letters = text.chars().rev().take(LONGEST_WORD).take_while(|c| c.is_alphabetic());
    &text[text.len() - letters.map(char::len_utf8).sum::<usize>()..]
}

/// And at its beginning.
fn first_word(text: &str) -> &str {
    let letters = text.chars().take(LONGEST_WORD).take_while(|c| c.is_alphabetic());
    &text[..letters.map(char::len_utf8).sum()]
}

fn is_broken(start: &str, next: &str) -> bool {
    start.ends_with(char::is_alphabetic) && next.starts_with(char::is_lowercase)
}

/// What two paragraphs share that say the same: their letters and digits, in lower case.
pub fn key(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        words.extend(word.chars().flat_map(char::to_lowercase));
        words.push(' ');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_gone() {
        assert_eq!(spaces(" a\u{a0}\t b\u{ad}c \u{feff}ﬁn\n"), "a bc fin");
        assert_eq!(key("The heart,  THE—heart!"), "the heart the heart ");
    }

    #[test]
    fn a_hyphen_stays_where_the_text_has_it() {
        let text = "a\u{e4}b-\nc self-tests -x y- long-lived-ness";
        assert_eq!(Vec::from_iter(hyphenated(text)), ["lived-ness", "long-lived", "self-tests"]);
        let join = |lines: &[&str]| joined(lines, &hyphenated(text));
        assert_eq!(
            join(&["a self-", "test, then long-", "er, un-"]),
            "a self-test, then longer, un-"
        );
    }

    /// Both took the square of the number of lines.
    #[test]
    fn broken_words_without_end_are_joined() {
        let endless = joined(&vec!["ab-"; 500_000], &BTreeSet::new());
        assert_eq!(endless.len(), 1_000_001);
        let text: String = (0..200_000).map(|_| "some words-\nmore-\n").collect();
        let lines: Vec<&str> = text.lines().collect();
        assert!(joined(&lines, &hyphenated(&text)).starts_with("some wordsmoresome wordsmore"));
    }
}
