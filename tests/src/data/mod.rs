//! Data sets as `datasets` reads them, and tokens as `transformers` shows them.

mod formats;
mod inspect;
mod large;
mod slices;
mod splits;
mod tokenize;
