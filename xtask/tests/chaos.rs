//! A short series of `cargo xtask chaos`.

use std::path::PathBuf;

use xtask::chaos::{Series, chaos};

#[test]
fn training_survives_a_short_series() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    // Beside this test, where `cargo build` puts it: <target>/release/deps/chaos-…
    let built = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("emberlab");
    let emberlab = std::env::var_os("EMBERLAB_BIN").map_or(built, PathBuf::from);
    let emberlab = emberlab.canonicalize().expect("cargo build --release --package emberlab");
    let folder = std::env::temp_dir().join(format!("emberlab-chaos-{}", std::process::id()));
    let series =
        Series { kills: 6, faults: 40, memory_limits: 2, resumes: 2, data_changes: 6, seed: 1 };
    let figures = chaos(&root.canonicalize().unwrap(), &emberlab, &folder, series).unwrap();
    println!("{figures}");
    assert_eq!((figures.kills, figures.faults, figures.memory_limits), (6, 40, 2));
    assert_eq!((figures.resumes, figures.data_changes), (2, 6));
    assert!(figures.refused_data > 0, "no other data were refused: {figures}");
    assert!(figures.ended_by_fault > 0, "no fault was felt: {figures}");
}
