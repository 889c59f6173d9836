#![no_main]

use emberlab_fuzz::{bounded, zip_folder};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bounded(zip_folder, bytes));
