#![no_main]

use emberlab_fuzz::{bounded, parsers, pass_guarded_panics};

libfuzzer_sys::fuzz_target!(init: pass_guarded_panics(), |bytes: &[u8]| {
    bounded(parsers::tokenizer, bytes)
});
