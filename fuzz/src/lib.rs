//! Fuzz targets for every parser that reads files of strangers. `cargo xtask fuzz` runs them.

use peak_alloc::PeakAlloc;

pub mod parsers;
#[path = "../../web/src/engine/zip.rs"]
mod zip;

/// What the page's own `problem.rs` is there, where its words are translated.
mod problem {
    pub struct Problem(pub String);

    impl Problem {
        pub fn new(message: String, _key: &str, _values: &[(&str, &str)]) -> Self {
            Self(message)
        }
    }

    impl From<String> for Problem {
        fn from(message: String) -> Self {
            Self(message)
        }
    }
}

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// A parser may take twice the file and 64 MB.
const MOST: usize = 64 << 20;

/// Runs a parser, and holds it to its memory.
pub fn bounded(parser: fn(&[u8]), bytes: &[u8]) {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    parser(bytes);
    let taken = MEMORY.peak_usage() - before;
    assert!(taken <= 2 * bytes.len() + MOST, "{} bytes took {taken}", bytes.len());
}

/// A model folder in a zip, as the page opens it. What comes out is no more than 200 times what went in.
pub fn zip_folder(bytes: &[u8]) {
    match zip::unpack("model.zip", bytes.to_vec()) {
        Ok(files) => {
            let unpacked: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
            assert!(unpacked <= 200 * (bytes.len() + 1), "{unpacked} bytes from {}", bytes.len());
            assert!(files.iter().all(|(name, _)| !name.contains("..") && !name.starts_with('/')));
            let _ = zip::pack(files).map_err(problem::Problem::from);
        }
        Err(problem::Problem(message)) => assert!(message.contains("model.zip")),
    }
}

/// libFuzzer's hook ends the process at a panic, also where it becomes an error.
pub fn pass_guarded_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !emberlab_core::is_panic_guarded() {
            hook(info);
        }
    }));
}
