//! What `web/teach/` shows: why a text is classified as it is, the lesson, and what teachers need. Its
//! scripts are loaded when they are opened, so that nobody else pays for them.

use super::{
    Page,
    dom::{by_id, document, on, window},
    text::text,
};
use crate::messages::{Request, Response, property};
use js_sys::Promise;
use std::rc::Rc;
use wasm_bindgen::{JsValue, UnwrapThrowExt, closure::Closure, prelude::wasm_bindgen};
use wasm_bindgen_futures::future_to_promise;
use web_sys::{Event, HtmlElement};

/// A link of these carries settings for a training.
const SETTINGS: &str = "settings=";

#[wasm_bindgen(raw_module = "./load.js")]
extern "C" {
    /// Loads `teach/<script>.js`, once, and calls what it exports as `open`: see `web/load.js`.
    fn open(script: &str, ask: &JsValue);
}

/// Loads what is shown in its view.
pub fn open_view(view: &str) {
    open(view, &JsValue::UNDEFINED);
}

/// Says that there is a new answer, which may be explained.
pub fn tell_answered() {
    let event = Event::new("answered").unwrap_throw();
    let _ = document().dispatch_event(&event);
}

pub fn listen(page: &Rc<Page>) {
    let page = page.clone();
    let ask = Closure::<dyn FnMut(JsValue) -> Promise>::new(move |request| {
        let page = page.clone();
        future_to_promise(async move { Ok(page.ask_script(request).await?) })
    });
    let ask = ask.into_js_value();
    on(&by_id::<HtmlElement>("why"), "toggle", move |_: Event| open("explain", &ask));
    if window().location().search().is_ok_and(|query| query.contains(SETTINGS)) {
        open_view("share");
    }
}

impl Page {
    /// Asks the open model, or, where the request says `other`, the one beside it.
    async fn ask_script(&self, request: JsValue) -> Result<JsValue, String> {
        let is_other = property(&request, "other").is_truthy();
        let request = Request::Script(request);
        let answer = match is_other {
            true => self.compare.ask(&request).await?,
            false => self.engines.ask(&request).await?,
        };
        match answer {
            Response::Script(answer) => Ok(answer),
            _ => Err(text("engine.odd")),
        }
    }
}
