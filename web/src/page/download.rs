//! Files that the page hands out: made here, sent nowhere.

use super::dom::document;
use js_sys::Array;
use wasm_bindgen::{JsCast, UnwrapThrowExt};
use web_sys::{Blob, HtmlAnchorElement, Url};

/// Lets the browser save `blob` under this name.
pub fn save(name: &str, blob: &Blob) {
    let address = Url::create_object_url_with_blob(blob).unwrap_throw();
    let link = document().create_element("a").unwrap_throw();
    let link: HtmlAnchorElement = link.unchecked_into();
    link.set_href(&address);
    link.set_download(name);
    link.click();
    Url::revoke_object_url(&address).unwrap_throw();
}

/// A file of this text.
pub fn text_file(text: &str) -> Blob {
    Blob::new_with_str_sequence(&Array::of1(&text.into())).unwrap_throw()
}

/// A cell of a CSV file (RFC 4180).
pub fn csv_cell(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        ["\"", &cell.replace('"', "\"\""), "\""].concat()
    } else {
        cell.into()
    }
}

#[cfg(test)]
mod tests {
    use super::csv_cell;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(csv_cell("plain"), "plain");
        assert_eq!(csv_cell("a, b"), "\"a, b\"");
        assert_eq!(csv_cell("say \"no\"\n"), "\"say \"\"no\"\"\n\"");
    }
}
