//! Plain text: lines into paragraphs.

use super::clean;
use super::read::Section;

/// A line longer than this was not broken to fit a page.
const LONG_LINE: usize = 200;
/// Part of all lines that are longer where each line is a paragraph.
const LONG_LINES: f64 = 0.05;

/// What stands below each heading `# …`, with that heading.
pub fn sections(content: &str) -> Vec<Section> {
    let mut sections = vec![(None, String::new())];
    for line in content.lines() {
        match line.strip_prefix("# ") {
            Some(heading) => sections.push((Some(heading.trim().to_owned()), String::new())),
            None => {
                if let Some((_, text)) = sections.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    let lines: Vec<&str> = content.lines().filter(|line| !line.trim().is_empty()).collect();
    let long = lines.iter().filter(|line| line.chars().count() > LONG_LINE).count();
    let whole_lines = long as f64 > LONG_LINES * lines.len() as f64;
    let sections = sections.into_iter().filter(|(_, text)| !text.trim().is_empty());
    sections.map(|(heading, text)| (heading, paragraphs(&text, whole_lines))).collect()
}

/// Each line, or the lines between two blank ones with words mended that were broken at their ends.
pub fn paragraphs(text: &str, whole_lines: bool) -> Vec<String> {
    if whole_lines {
        return text.lines().map(clean::spaces).filter(|line| !line.is_empty()).collect();
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let hyphenated = clean::hyphenated(text);
    let blocks = lines.split(|line| line.is_empty()).filter(|block| !block.is_empty());
    blocks.map(|block| clean::joined(block, &hyphenated)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_between_blank_ones_and_sections_part_at_headings() {
        let text = "Before.\n\n# The Heart \nThe heart has four cham-\nbers and a well-\nknown rhythm.\n\
                    It is a well-known one.\n\n\nNext.\n";
        let found = sections(text);
        assert_eq!(found[0], (None, vec!["Before.".to_owned()]));
        let (heading, blocks) = &found[1];
        assert_eq!(heading.as_deref(), Some("The Heart"));
        let first = "The heart has four chambers and a well-known rhythm. It is a well-known one.";
        assert_eq!(blocks, &[first, "Next."]);
    }

    #[test]
    fn where_lines_are_long_each_is_a_paragraph() {
        let long = "word ".repeat(60);
        let found = sections(&format!("{long}\nA short one.\n{long}\n"));
        assert_eq!(found[0].1.len(), 3);
    }
}
