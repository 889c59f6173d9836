//! Masked language models, corpora, vocabularies and graders.

mod commands;
mod corpora;
mod graders;
mod grading;
mod masked_lm;
mod masking;
mod vocabulary;
