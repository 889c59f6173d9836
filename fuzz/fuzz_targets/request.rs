#![no_main]

use emberlab_fuzz::{bounded, parsers};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bounded(parsers::request, bytes));
