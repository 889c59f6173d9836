//! One test binary (linking Burn once): a module for each thing that is shown.
#![cfg(test)]

mod page;
mod parity;
mod support;
mod variants;
mod embedded;
mod metrics;
mod tokens;
