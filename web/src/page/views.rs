//! Which view is shown: the one that the address names after `#`, so that a link leads to it and
//! the browser's own buttons go back and forth.

use super::{
    dom::{all, by_id, document, on, set, show, window},
    teach,
};
use wasm_bindgen::UnwrapThrowExt;
use web_sys::{Event, HtmlElement};

/// The first is shown where the address names none.
const VIEWS: [&str; 6] = ["classify", "fine-tune", "lesson", "fill-mask", "teachers", "live"];
/// Those that are loaded when they are opened.
const LOADED: [&str; 4] = ["lesson", "fill-mask", "teachers", "live"];

pub fn listen() {
    let tab = window();
    on(&tab, "hashchange", |_: Event| present());
    // Followed, the link would put `#main` in place of the view's name.
    for link in all(".skip") {
        on(&link, "click", |event: Event| {
            event.prevent_default();
            let _ = by_id::<HtmlElement>("main").focus();
        });
    }
    present();
    document().body().unwrap_throw().set_hidden(false);
}

fn present() {
    let hash = window().location().hash().unwrap_throw();
    let named = VIEWS.into_iter().find(|view| hash.strip_prefix('#') == Some(view));
    if named.is_none() && hash.len() > 1 {
        return; // a place within the view
    }
    let chosen = named.unwrap_or(VIEWS[0]);
    for view in VIEWS {
        show(&by_id::<HtmlElement>(&["view-", view].concat()), view == chosen);
    }
    if LOADED.contains(&chosen) {
        teach::open_view(chosen);
    }
    for link in all("nav a") {
        let is_chosen = link.get_attribute("href").is_some_and(|href| href.ends_with(chosen));
        set(&link, &[("aria-current", if is_chosen { "page" } else { "false" })]);
    }
}
