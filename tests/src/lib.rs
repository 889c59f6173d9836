//! One test binary (linking Burn once): a module for each thing that is shown.
#![cfg(test)]

mod adaptation;
mod bad_input;
mod checks;
mod cli;
mod command;
mod data;
mod embedded;
mod explain;
mod families;
mod heads;
mod hub;
mod metrics;
mod page;
mod parity;
mod state;
mod strings;
mod support;
mod tokens;
mod variants;
