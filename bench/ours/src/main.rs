//! Emberlab's side of the in-process rows: one JSON request a line in, one JSON answer a line out.
//!
//! The requests and answers are those of every peer; `bench/README.md` lists them.

mod matmul;
mod work;

use std::io::{self, BufRead, Write};

use anyhow::Result;
use serde_json::{Value, json};

use crate::work::{Request, Works};

fn main() -> Result<()> {
    // As `emberlab` itself starts.
    emberlab_core::kernels::keep_freed_memory();
    rayon::scope(|_| answer_all())
}

fn answer_all() -> Result<()> {
    let mut works = Works::default();
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = serde_json::from_str::<Request>(&line?)
            .map_err(anyhow::Error::from)
            .and_then(|request| works.answer(&request))
            .unwrap_or_else(|error: anyhow::Error| json!({ "error": format!("{error:#}") }));
        writeln!(output, "{}", Value::to_string(&answer))?;
        output.flush()?;
    }
    Ok(())
}
