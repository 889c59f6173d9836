//! The models that come with the page, to open with a click.

use super::{
    Page,
    dom::{append, by_id, number_at, on, set},
    folder,
    text::text,
};
use std::rc::Rc;
use web_sys::{Element, MouseEvent};

/// Folders of the site with a classifier in them, and the strings that describe them.
const MODELS: [(&str, &str); 1] = [("models/emotions", "models.emotions")];

/// Where `emberlab serve` names the folders that it serves beside the page.
const SERVED: &str = "data-runs";

/// The folders of these models.
pub fn folders() -> impl Iterator<Item = String> {
    models().into_iter().map(|(folder, _)| folder)
}

fn models() -> Vec<(String, &'static str)> {
    let served = by_id::<Element>("gallery").get_attribute(SERVED).unwrap_or_default();
    let served = served.split_whitespace().map(|folder| (folder.into(), "models.served"));
    MODELS.into_iter().map(|(folder, about)| (folder.into(), about)).chain(served).collect()
}

pub struct Gallery {
    list: Element,
}

impl Gallery {
    pub fn new() -> Self {
        Self { list: by_id("gallery") }
    }

    pub fn listen(page: &Rc<Page>) {
        let clicked = page.clone();
        on(&page.gallery.list, "click", move |event: MouseEvent| {
            let index = number_at(event.target(), "data-model");
            if let Some(folder) = index.and_then(|index| folders().nth(index)) {
                clicked.open(async move { folder::open(&folder).await });
            }
        })
    }

    /// Shows the models, and which of them is open.
    pub fn render(&self, open: &str) {
        self.list.set_text_content(None);
        for (index, (folder, about)) in models().iter().enumerate() {
            let name = folder::name(folder);
            let item = append(&self.list, "li", "", "");
            let button = append(&item, "button", "", "");
            let pressed = if name == open { "true" } else { "false" };
            set(
                &button,
                &[
                    ("data-model", &index.to_string()),
                    ("type", "button"),
                    ("aria-pressed", pressed),
                ],
            );
            append(&button, "strong", "", name);
            append(&button, "span", "", &text(about));
        }
    }
}
