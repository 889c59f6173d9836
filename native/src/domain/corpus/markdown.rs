//! Markdown: its paragraphs without marks.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::clean;
use super::read::Section;
use super::report::{Reason, Report};
use crate::files::front_matter;

/// What stands below each heading `# …`, with that heading. Code and tables are counted.
pub fn sections(content: &str, report: &mut Report) -> Vec<Section> {
    // Not by the crate, to which what stands between any two rules is such a head.
    let head = ["---", "+++"].into_iter().find_map(|fence| front_matter(content, fence));
    let content = head.map_or(content, |(head, content)| {
        report.drop(Reason::NoProse, &clean::spaces(head));
        content
    });
    let mut sections = vec![(None, Vec::new())];
    let mut text = String::new();
    // So many images are open, whose words stand for what is not seen.
    let mut images = 0;
    for event in Parser::new_ext(content, options()) {
        match event {
            Event::Text(_) | Event::Code(_) | Event::InlineMath(_) if images > 0 => {}
            Event::Text(said) | Event::Code(said) | Event::Html(said) => text.push_str(&said),
            // It may be two prices.
            Event::InlineMath(said) => text.push_str(&format!("${said}$")),
            Event::InlineHtml(tag) if tag.starts_with("<br") => text.push(' '),
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::TableCell) => text.push(' '),
            Event::DisplayMath(said) => report.drop(Reason::NoProse, &clean::spaces(&said)),
            Event::Start(Tag::Image { .. }) => images += 1,
            Event::End(TagEnd::Image) => images -= 1,
            Event::Start(tag) if begins_block(&tag) => end_block(&mut text, &mut sections),
            Event::End(TagEnd::Heading(HeadingLevel::H1)) => {
                sections.push((Some(clean::spaces(&std::mem::take(&mut text))), Vec::new()));
            }
            Event::End(TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::Table) => {
                report.drop(Reason::NoProse, &clean::spaces(&std::mem::take(&mut text)));
            }
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item) => {
                end_block(&mut text, &mut sections);
            }
            _ => {}
        }
    }
    sections.retain(|(_, blocks)| !blocks.is_empty());
    sections
}

/// GitHub's, with formulas.
fn options() -> Options {
    Options::ENABLE_GFM
        | Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_MATH
}

/// Whether what came before it is a block of its own: the words of an item, where a list or code follows.
fn begins_block(tag: &Tag) -> bool {
    !matches!(
        tag,
        Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Link { .. }
            | Tag::TableHead
            | Tag::TableRow
            | Tag::TableCell
    )
}

fn end_block(text: &mut String, sections: &mut [Section]) {
    let text = clean::spaces(&std::mem::take(text));
    if let Some((_, blocks)) = sections.last_mut().filter(|_| !text.is_empty()) {
        blocks.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_and_headings_part_documents() {
        let text = "---\ntitle: x\n---\nBefore.\n\n# The *Heart*\n\nIt **pumps** [blood](http://x)\n\
                    and `more`.\n\n- One\n- Two\n\n```\ncode\n```\n\n| a | b |\n|---|---|\n| c | d |\n";
        let mut report = Report::default();
        let found = sections(text, &mut report);
        assert_eq!(found[0], (None, vec!["Before.".to_owned()]));
        assert_eq!(found[1].0.as_deref(), Some("The Heart"));
        assert_eq!(found[1].1, ["It pumps blood and more.", "One", "Two"]);
        assert_eq!(report.dropped(Reason::NoProse), 3);
    }

    #[test]
    fn depth_is_no_matter() {
        for deep in [">".repeat(100_000), "- ".repeat(100_000), "*".repeat(100_000)] {
            let found = sections(&format!("{deep} a word"), &mut Report::default());
            assert!(found[0].1.last().is_some_and(|block| block.ends_with("a word")));
        }
    }

    #[test]
    fn rules_breaks_and_prices_keep_the_prose() {
        let text = "+++\ntitle = 1\n+++\nA<br>b.\n\n---\nBetween rules, $5-$10.\n\n---\n\nEnd.\n";
        let mut report = Report::default();
        let found = sections(text, &mut report);
        assert_eq!(found[0].1, ["A b.", "Between rules, $5-$10.", "End."]);
        assert_eq!(report.dropped(Reason::NoProse), 1);
    }

    #[test]
    fn each_item_is_a_block_and_images_say_nothing() {
        let text = "1. One <b>and</b>\n   - two\n\n     code? no\n2. three ![a picture](x.png)\n\n\
                    > quoted[^1]\n\n[^1]: A note.\n\n<div>\nmarkup\n</div>\n\n$$x^2$$\n";
        let mut report = Report::default();
        let found = sections(text, &mut report);
        assert_eq!(found[0].1, ["One and", "two", "code? no", "three", "quoted", "A note."]);
        assert_eq!(report.dropped(Reason::NoProse), 2);
    }
}
