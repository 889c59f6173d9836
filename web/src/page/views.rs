//! Which view is shown: the one that the address names after `#`, so that a link leads to it and
//! the browser's own buttons go back and forth.

use super::dom::{by_id, document, on, set, show, window};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, HtmlElement};

/// The first is shown where the address names none.
const VIEWS: [&str; 2] = ["classify", "fine-tune"];

pub fn listen() -> Result<(), JsValue> {
    let tab = window()?;
    on(&tab, "hashchange", |_: Event| drop(present()))?;
    present()?;
    document()?.body().ok_or("no body")?.set_hidden(false);
    Ok(())
}

fn present() -> Result<(), JsValue> {
    let hash = window()?.location().hash()?;
    let named = VIEWS.into_iter().find(|view| hash.strip_prefix('#') == Some(view));
    if named.is_none() && hash.len() > 1 {
        return Ok(()); // a place within the view, such as `#main`
    }
    let chosen = named.unwrap_or(VIEWS[0]);
    for view in VIEWS {
        show(&by_id::<HtmlElement>(&["view-", view].concat())?, view == chosen);
    }
    let links = document()?.query_selector_all("nav a")?;
    for link in (0..links.length()).filter_map(|index| links.get(index)) {
        let link: Element = link.unchecked_into();
        let is_chosen = link.get_attribute("href").is_some_and(|href| href[1..] == *chosen);
        set(&link, &[("aria-current", if is_chosen { "page" } else { "false" })])?;
    }
    Ok(())
}
