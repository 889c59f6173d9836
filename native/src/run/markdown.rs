//! Names and texts of data in Markdown, where they stay text.

use crate::terminal::one_line;

/// What means something within a line; `:`, `.` and `@` in addresses, of which hubs make links.
const SPECIAL: &str = r"\`*_[]<>&#!|~$:.@";

/// Text on one line.
pub fn plain(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        if SPECIAL.contains(c) {
            line.push('\\');
        }
        line.push(c);
    }
    line
}

/// Code on one line.
pub fn code(text: &str) -> String {
    let text = one_line(text);
    let marks = "`".repeat(longest_run(&text) + 1);
    // One space at each end is not shown.
    let space = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{marks}{space}{text}{space}{marks}")
}

/// Lines of code, behind a fence that none of them closes.
pub fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let text = text.strip_suffix('\n').unwrap_or(text);
    format!("{fence}{language}\n{text}\n{fence}\n")
}

/// The most backticks in a row.
fn longest_run(text: &str) -> usize {
    text.split(|c: char| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(plain("very happy-ish, 5 %"), "very happy-ish, 5 %");
        assert_eq!(plain("a\n\n# b\u{202e}"), r"a\\n\\n\# b\\u{202e}");
        assert_eq!(plain("![a](b) <i>|&amp;"), r"\!\[a\](b) \<i\>\|\&amp;");
        assert_eq!(plain(r"\`_*www.a@b"), r"\\\`\_\*www\.a\@b");
    }

    #[test]
    fn code_ends_where_it_is_to_end() {
        assert_eq!(code("a/b.csv"), "`a/b.csv`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`a\n"), r"`` `a\n ``");
        assert_eq!(fenced("sh", "ls"), "```sh\nls\n```\n");
        assert_eq!(fenced("", "a\n````\nb\n"), "`````\na\n````\nb\n`````\n");
    }
}
