//! Panics of libraries that take what a file says for sound, made errors. Where a panic ends the process, as in
//! WebAssembly, it still does.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread becomes an error, and is nothing to report.
pub fn is_panic_guarded() -> bool {
    GUARDED.get()
}

/// What `call` returns.
///
/// # Errors
/// The message of its panic.
pub fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    let before = GUARDED.replace(true);
    let called = catch_unwind(AssertUnwindSafe(call));
    GUARDED.set(before);
    called.map_err(|payload| match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast_ref::<&str>().copied().unwrap_or("no message").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_its_message() {
        assert_eq!(guarded(is_panic_guarded), Ok(true));
        let (nothing, at) = (Vec::<u8>::new(), 3);
        let said = guarded(|| nothing[at]).unwrap_err();
        assert!(said.contains("the len is 0 but the index is 3"), "{said}");
        assert_eq!(guarded(|| panic!("oh")), Err::<(), _>("oh".to_owned()));
        assert!(!is_panic_guarded());
    }
}
