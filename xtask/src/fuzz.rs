//! The fuzz targets of `fuzz/`, one after the other, led by the coverage of the code that they reach.
//!
//! libFuzzer's counters are an LLVM pass that the pinned stable compiler has, too, so neither a nightly one nor
//! cargo-fuzz is needed. Sanitizers are: they would look for what `unsafe` code can do, which none of the parsers has.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::workspace::{Workspace, run};

const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// What cargo-fuzz sets for a build without a sanitizer.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// Bytes of an input, and MB of memory that a target may take for one.
const LONGEST: usize = 1 << 16;
const MEMORY: usize = 2048;
/// Seconds that one input may take: more than a Parquet file is given (`native/src/load/parquet.rs`).
const SLOWEST: usize = 75;

/// Runs the named targets, or all, for so many seconds each.
///
/// # Errors
/// A target panicked, hung or took too much memory; the input lies in the target folder.
pub fn fuzz(workspace: &Workspace, seconds: usize, named: &[String]) -> Result<()> {
    let targets = targets(workspace)?;
    for name in named {
        ensure!(targets.contains(name), "no target `{name}`; there is: {}", targets.join(", "));
    }
    let folder = workspace.target.join("fuzz");
    let mut build = workspace.cargo(&["build", "--release", "--locked", "--bins"]);
    build.args(["--manifest-path", "fuzz/Cargo.toml", "--target", TRIPLE]);
    build.env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", &folder);
    run(&mut build, "it needs a C++ compiler for libFuzzer (Debian: `apt-get install g++`)")?;
    for name in targets.iter().filter(|name| named.is_empty() || named.contains(*name)) {
        // What it finds on the way stays outside the repository.
        let found = folder.join("corpus").join(name);
        fs::create_dir_all(&found).with_context(|| format!("cannot write {}", found.display()))?;
        let program = folder.join(TRIPLE).join("release").join(name);
        let mut fuzzing = workspace.command(program, &[]);
        fuzzing.arg(&found).arg(workspace.root.join("fuzz/corpus").join(name));
        fuzzing.arg(format!("-artifact_prefix={}/{name}-", folder.display()));
        fuzzing.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={LONGEST}"));
        fuzzing.arg(format!("-rss_limit_mb={MEMORY}")).arg(format!("-timeout={SLOWEST}"));
        fuzzing.args(["-print_final_stats=1", "-verbosity=0"]);
        run(&mut fuzzing, "the program above repeats it, given the file that it wrote")?;
    }
    Ok(())
}

/// Their names are those of their corpora.
fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let folder = workspace.root.join("fuzz/corpus");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names: Vec<String> = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    names.sort();
    Ok(names)
}
