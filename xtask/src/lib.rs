//! The part of `xtask` that the tests share: the static server.

pub mod serve;
