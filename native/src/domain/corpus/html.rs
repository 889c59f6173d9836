//! HTML: the text of its paragraphs.

use html5gum::{DefaultEmitter, Token, Tokenizer};

use super::clean;
use super::report::{Reason, Report};

/// Elements that begin and end a paragraph.
const BLOCKS: [&str; 34] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "caption",
    "dd",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "td",
    "tr",
    "ul",
];
/// Elements that are no text, or not that of the page.
const NO_PROSE: [&str; 15] = [
    "aside", "button", "code", "footer", "head", "header", "iframe", "nav", "noscript", "pre",
    "script", "select", "style", "svg", "template",
];

/// So many of these may be open; more are no page.
const DEEPEST: usize = 100;

/// The paragraphs of a page. What stands in menus, headers, footers and code is counted.
pub fn blocks(content: &str, report: &mut Report) -> Vec<String> {
    let mut emitter: DefaultEmitter = DefaultEmitter::default();
    // So that what scripts and styles say is not taken for elements.
    emitter.naively_switch_states(true);
    let mut found = Vec::new();
    let mut block = String::new();
    let mut no_prose: Vec<String> = Vec::new();
    let mut end = |block: &mut String, is_prose: bool, report: &mut Report| {
        let text = clean::spaces(&std::mem::take(block));
        match (text.is_empty(), is_prose) {
            (true, _) => {}
            (_, true) => found.push(text),
            (_, false) => report.drop(Reason::Boilerplate, &text),
        }
    };
    for Ok(token) in Tokenizer::new_with_emitter(content, emitter) {
        match token {
            Token::StartTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                let opens_no_prose = NO_PROSE.contains(&name.as_str()) && !tag.self_closing;
                let is_block = BLOCKS.contains(&name.as_str());
                if is_block || opens_no_prose {
                    end(&mut block, no_prose.is_empty(), report);
                }
                // Its end tag may be left out.
                if is_block && no_prose == ["head"] {
                    no_prose.clear();
                }
                if opens_no_prose && no_prose.len() < DEEPEST {
                    no_prose.push(name);
                }
            }
            Token::EndTag(tag) => {
                let name = String::from_utf8_lossy(&tag.name).into_owned();
                let opened = no_prose.iter().rposition(|open| *open == name);
                if BLOCKS.contains(&name.as_str()) || opened.is_some() {
                    end(&mut block, no_prose.is_empty(), report);
                }
                if let Some(opened) = opened {
                    no_prose.truncate(opened);
                }
            }
            Token::String(text) => block.push_str(&String::from_utf8_lossy(&text)),
            _ => {}
        }
    }
    end(&mut block, no_prose.is_empty(), report);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prose(page: &str) -> Vec<String> {
        blocks(page, &mut Report::default())
    }

    #[test]
    fn a_head_ends_where_the_body_begins_and_forms_hold_prose() {
        for body in ["<body>", "", "</head>"] {
            let page =
                format!("<head><title>T</title>{body}<form><p>Prose.</p><select>No</select>");
            assert_eq!(prose(&page), ["Prose."], "{body}");
        }
        assert!(prose("<head><nav><p>Home</p></nav><noscript><p>No").is_empty());
    }

    #[test]
    fn depth_is_no_matter() {
        for ends in ["</b>", "</nav>", "</pre>"] {
            let page = "<pre>".repeat(300_000) + &ends.repeat(300_000) + "<p>End";
            assert_eq!(prose(&page).len(), usize::from(ends == "</pre>"));
        }
    }

    #[test]
    fn paragraphs_stay_and_what_is_around_them_goes() {
        let page = "<html><head><title>T</title><style>p { color: red }</style></head><body>\
            <nav><a href=x>Home</a></nav><h1>The Heart</h1><p>It <em>pumps</em>\n blood &amp; more.\
            <script>if (a < b) { document.write('<p>no</p>') }</script><ul><li>One<li>Two</ul>\
            <footer><p>All rights reserved</p></footer><p>Last";
        let mut report = Report::default();
        let expected = ["The Heart", "It pumps blood & more.", "One", "Two", "Last"];
        assert_eq!(blocks(page, &mut report), expected);
        assert!(report.dropped(Reason::Boilerplate) >= 2);
    }
}
