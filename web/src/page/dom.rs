//! The few things that the page asks of the browser.

use crate::messages::describe;
use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, Element, EventTarget, HtmlElement, Window};

pub fn window() -> Result<Window, JsValue> {
    web_sys::window().ok_or_else(|| "not in a browser window".into())
}

pub fn document() -> Result<Document, JsValue> {
    window()?.document().ok_or_else(|| "no document".into())
}

/// The element of `index.html` with this id.
pub fn by_id<T: JsCast>(id: &str) -> Result<T, JsValue> {
    let element = document()?.get_element_by_id(id);
    element
        .and_then(|element| element.dyn_into().ok())
        .ok_or_else(|| JsValue::from(["index.html has no fitting element #", id].concat()))
}

/// A new element `<tag class=…>text</tag>` at the end of `parent`.
pub fn append(parent: &Element, tag: &str, class: &str, text: &str) -> Result<Element, JsValue> {
    let element = document()?.create_element(tag)?;
    if !class.is_empty() {
        element.set_class_name(class);
    }
    if !text.is_empty() {
        element.set_text_content(Some(text));
    }
    parent.append_child(&element)?;
    Ok(element)
}

/// A new control `<tag>` of this type at the end of `parent`.
pub fn append_as<T: JsCast>(parent: &Element, tag: &str, class: &str) -> Result<T, JsValue> {
    append(parent, tag, class, "")?.dyn_into().map_err(JsValue::from)
}

/// Attributes of an element, in one go.
pub fn set(element: &Element, attributes: &[(&str, &str)]) -> Result<(), JsValue> {
    attributes.iter().try_for_each(|(name, value)| element.set_attribute(name, value))
}

pub fn show(element: &HtmlElement, visible: bool) {
    element.set_hidden(!visible);
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
) -> Result<(), JsValue> {
    let handler: Box<dyn FnMut(JsValue)> = Box::new(move |event| handler(event.unchecked_into()));
    let closure = Closure::wrap(handler);
    target.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref())?;
    closure.forget();
    Ok(())
}

/// Milliseconds since the page began.
pub fn now() -> f64 {
    window().ok().and_then(|window| window.performance()).map_or(0.0, |clock| clock.now())
}

/// Waits. A window that refuses to set a timer is on its way out, and then nothing is waited for.
pub async fn sleep(milliseconds: i32) {
    let mut timer = Timer(None);
    let promise = Promise::new(&mut |resolve: Function, _: Function| {
        let set = |window: Window| {
            window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds)
        };
        timer.0 = window().and_then(set).ok();
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
        if let (Some(timer), Ok(window)) = (self.0, window()) {
            window.clear_timeout_with_handle(timer);
        }
    }
}

/// Waits for a promise; its rejection in words.
pub async fn settle(promise: Promise) -> Result<JsValue, String> {
    JsFuture::from(promise).await.map_err(|error| describe(&error))
}
