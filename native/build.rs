//! With the feature `page`: packs what `cargo xtask page` has built, for `emberlab serve`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// What packs well. Weights do not, and are asked for in parts.
const PACKED: [&str; 9] =
    ["css", "html", "js", "json", "jsonl", "rs", "svg", "wasm", "webmanifest"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_PAGE").is_none() {
        return;
    }
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    if let Err(error) = pack(&dist) {
        println!(
            "cargo::error=the feature `page` packs dist/, but {error}; remedy: cargo xtask page"
        );
    }
}

/// Writes `page.rs`: a `File` of `src/serve/page.rs` for each.
fn pack(dist: &Path) -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut files = Vec::new();
    list(dist, &mut files)?;
    files.sort();
    let mut source = String::from("&[\n");
    for (index, file) in files.iter().enumerate() {
        let name = file.strip_prefix(dist).unwrap_or(file).to_string_lossy().replace('\\', "/");
        let ending = file.extension().unwrap_or_default().to_string_lossy();
        let bytes = fs::read(file)?;
        let hash: String =
            Sha256::digest(&bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let packed = PACKED.contains(&&*ending);
        let contents = if packed {
            let gz = out.join(format!("{index}.gz"));
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&bytes)?;
            fs::write(&gz, encoder.finish()?)?;
            gz
        } else {
            file.canonicalize()?
        };
        let _ = writeln!(
            source,
            "File {{ name: {name:?}, bytes: include_bytes!({contents:?}), packed: {packed}, hash: {hash:?} }},"
        );
    }
    source.push(']');
    fs::write(out.join("page.rs"), source)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
