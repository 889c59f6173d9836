//! Small repairs of text.

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

/// The lines of a paragraph as one. A hyphen at the end of a line goes where a small letter follows,
/// unless `text`, all there is, has the word with its hyphen elsewhere.
pub fn joined(lines: &[&str], text: &str) -> String {
    let mut all = String::new();
    for line in lines {
        let line = line.trim();
        let broken = all.strip_suffix(['-', '\u{2010}', '\u{ad}']);
        match broken {
            Some(start) if is_broken(start, line) => {
                let first = start.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
                let rest = line.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
                let with_hyphen = format!("{first}-{rest}");
                let length = start.len();
                if text.contains(&with_hyphen) {
                    all.truncate(length);
                    all.push('-');
                } else {
                    all.truncate(length);
                }
            }
            _ if all.is_empty() => {}
            _ => all.push(' '),
        }
        all.push_str(line);
    }
    spaces(&all)
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
}
