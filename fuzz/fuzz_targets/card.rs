#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| emberlab_fuzz::parsers::card(bytes));
