//! Leaves the names of functions out of the WebAssembly files: a fifth of what a visitor downloads.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|target| target == "wasm32") {
        println!("cargo::rustc-link-arg-bins=--strip-all");
        // wasm-bindgen looks there for what the code may use.
        println!("cargo::rustc-link-arg-bins=--keep-section=target_features");
    }
}
