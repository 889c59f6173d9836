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

/// The folders of these models.
pub fn folders() -> impl Iterator<Item = &'static str> {
    MODELS.into_iter().map(|(folder, _)| folder)
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
            if let Some((folder, _)) = index.and_then(|index| MODELS.get(index)) {
                clicked.open(folder::open(folder));
            }
        })
    }

    /// Shows the models, and which of them is open.
    pub fn render(&self, open: &str) {
        self.list.set_text_content(None);
        for (index, (folder, about)) in MODELS.iter().enumerate() {
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
