//! Markdown: its paragraphs without marks.

use markdown::{ParseOptions, mdast::Node};

use super::clean;
use super::report::{Reason, Report};

/// What stands below each heading `# …`, with that heading. Code and tables are counted.
pub fn sections(content: &str, report: &mut Report) -> Vec<(Option<String>, Vec<String>)> {
    let mut options = ParseOptions::gfm();
    options.constructs.frontmatter = true;
    let mut sections = vec![(None, Vec::new())];
    // Without MDX, all text is Markdown, and there is no error.
    if let Ok(root) = markdown::to_mdast(content, &options) {
        walk(&root, &mut sections, report);
    }
    sections.retain(|(_, blocks)| !blocks.is_empty());
    sections
}

fn walk(node: &Node, sections: &mut Vec<(Option<String>, Vec<String>)>, report: &mut Report) {
    match node {
        Node::Heading(heading) if heading.depth == 1 => {
            sections.push((Some(clean::spaces(&node.to_string())), Vec::new()));
        }
        Node::Paragraph(_) | Node::Heading(_) => {
            let text = clean::spaces(&node.to_string());
            if let Some((_, blocks)) = sections.last_mut().filter(|_| !text.is_empty()) {
                blocks.push(text);
            }
        }
        Node::Code(_)
        | Node::Math(_)
        | Node::Table(_)
        | Node::Html(_)
        | Node::Yaml(_)
        | Node::Toml(_) => report.drop(Reason::NoProse, &clean::spaces(&text_of(node))),
        _ => {
            let children = node.children().map_or(&[][..], Vec::as_slice);
            children.iter().for_each(|child| walk(child, sections, report));
        }
    }
}

fn text_of(node: &Node) -> String {
    match node {
        Node::Code(code) => code.value.clone(),
        Node::Math(math) => math.value.clone(),
        Node::Html(html) => html.value.clone(),
        node => node.to_string(),
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
}
