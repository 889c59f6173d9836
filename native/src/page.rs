//! The frame of what is written as a page: it stands by itself, without a script or anything from
//! elsewhere, so that it opens from a disk and can be sent to somebody.

/// The look of the pages that report on something.
pub const STYLE: &str = include_str!("page.css");

/// A whole page; `title` and `body` are HTML already.
pub fn page(title: &str, style: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{style}</style>\n<main>\n{body}</main>\n</html>\n"
    )
}
