//! The parts of `xtask` that the tests share: the static server, and training that is disturbed.

pub mod chaos;
pub mod serve;
pub mod soak;
