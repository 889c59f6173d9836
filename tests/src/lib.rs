//! One test binary (linking Burn once): a module for each thing that is shown.
#![cfg(test)]

mod adaptation;
mod attentions;
mod bad_input;
mod batching;
mod checks;
mod cli;
mod command;
mod data;
mod embedded;
mod explain;
mod families;
mod family_words;
mod fuzzed;
mod heads;
mod hub;
mod lesson;
mod lora;
mod metrics;
mod page;
mod parity;
mod questions;
mod recipe;
mod serve;
mod state;
mod statistics;
mod strings;
mod support;
mod tokens;
mod variants;
