//! HTML: the text of its paragraphs.

use std::convert::Infallible;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

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
    let mut page = Page::new(report);
    // Not the crate's tokens: it keeps one for each error in a text, until the text has ended.
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent, _: Span<()>| {
        page.see(event);
        None::<Infallible>
    });
    // So that what scripts and styles say is not taken for elements.
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(content, emitter).finish();
    page.end_block();
    page.found
}

/// A page on the way through it.
struct Page<'a> {
    report: &'a mut Report,
    /// The paragraphs so far.
    found: Vec<String>,
    /// The paragraph that is being read.
    block: String,
    /// The start tag that is being read.
    tag: String,
    /// The open elements that are no prose, outermost first.
    no_prose: Vec<String>,
}

impl<'a> Page<'a> {
    fn new(report: &'a mut Report) -> Self {
        let (found, no_prose) = (Vec::new(), Vec::new());
        Self { report, found, block: String::new(), tag: String::new(), no_prose }
    }

    fn see(&mut self, event: CallbackEvent) {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.tag = String::from_utf8_lossy(name).into_owned();
            }
            CallbackEvent::CloseStartTag { self_closing } => self.start(self_closing),
            CallbackEvent::EndTag { name } => self.end(&String::from_utf8_lossy(name)),
            CallbackEvent::String { value } => self.block += &String::from_utf8_lossy(value),
            _ => {}
        }
    }

    fn start(&mut self, self_closing: bool) {
        let name = std::mem::take(&mut self.tag);
        let opens_no_prose = NO_PROSE.contains(&name.as_str()) && !self_closing;
        let is_block = BLOCKS.contains(&name.as_str());
        if is_block || opens_no_prose {
            self.end_block();
        }
        // Its end tag may be left out.
        if is_block && self.no_prose == ["head"] {
            self.no_prose.clear();
        }
        if opens_no_prose && self.no_prose.len() < DEEPEST {
            self.no_prose.push(name);
        }
    }

    fn end(&mut self, name: &str) {
        let opened = self.no_prose.iter().rposition(|open| open == name);
        if BLOCKS.contains(&name) || opened.is_some() {
            self.end_block();
        }
        if let Some(opened) = opened {
            self.no_prose.truncate(opened);
        }
    }

    fn end_block(&mut self) {
        let text = clean::spaces(&std::mem::take(&mut self.block));
        match (text.is_empty(), self.no_prose.is_empty()) {
            (true, _) => {}
            (_, true) => self.found.push(text),
            (_, false) => self.report.drop(Reason::Boilerplate, &text),
        }
    }
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
