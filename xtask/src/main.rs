//! The project's habits as commands; `cargo xtask` lists them.

mod arguments;
mod bench;
mod demo;
mod deny;
mod fuzz;
mod large;
mod native;
mod page;
mod python;
mod setup;
mod stages;
mod study;
mod test;
mod validate;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use xtask::chaos::{Series, chaos};
use xtask::serve::Server;
use xtask::soak::{MOST_GROWTH, soak};

use crate::arguments::Arguments;
use crate::workspace::Workspace;

const USAGE: &str = "\
cargo xtask COMMAND

  demo [--no-serve] [--port N]     fine-tune on the embedded default, then serve the page with the new model
  test [--quick]                   check everything; --quick leaves out the page, the browser and Python

  setup                            install what is missing: wasm target, trunk, wasm-bindgen, npm packages, Chromium, and the
                                   Python libraries that we are held against (6 GB)
  page                             build the page into dist/
  validate                         formatting, lints, repository checks
  bench [--quick] [ROW…]           measure rows 1 to 12 of docs/benchmarks.md beside what people would use instead, and
                                   write them there; --quick: two minutes, only ratios, nothing is written
  large [ROWS…]                    peak memory and speed of train and predict on generated rows, 1 and 10 million if none
                                   are given; needs 8 GB of disk below the target folder, and an hour
  study emotion6                   three seeds of MiniLM-L6 on the public six-emotion set beside TF-IDF and a linear SVC, and
                                   docs/example-report of it; an hour on two slow cores
  study tasks                      pairs, scores, label sets and tags on public sets with three seeds, beside transformers;
                                   writes docs/tasks.md
  chaos [--kills N] [--resumes N] [--faults N] [--memory-limits N] [--data-changes N] [--seed N]
                                   kill and starve training runs, take their data away, and compare what they end in
                                   with an undisturbed one
  soak [--steps N]                 train bert-tiny for N steps (10000 if none are given) and fail where memory grows
  fuzz [--seconds N] [TARGET…]     go through the parsers' fuzz targets (fuzz/), 60 seconds each if not given; builds all
                                   dependencies once more
  deny                             licences, sources and advisories of all dependencies
  serve [DIR] [--port N] [--prefix /sub/folder/]
                                   serve DIR (default: dist) on 127.0.0.1

Both demo and test install what they need. Tools go into the target folder, nothing of yours is replaced.
";

enum Task {
    Help,
    Demo { serve: bool, port: Option<u16> },
    Test { quick: bool },
    Setup,
    Page,
    Validate,
    Bench { quick: bool, rows: Vec<u8> },
    Large { rows: Vec<usize> },
    Study(String),
    Chaos(Series),
    Soak { steps: usize },
    Fuzz { seconds: usize, targets: Vec<String> },
    Deny,
    Serve { folder: PathBuf, port: Option<u16>, prefix: String },
}

fn main() -> ExitCode {
    let task = match parse(Arguments::new(std::env::args().skip(1))) {
        Ok(task) => task,
        Err(error) => {
            eprintln!("error: {error:#}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match perform(task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: Arguments) -> Result<Task> {
    let task = match arguments.positional().as_deref() {
        None | Some("help") => Task::Help,
        Some("demo") => {
            Task::Demo { serve: !arguments.flag("--no-serve"), port: arguments.number("--port")? }
        }
        Some("test") => Task::Test { quick: arguments.flag("--quick") },
        Some("setup") => Task::Setup,
        Some("page") => Task::Page,
        Some("validate") => Task::Validate,
        Some("bench") => Task::Bench {
            quick: arguments.flag("--quick"),
            rows: bench::rows(std::iter::from_fn(|| arguments.positional()))?,
        },
        Some("large") => Task::Large {
            rows: std::iter::from_fn(|| arguments.positional())
                .map(|rows| rows.parse().with_context(|| format!("`{rows}` is no number of rows")))
                .collect::<Result<_>>()?,
        },
        Some("study") => {
            Task::Study(arguments.positional().context("name a study: emotion6 or tasks")?)
        }
        Some("chaos") => {
            let mut number = |name, usual| -> Result<usize> {
                Ok(arguments.number(name)?.map_or(usual, usize::from))
            };
            Task::Chaos(Series {
                kills: number("--kills", 50)?,
                faults: number("--faults", 100)?,
                memory_limits: number("--memory-limits", 5)?,
                resumes: number("--resumes", 5)?,
                data_changes: number("--data-changes", 33)?,
                seed: number("--seed", 1)? as u64,
            })
        }
        Some("soak") => {
            Task::Soak { steps: arguments.number("--steps")?.map_or(10_000, usize::from) }
        }
        Some("fuzz") => Task::Fuzz {
            seconds: arguments.number("--seconds")?.map_or(60, usize::from),
            targets: std::iter::from_fn(|| arguments.positional()).collect(),
        },
        Some("deny") => Task::Deny,
        Some("serve") => Task::Serve {
            port: arguments.number("--port")?,
            prefix: arguments.value("--prefix")?.unwrap_or_else(|| "/".to_owned()),
            folder: arguments.positional().unwrap_or_else(|| "dist".to_owned()).into(),
        },
        Some(other) => anyhow::bail!("there is no command `{other}`"),
    };
    arguments.finish()?;
    Ok(task)
}

fn perform(task: Task) -> Result<()> {
    match task {
        Task::Help => print!("{USAGE}"),
        Task::Demo { serve, port } => demo::demo(&Workspace::here()?, serve, port)?,
        Task::Test { quick } => test::test(&Workspace::here()?, quick)?,
        Task::Setup => setup::everything(&Workspace::here()?)?,
        Task::Page => page::page(&Workspace::here()?)?,
        Task::Validate => validate::validate(&Workspace::here()?)?,
        Task::Bench { quick, rows } => bench::bench(&Workspace::here()?, quick, &rows)?,
        Task::Large { rows } => large::large(&Workspace::here()?, &rows)?,
        Task::Study(name) => study::study(&Workspace::here()?, &name)?,
        Task::Chaos(series) => {
            let workspace = Workspace::here()?;
            let emberlab = native::build(&workspace)?;
            let folder = workspace.target.join("chaos");
            println!("{}", chaos(&workspace.root, &emberlab, &folder, series)?);
        }
        Task::Soak { steps } => {
            let workspace = Workspace::here()?;
            let emberlab = native::build(&workspace)?;
            let figures = soak(&workspace.root, &emberlab, &workspace.target.join("soak"), steps)?;
            println!("{figures}");
            ensure!(figures.growth <= MOST_GROWTH, "memory grows by more than {MOST_GROWTH} MB");
        }
        Task::Fuzz { seconds, targets } => fuzz::fuzz(&Workspace::here()?, seconds, &targets)?,
        Task::Deny => deny::deny(&Workspace::here()?)?,
        Task::Serve { folder, port, prefix } => {
            let server = Server::start(&folder, &prefix, port)?;
            println!("{} serves {}; Ctrl-C ends it", server.url(), folder.display());
            server.wait();
        }
    }
    Ok(())
}
