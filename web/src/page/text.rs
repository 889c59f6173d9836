//! What the page says, in the reader's language: `web/strings/en.json` and its translations.
//!
//! `index.html` names the strings of what always stands there (`data-text`, `data-label`,
//! `data-placeholder`); all else asks [`text`] and [`fill`].

use super::dom::{all, root, set, settle, window};
use crate::messages::{describe, property};
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Response;

/// The languages that there are; the first serves whoever reads none of them.
pub const LANGUAGES: [&str; 2] = ["en", "de"];
/// Where the browser remembers the choice.
const CHOICE: &str = "emberlab.language";
/// Attributes of `index.html` that name a string, and what is set to it.
const PLACES: [(&str, Option<&str>); 3] = [
    ("data-text", None),
    ("data-label", Some("aria-label")),
    ("data-placeholder", Some("placeholder")),
];

#[derive(Default)]
struct Language {
    strings: JsValue,
    hearers: Vec<Box<dyn Fn()>>,
}

thread_local! {
    static LANGUAGE: RefCell<Language> = RefCell::default();
}

/// The language that was chosen before, or else the browser's.
pub fn preferred() -> &'static str {
    let chosen = storage().and_then(|storage| storage.get_item(CHOICE).ok()?);
    let spoken = window().navigator().language();
    let known = |code: String| LANGUAGES.into_iter().find(|known| code.starts_with(known));
    chosen.or(spoken).and_then(known).unwrap_or(LANGUAGES[0])
}

/// Loads a language and says everything in it.
pub async fn speak(code: &str) -> Result<(), String> {
    let address = ["./strings/", code, ".json"].concat();
    let response: Response = settle(window().fetch_with_str(&address)).await?.unchecked_into();
    let strings = settle(response.json().map_err(|error| describe(&error))?).await?;
    LANGUAGE.with_borrow_mut(|language| language.strings = strings);
    translate(code);
    LANGUAGE.with_borrow(|language| language.hearers.iter().for_each(|hearer| hearer()));
    Ok(())
}

/// Speaks another language from now on, and after a reload.
pub async fn choose(code: &str) -> Result<(), String> {
    speak(code).await?;
    if let Some(storage) = storage() {
        let _ = storage.set_item(CHOICE, code);
    }
    Ok(())
}

/// The language that everything is said in.
pub fn spoken() -> String {
    root().get_attribute("lang").unwrap_or_default()
}

/// Calls `hearer` whenever the language changes.
pub fn on_change(hearer: impl Fn() + 'static) {
    LANGUAGE.with_borrow_mut(|language| language.hearers.push(Box::new(hearer)));
}

/// The string with this key; the key itself where it is missing.
pub fn text(key: &str) -> String {
    let found = LANGUAGE.with_borrow(|language| property(&language.strings, key).as_string());
    found.unwrap_or_else(|| key.into())
}

/// The string with this key, with a value for each `{name}` in it.
pub fn fill(key: &str, values: &[(&str, &str)]) -> String {
    filled(&text(key), values)
}

/// Braces in a value stay; its marks of direction, which would turn around the words behind it, do not.
fn filled(said: &str, values: &[(&str, &str)]) -> String {
    let turns = |c: &char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut parts = said.split('{');
    let mut filled = String::from(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => filled.extend(value.chars().filter(|c| !turns(c))),
            None => filled.extend(["{", name, "}"]),
        }
        filled.push_str(rest);
    }
    filled
}

/// [`fill`] with one count `{n}`, in the singular (`key.one`) or the plural (`key`).
pub fn counted(key: &str, count: usize) -> String {
    let value = count.to_string();
    match count {
        1 => fill(&[key, ".one"].concat(), &[("n", &value)]),
        _ => fill(key, &[("n", &value)]),
    }
}

/// `12.3`
pub fn decimal(value: f64, digits: u8) -> String {
    let fixed = js_sys::Number::from(value).to_fixed(digits);
    fixed.map_or_else(
        |_| String::new(),
        |fixed| String::from(fixed).replace('.', &text("number.mark")),
    )
}

/// Six digits for machines: a point in every language.
pub fn digits(value: f64) -> String {
    js_sys::Number::from(value).to_precision(6).map_or_else(|_| String::new(), String::from)
}

/// The number at the beginning of what was typed. (JavaScript's parser of decimals costs the page nothing.)
pub fn number(typed: &str) -> Option<f64> {
    let number = js_sys::Number::parse_float(typed);
    number.is_finite().then_some(number)
}

/// `0.001`, without the zeros at its end.
pub fn short(value: f64) -> String {
    digits(value).trim_end_matches('0').trim_end_matches('.').replace('.', &text("number.mark"))
}

/// `97.31%` of 0.9731
pub fn percent(share: f64, digits: u8) -> String {
    fill("number.percent", &[("n", &decimal(share * 100.0, digits))])
}

fn translate(code: &str) {
    set(&root(), &[("lang", code)]);
    for (place, attribute) in PLACES {
        for element in all(&["[", place, "]"].concat()) {
            let said = text(&element.get_attribute(place).unwrap_or_default());
            match attribute {
                Some(attribute) => set(&element, &[(attribute, &said)]),
                None => element.set_text_content(Some(&said)),
            }
        }
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok()?
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn a_value_stands_as_it_is() {
        let values = [("label", "{score} $&"), ("score", "a\u{2069}\u{202e}b")];
        let said = "The model says “{label}” ({score}); {n}:";
        assert_eq!(filled(said, &values), "The model says “{score} $&” (ab); {n}:");
        assert_eq!(filled("ready", &values), "ready");
    }
}
