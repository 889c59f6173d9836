#![no_main]

libfuzzer_sys::fuzz_target!(init: emberlab_fuzz::pass_guarded_panics(), |bytes: &[u8]| {
    emberlab_fuzz::parsers::tokenizer(bytes)
});
