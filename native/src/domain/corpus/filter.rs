//! Which paragraphs are prose.

use anyhow::{Context, Result};
use whatlang::Lang;

use super::report::Reason;
use crate::cli::CorpusArgs;

/// The part of a paragraph's characters that are letters or spaces, at least.
const LETTERS: f64 = 0.7;
/// Languages are not told of shorter texts.
const TELLING: usize = 60;
/// Words that a page number has at most.
const MOST_WORDS: usize = 4;
/// What only stands in paragraphs about a text, and not in it.
const BOILERPLATE: [&str; 14] = [
    "all rights reserved",
    "copyright ©",
    "© 19",
    "© 20",
    "isbn",
    "creative commons",
    "download for free at",
    "access for free at",
    "this openstax book",
    "terms of service",
    "privacy policy",
    "uses cookies",
    "click here",
    "visit this link",
];

pub struct Filter {
    /// None keeps any.
    language: Option<Lang>,
    min_words: usize,
    max_words: usize,
}

impl Filter {
    /// # Errors
    /// A language that cannot be told from others.
    pub fn new(args: &CorpusArgs) -> Result<Self> {
        let language = match args.language.as_str() {
            "any" => None,
            code => Some(Lang::from_code(code).with_context(|| {
                let known: Vec<&str> = Lang::all().iter().map(|lang| lang.code()).collect();
                format!("--language {code}: expected any or one of {}", known.join(", "))
            })?),
        };
        Ok(Self { language, min_words: args.min_words, max_words: args.max_words })
    }

    /// Why a paragraph is dropped, if it is.
    pub fn reason(&self, text: &str) -> Option<Reason> {
        let words = text.split_whitespace().count();
        if is_page_number(text) {
            return Some(Reason::PageNumber);
        }
        if is_boilerplate(text) {
            return Some(Reason::Boilerplate);
        }
        if words < self.min_words {
            return Some(Reason::TooShort);
        }
        if words > self.max_words {
            return Some(Reason::TooLong);
        }
        let characters = text.chars().count();
        let letters = text.chars().filter(|c| c.is_alphabetic() || c.is_whitespace()).count();
        if (letters as f64) < LETTERS * characters as f64 {
            return Some(Reason::FewLetters);
        }
        self.is_of_another_language(text, characters).then_some(Reason::OtherLanguage)
    }

    fn is_of_another_language(&self, text: &str, characters: usize) -> bool {
        let Some(wanted) = self.language.filter(|_| characters >= TELLING) else { return false };
        let found = whatlang::detect(text);
        found.is_some_and(|found| found.is_reliable() && found.lang() != wanted)
    }
}

/// `12`, `- 12 -`, `Page 12 of 300`, `xiv`.
pub fn is_page_number(text: &str) -> bool {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .take(MOST_WORDS + 1)
        .collect();
    let is_number = |word: &String| {
        word.chars().all(|c| c.is_ascii_digit()) || word.chars().all(|c| "ivxlc".contains(c))
    };
    let is_filler = |word: &&String| !["page", "of", "p"].contains(&word.as_str());
    let mut numbers = words.iter().filter(is_filler);
    words.len() <= MOST_WORDS && numbers.next().is_some_and(is_number) && numbers.all(is_number)
}

/// Terms of use, links, and the dots of a table of contents.
fn is_boilerplate(text: &str) -> bool {
    let lower = text.to_lowercase();
    let few_words = text.split_whitespace().count() <= 3;
    let is_link = few_words && (lower.contains("http://") || lower.contains("https://"));
    let mentions = BOILERPLATE.iter().any(|words| lower.contains(words));
    is_link || text.contains(".....") || (mentions && text.chars().count() < 600)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn reason(text: &str) -> Option<Reason> {
        let args = CorpusArgs {
            paths: Vec::new(),
            out: PathBuf::new(),
            language: "eng".to_owned(),
            min_words: 5,
            max_words: 50,
            held_out: 0.1,
            seed: 1,
        };
        Filter::new(&args).unwrap().reason(text)
    }

    #[test]
    fn what_is_no_prose_is_dropped_for_a_reason() {
        let cases = [
            ("The heart pumps blood through the vessels of the body.", None),
            ("Page 12 of 300", Some(Reason::PageNumber)),
            ("– xiv –", Some(Reason::PageNumber)),
            ("The Heart", Some(Reason::TooShort)),
            ("1.2 Structure ........ 17", Some(Reason::Boilerplate)),
            ("Copyright © 2013 by nobody. All rights reserved.", Some(Reason::Boilerplate)),
            ("12 + 3 = 15; 4 * 5 = 20; 7 / 2 = 3.5", Some(Reason::FewLetters)),
            (
                "Das Herz pumpt das Blut durch die Gefäße des Körpers und wird dabei selbst versorgt.",
                Some(Reason::OtherLanguage),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(reason(text), expected, "{text}");
        }
        assert_eq!(reason(&"word ".repeat(60)), Some(Reason::TooLong));
    }
}
