//! The few things that the page asks of the browser.
//!
//! What `index.html` must hold, and what no browser refuses, is taken for granted: a mistake there is ours
//! and throws at the first start, and code for errors that never come would be a third of the page.

use crate::messages::describe;
use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue, UnwrapThrowExt, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, Element, EventTarget, HtmlElement, Window};

pub fn window() -> Window {
    web_sys::window().unwrap_throw()
}

pub fn document() -> Document {
    window().document().unwrap_throw()
}

/// The element of `index.html` with this id.
pub fn by_id<T: JsCast>(id: &str) -> T {
    document().get_element_by_id(id).unwrap_throw().unchecked_into()
}

/// `<html>`
pub fn root() -> Element {
    document().document_element().unwrap_throw()
}

/// The elements that a CSS selector finds.
pub fn all(selector: &str) -> Vec<Element> {
    let found = document().query_selector_all(selector).unwrap_throw();
    (0..found.length()).filter_map(|index| Some(found.get(index)?.unchecked_into())).collect()
}

/// A new element `<tag class=…>text</tag>` at the end of `parent`.
pub fn append(parent: &Element, tag: &str, class: &str, text: &str) -> Element {
    let element = document().create_element(tag).unwrap_throw();
    if !class.is_empty() {
        element.set_class_name(class);
    }
    if !text.is_empty() {
        element.set_text_content(Some(text));
    }
    parent.append_child(&element).unwrap_throw();
    element
}

/// A new control `<tag>` of this type at the end of `parent`.
pub fn append_as<T: JsCast>(parent: &Element, tag: &str, class: &str) -> T {
    append(parent, tag, class, "").unchecked_into()
}

/// Attributes of an element, in one go.
pub fn set(element: &Element, attributes: &[(&str, &str)]) {
    for (name, value) in attributes {
        element.set_attribute(name, value).unwrap_throw();
    }
}

/// A property of the element's style, for `style.css` to work with.
pub fn set_style(element: &HtmlElement, name: &str, value: &str) {
    element.style().set_property(name, value).unwrap_throw();
}

pub fn show(element: &HtmlElement, visible: bool) {
    element.set_hidden(!visible);
}

/// Gives the focus to what the first of these CSS selectors that finds anything finds.
pub fn focus(selectors: &[&str]) {
    let find = |selector: &&str| root().query_selector(selector).ok().flatten();
    if let Some(found) = selectors.iter().find_map(find) {
        let _ = found.unchecked_into::<HtmlElement>().focus();
    }
}

/// The number in an event target's attribute, or in the nearest such attribute around it.
pub fn number_at(target: Option<EventTarget>, attribute: &str) -> Option<usize> {
    let element: Element = target?.dyn_into().ok()?;
    let holder = element.closest(&["[", attribute, "]"].concat()).ok()??;
    holder.get_attribute(attribute)?.parse().ok()
}

/// Calls `handler` on each such event for as long as the page lives.
pub fn on<E: JsCast + 'static>(
    target: &EventTarget,
    event: &str,
    mut handler: impl FnMut(E) + 'static,
) {
    listen(target, event, Box::new(move |event| handler(event.unchecked_into())));
}

fn listen(target: &EventTarget, event: &str, handler: Box<dyn FnMut(JsValue)>) {
    let callback = callback(handler);
    target.add_event_listener_with_callback(event, callback.unchecked_ref()).unwrap_throw();
}

/// A JavaScript function that lives as long as JavaScript needs it.
pub fn callback(handler: Box<dyn FnMut(JsValue)>) -> JsValue {
    Closure::wrap(handler).into_js_value()
}

/// Milliseconds since the page began.
pub fn now() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

/// Notes a moment for whoever observes the page's performance.
pub fn mark(name: &str) {
    if let Some(clock) = window().performance() {
        let _ = clock.mark(name);
    }
}

/// Waits. A window that refuses to set a timer is on its way out, and then nothing is waited for.
pub async fn sleep(milliseconds: i32) {
    let mut timer = Timer(None);
    let promise = Promise::new(&mut |resolve: Function, _: Function| {
        timer.0 = window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds)
            .ok();
        if timer.0.is_none() {
            let _ = resolve.call0(&JsValue::UNDEFINED);
        }
    });
    let _ = JsFuture::from(promise).await;
}

/// A timer that is cleared when nobody waits for it any more.
struct Timer(Option<i32>);

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(timer) = self.0 {
            window().clear_timeout_with_handle(timer);
        }
    }
}

/// Waits for a promise; its rejection in words.
pub async fn settle(promise: Promise) -> Result<JsValue, String> {
    JsFuture::from(promise).await.map_err(|error| describe(&error))
}
