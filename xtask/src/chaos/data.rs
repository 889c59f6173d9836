//! Data files that change or vanish while a run trains on them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::scene::{EVAL, TRAIN, check_resumed, said};
use super::{Figures, Scene};

/// What a change is called, and what it does to the file.
type Change = (&'static str, fn(&Path) -> io::Result<()>);

/// What happens to a file.
const CHANGES: [Change; 5] = [
    ("holds other rows", |file| fs::write(file, "text,label\nNo row of this run,joy\n")),
    ("has a row more", |file| {
        let mut file = OpenOptions::new().append(true).open(file)?;
        file.write_all(b"{\"text\": \"one more\", \"label\": \"joy\"}\n")
    }),
    ("is cut off", |file| {
        let length = file.metadata()?.len();
        OpenOptions::new().write(true).open(file)?.set_len(length / 2)
    }),
    ("is empty", |file| File::create(file).map(drop)),
    ("is gone", |file| fs::remove_file(file)),
];

/// One disturbance of one run.
#[derive(Clone, Copy, Debug)]
pub enum Case {
    /// A file of the data changes after the first checkpoint; then the run is killed, or left alone.
    Change { file: &'static str, change: usize, killed: bool },
    /// The data change while the tokenized rows of a stream are made of them.
    WhileTokenized,
    /// The file of tokenized rows is damaged after the first checkpoint.
    RowsDamaged,
    /// It is gone.
    RowsGone,
}

/// Those of a set in memory.
pub fn small_cases() -> Vec<Case> {
    [TRAIN, EVAL].into_iter().flat_map(changes).collect()
}

/// Those of a stream.
pub fn stream_cases() -> Vec<Case> {
    changes(TRAIN).chain([Case::WhileTokenized, Case::RowsDamaged, Case::RowsGone]).collect()
}

fn changes(file: &'static str) -> impl Iterator<Item = Case> {
    let ends = [true, false];
    (0..CHANGES.len())
        .flat_map(move |change| ends.map(|killed| Case::Change { file, change, killed }))
}

pub fn series(scene: &Scene, cases: &[Case], figures: &mut Figures) -> Result<()> {
    for &case in cases {
        scene.clear()?;
        let disturbed = match case {
            Case::Change { file, change, killed } => changed(scene, file, change, killed, figures),
            Case::WhileTokenized => while_tokenized(scene),
            Case::RowsDamaged => rows_damaged(scene),
            Case::RowsGone => rows_gone(scene),
        };
        disturbed.with_context(|| match case {
            Case::Change { file, change, .. } => format!("{case:?}: {file} {}", CHANGES[change].0),
            _ => format!("{case:?}"),
        })?;
        figures.data_changes += 1;
    }
    Ok(())
}

fn changed(
    scene: &Scene,
    file: &str,
    change: usize,
    killed: bool,
    figures: &mut Figures,
) -> Result<()> {
    let path = scene.folder.join(file);
    let before = fs::read(&path)?;
    let mut training = stopped_at_a_checkpoint(scene)?;
    (CHANGES[change].1)(&path)?;
    if killed {
        training.kill()?;
        training.wait()?;
        refused(scene, file, &["data.", "cannot read", "no rows", "line"])?;
        figures.refused_data += 1;
        fs::write(&path, before)?;
        check_resumed(&scene.resume().output()?)?;
    } else {
        let ran = go_on(training)?;
        check_resumed(&ran)?;
        ensure!(said(&ran).contains("since it was read"), "not a word of it:\n{}", said(&ran));
        fs::write(&path, before)?;
    }
    scene.check_complete()
}

/// To go on with other data is refused, with the file or the split by name, and costs no checkpoint.
fn refused(scene: &Scene, file: &str, reasons: &[&str]) -> Result<()> {
    let kept = scene.checkpoints();
    let ran = scene.resume().output()?;
    let words = said(&ran);
    let split = file.split('.').next().unwrap_or(file);
    let named = words.contains(file) || words.contains(&format!("data.{split}"));
    ensure!(
        ran.status.code() == Some(1)
            && named
            && reasons.iter().any(|reason| words.contains(reason))
            && !words.contains("internal error"),
        "other data are not refused by name ({}):\n{words}",
        ran.status
    );
    ensure!(scene.checkpoints() == kept, "the refusal cost a checkpoint");
    Ok(())
}

/// What was half read as one file and half as another is nobody's rows.
fn while_tokenized(scene: &Scene) -> Result<()> {
    let path = scene.folder.join(TRAIN);
    let before = fs::read(&path)?;
    scene.tokenized().iter().try_for_each(fs::remove_file)?;
    let training = scene.start().spawn()?;
    let training = stopped_when(training, || !scene.tokenized().is_empty())?;
    (CHANGES[1].1)(&path)?;
    let ran = go_on(training)?;
    fs::write(&path, before)?;
    ensure!(
        ran.status.code() == Some(1) && said(&ran).contains("has changed while it was read"),
        "it was not refused ({}):\n{}",
        ran.status,
        said(&ran)
    );
    ensure!(scene.tokenized().is_empty(), "rows of two files were kept: {:?}", scene.tokenized());
    check_resumed(&scene.resume().output()?)?;
    scene.check_complete()
}

fn rows_damaged(scene: &Scene) -> Result<()> {
    let training = stopped_at_a_checkpoint(scene)?;
    let rows = scene.tokenized();
    for path in &rows {
        let file = OpenOptions::new().write(true).open(path)?;
        // All but its beginning and its end, which were read when it was opened.
        let length = file.metadata()?.len();
        for at in (length / 8..length * 7 / 8).step_by(512) {
            file.write_all_at(&[0xA5; 4], at)?;
        }
    }
    let ran = go_on(training)?;
    ensure!(
        ran.status.code() == Some(1)
            && said(&ran).contains(".rows")
            && said(&ran).contains("Delete it"),
        "damaged rows were trained on ({}):\n{}",
        ran.status,
        said(&ran)
    );
    scene.check_left()?;
    rows.iter().try_for_each(fs::remove_file)?;
    check_resumed(&scene.resume().output()?)?;
    scene.check_complete()
}

/// The open file stays readable until the run ends.
fn rows_gone(scene: &Scene) -> Result<()> {
    let training = stopped_at_a_checkpoint(scene)?;
    scene.tokenized().iter().try_for_each(fs::remove_file)?;
    check_resumed(&go_on(training)?)?;
    scene.check_complete()
}

/// A run that stands still after its first checkpoint.
fn stopped_at_a_checkpoint(scene: &Scene) -> Result<Child> {
    stopped_when(scene.start().spawn()?, || !scene.checkpoints().is_empty())
}

fn stopped_when(mut training: Child, mut is_time: impl FnMut() -> bool) -> Result<Child> {
    let limit = Instant::now() + Duration::from_secs(300);
    while !is_time() {
        ensure!(Instant::now() < limit, "nothing happened within five minutes");
        if training.try_wait()?.is_some() {
            bail!("it ended early:\n{}", said(&training.wait_with_output()?));
        }
        sleep(Duration::from_millis(2));
    }
    signal(&training, "-STOP")?;
    ensure!(training.try_wait()?.is_none(), "it ended before it could be stopped");
    Ok(training)
}

fn go_on(training: Child) -> Result<Output> {
    signal(&training, "-CONT")?;
    Ok(training.wait_with_output()?)
}

fn signal(process: &Child, signal: &str) -> Result<()> {
    let sent = Command::new("kill").args([signal, &process.id().to_string()]).status()?;
    ensure!(sent.success(), "kill {signal} failed");
    Ok(())
}
