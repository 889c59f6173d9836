//! The command `emberlab`: parse, dispatch, exit code.
//!
//! 0 ok, 1 failed, 2 wrong usage (by clap), 130 interrupted.

use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::Once;

use anyhow::{Error, Result};
use clap::Parser;
use emberlab::cli::{Cli, Command, config_file};
use emberlab::machine::memory;
use emberlab::terminal::{interrupt, is_broken_pipe, note};
use emberlab::{
    Outcome, compare, convert, data, doctor, domain, evaluate, explain, lesson, predict, report,
    serve, tokenize, train,
};
use emberlab_core::Error::Device;
use emberlab_core::is_panic_guarded;
use emberlab_core::kernels::keep_freed_memory;

/// What helps where memory runs out in spite of the estimate.
const SMALLER: &str =
    "  take a smaller --batch-size (train: --auto-find-batch-size tries which fits)";

fn main() -> ExitCode {
    let words = match config_file::expanded(env::args_os().collect()) {
        Ok(words) => words,
        Err(error) => return failed(&error),
    };
    let cli = Cli::parse_from(words);
    announce_panics_in_one_line();
    keep_freed_memory();
    // On a thread of the pool, so that parallel work starts without a hand-over to it.
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| rayon::scope(|_| dispatch(cli.command))));
    match outcome {
        Ok(Ok(Outcome::Completed)) => ExitCode::SUCCESS,
        Ok(Ok(Outcome::Interrupted)) => ExitCode::from(interrupt::EXIT_CODE),
        // The reader of our output (`| head`) has seen enough.
        Ok(Err(error)) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Ok(Err(error)) => failed(&error),
        Err(_) => ExitCode::FAILURE,
    }
}

fn failed(error: &Error) -> ExitCode {
    note(format_args!("error: {error}"));
    error.chain().skip(1).for_each(|cause| note(format_args!("  {cause}")));
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
    if causes.any(|cause| matches!(cause, Device(said) if memory::ran_out(said))) {
        note(SMALLER);
    }
    ExitCode::FAILURE
}

fn dispatch(command: Command) -> Result<Outcome> {
    interrupt::install()?;
    match command {
        Command::Train(args) => train::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Lesson(args) => lesson::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Data(args) => data::run(&args),
        Command::Tokenize(args) => tokenize::run(&args),
        Command::Domain(command) => domain::run(&command),
        Command::Convert(args) => convert::run(&args),
        Command::Doctor => doctor::run(),
    }
}

/// A panic is a bug of ours or of a driver: one line, once, and never a backtrace at a user.
fn announce_panics_in_one_line() {
    static FIRST: Once = Once::new();
    panic::set_hook(Box::new(|info| {
        if is_panic_guarded() {
            return;
        }
        FIRST.call_once(|| {
            let message = info.payload_as_str().unwrap_or("no message").replace('\n', " ");
            let place = info.location().map(|at| format!(" ({at})")).unwrap_or_default();
            if memory::ran_out(&message) {
                return note(format_args!("error: {message}\n{SMALLER}"));
            }
            note(format_args!(
                "error: internal error: {message}{place}; please report this with the output of `emberlab doctor`"
            ));
        });
    }));
}
