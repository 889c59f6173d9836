//! A long-lived process that speaks JSON lines: one request in, one answer out.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

pub struct Worker {
    name: String,
    child: Child,
    /// `None` once it is told to end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// What comes back of a request.
pub struct Answer {
    /// Milliseconds of each iteration.
    pub ms: Vec<f64>,
    /// `[batch, classes]`, of a forward.
    pub logits: Vec<Vec<f64>>,
    /// The mean loss of the last step, of a training.
    pub loss: Option<f64>,
}

impl Worker {
    pub fn start(name: &str, command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{name} could not be started"))?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("it was asked to be a pipe")?;
        Ok(Self { name: name.into(), child, input, output: BufReader::new(output) })
    }

    pub fn ask(&mut self, request: &Value) -> Result<Answer> {
        let input = self.input.as_mut().context("it ends only when dropped")?;
        let sent = writeln!(input, "{request}").and_then(|()| input.flush());
        let mut line = String::new();
        let read = sent.and_then(|()| self.output.read_line(&mut line));
        if read.with_context(|| format!("{} does not answer", self.name))? == 0 {
            bail!("{} ended; its own words are above", self.name);
        }
        let answer: Value = serde_json::from_str(&line)
            .with_context(|| format!("{} answered no JSON: {line}", self.name))?;
        if let Some(error) = answer["error"].as_str() {
            bail!("{}: {error}", self.name);
        }
        let rows = answer["logits"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(Answer {
            ms: numbers(&answer["ms"]),
            logits: rows.iter().map(numbers).collect(),
            loss: answer["loss"].as_f64(),
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The end of its input is the end of its work.
        self.input.take();
        if let Err(error) = self.child.wait() {
            eprintln!("{} did not end: {error}", self.name);
        }
    }
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}
