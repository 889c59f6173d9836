//! Data sets as `datasets` reads them, and tokens as `transformers` shows them.

mod formats;
mod inspect;
mod slices;
mod splits;
mod tokenize;
