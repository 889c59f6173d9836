//! A model in a folder of the page's own origin, which is fetched.

use super::{
    dom::{by_id, callback, document, settle, show, window},
    model::Model,
    text::{decimal, fill, percent},
};
use crate::messages::describe;
use js_sys::{Array, Promise};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{
    HtmlElement, HtmlProgressElement, RequestInit, RequestRedirect, Response, Url, UrlSearchParams,
};

/// What the page opens when no `?model=` names another folder.
const DEFAULT_FOLDER: &str = "models/emotions";
/// What is fetched of a folder beside its weights; `vocab.txt` only where there is no `tokenizer.json`.
const FILES: [&str; 3] = ["config.json", "tokenizer.json", "tokenizer_config.json"];
/// What is asked for first of the weights; `web/load.js` knows the other names.
const WEIGHTS: &str = "model.safetensors";

#[wasm_bindgen(raw_module = "./load.js")]
extern "C" {
    /// Loads large files, and goes on with what was interrupted: see `web/load.js`. The promise is for pairs of
    /// a name and a `Blob`, or the status that the host answered.
    fn weights(base: &str, tell: &JsValue) -> Promise;
}

/// Fetches the folder named by `?model=`, or the default.
pub async fn wished() -> Result<Model, String> {
    let wished = wished_folder().map_err(|error| describe(&error))?;
    open(wished.as_deref().unwrap_or(DEFAULT_FOLDER)).await
}

/// Fetches a folder of the site.
pub async fn open(folder: &str) -> Result<Model, String> {
    let base = own_folder(folder).map_err(|error| describe(&error))?;
    // All files are started before the first is waited for.
    let (weights, others) = (Weights::start(&base), FILES.map(|name| Fetch::start(&base, name)));
    let mut files = Vec::new();
    for file in others {
        files.extend(file.finish().await?);
    }
    if !files.iter().any(|(name, _)| name == "tokenizer.json") {
        files.extend(Fetch::start(&base, "vocab.txt").finish().await?);
    }
    for file in weights.finish().await? {
        files.extend(file?);
    }
    if files.is_empty() {
        return Err(fill("model.none_there", &[("folder", folder)]));
    }
    Ok(Model::new(name(folder).into(), files))
}

/// What the model in a folder is called.
pub fn name(folder: &str) -> &str {
    folder.trim_end_matches('/').rsplit('/').next().unwrap_or(folder)
}

fn wished_folder() -> Result<Option<String>, JsValue> {
    let query = window().location().search()?;
    Ok(UrlSearchParams::new_with_str(&query)?.get("model").filter(|folder| !folder.is_empty()))
}

/// The folder's address, which must be on this page's own origin.
fn own_folder(folder: &str) -> Result<String, JsValue> {
    let location = window().location();
    let base = document().base_uri()?.unwrap_or_default();
    let url = Url::new_with_base(&[folder.trim_end_matches('/'), "/"].concat(), &base)
        .map_err(|_| fill("model.no_folder", &[("folder", folder)]))?;
    // Of an address with a name and a password, `fetch` gives nothing.
    let credentials = url.username() + &url.password();
    let is_ours = url.origin() == location.origin()? && url.protocol() == location.protocol()?;
    if !is_ours || !credentials.is_empty() {
        let values = [("folder", folder), ("example", DEFAULT_FOLDER)];
        return Err(fill("model.elsewhere", &values).into());
    }
    Ok(url.href())
}

/// A file's name and blob; nothing when the host has no such file.
type Fetched = Result<Option<(String, JsValue)>, String>;

/// A small file on its way.
struct Fetch {
    name: &'static str,
    response: Promise,
}

impl Fetch {
    /// A redirect could lead to another origin, so it is refused.
    fn start(base: &str, name: &'static str) -> Self {
        let init = RequestInit::new();
        init.set_redirect(RequestRedirect::Error);
        Self { name, response: window().fetch_with_str_and_init(&[base, name].concat(), &init) }
    }

    async fn finish(self) -> Fetched {
        let failed = |why: String| not_loaded(self.name, &why);
        let response: Response = settle(self.response).await.map_err(failed)?.unchecked_into();
        if !response.ok() {
            return refused(self.name, response.status());
        }
        let blob = response.blob().map_err(|error| failed(describe(&error)))?;
        Ok(Some((self.name.into(), settle(blob).await.map_err(failed)?)))
    }
}

/// The weights on their way: a person sees how far they are.
struct Weights {
    files: Promise,
    /// The file that is loaded, and how much of it has come.
    now: Rc<RefCell<(String, f64)>>,
}

impl Weights {
    fn start(base: &str) -> Self {
        let now = Rc::new(RefCell::new((String::from(WEIGHTS), 0.0)));
        let told = now.clone();
        let tell = callback(Box::new(move |progress| {
            let progress: Array = progress.unchecked_into();
            let name = progress.get(0).as_string().unwrap_or_default();
            let [done, total] =
                [1, 2].map(|place| progress.get(place).as_f64().unwrap_or_default());
            show_progress(&name, done, total);
            *told.borrow_mut() = (name, done);
        }));
        Self { files: weights(base, &tell), now }
    }

    async fn finish(self) -> Result<impl Iterator<Item = Fetched>, String> {
        let found = settle(self.files).await;
        show(&by_id::<HtmlElement>("loading"), false);
        let found: Array = found
            .map_err(|why| {
                let (name, bytes) = &*self.now.borrow();
                match bytes {
                    0.0 => not_loaded(name, &why),
                    _ => fill("loading.broken", &[("file", name), ("n", &megabytes(*bytes))]),
                }
            })?
            .unchecked_into();
        Ok((0..found.length()).map(move |at| {
            let pair: Array = found.get(at).unchecked_into();
            let (name, blob) = (pair.get(0).as_string().unwrap_or_default(), pair.get(1));
            match blob.as_f64() {
                Some(status) => refused(&name, status as u16),
                None => Ok(Some((name, blob))),
            }
        }))
    }
}

fn show_progress(name: &str, done: f64, total: f64) {
    let bar: HtmlProgressElement = by_id("loading-bar");
    let (done_mb, total_mb) = (megabytes(done), megabytes(total));
    let values = [("file", name), ("n", &*done_mb), ("all", &total_mb)];
    let said = if total > 0.0 {
        bar.set_value(done / total);
        [fill("loading.so_far", &values), " (".into(), percent(done / total, 0), ")".into()]
            .concat()
    } else {
        fill("loading.bytes", &values)
    };
    by_id::<HtmlElement>("loading-said").set_text_content(Some(&said));
    show(&by_id::<HtmlElement>("loading"), true);
}

fn megabytes(bytes: f64) -> String {
    decimal(bytes / 1e6, 1)
}

fn not_loaded(file: &str, why: &str) -> String {
    fill("model.not_loaded", &[("file", file), ("why", why)])
}

fn refused(name: &str, status: u16) -> Fetched {
    match status {
        404 => Ok(None),
        status => Err(not_loaded(name, &fill("model.status", &[("n", &status.to_string())]))),
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_folder_is_called_by_its_last_part() {
        assert_eq!(name("models/emotions"), "emotions");
        assert_eq!(name("models/emotions/"), "emotions");
        assert_eq!(name("emotions"), "emotions");
    }
}
