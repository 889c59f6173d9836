//! A short soak: memory is seen, and has stopped growing.

use std::path::PathBuf;

use xtask::soak::soak;

/// The short one is noisier than the 10,000 steps that `cargo xtask soak` takes.
const MOST_GROWTH: f64 = 8.0;

#[test]
fn memory_stays_as_it_is() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("emberlab");
    let emberlab = std::env::var_os("EMBERLAB_BIN").map_or(built, PathBuf::from);
    let emberlab = emberlab.canonicalize().expect("cargo build --release --package emberlab");
    let folder = std::env::temp_dir().join(format!("emberlab-soak-{}", std::process::id()));
    let figures = soak(&root.canonicalize().unwrap(), &emberlab, &folder, 1000).unwrap();
    println!("{figures}");
    assert!(figures.growth < MOST_GROWTH, "{figures}");
}
