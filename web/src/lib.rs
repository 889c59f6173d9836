//! The page and the engines behind it, as three WebAssembly files from one crate.
//!
//! `page` runs on the main thread and knows nothing of models. `engine-cpu` and `engine-webgpu` are
//! dedicated workers around `emberlab-core`, each with one backend. [`messages`] is all that they
//! share.

#[cfg(feature = "engine")]
pub mod engine;
pub mod messages;
pub mod page;
