//! Training that is killed, runs out of disk, of memory or of luck, whose data change under it, and that then
//! goes on: each time it has to end in the very weights of a run that nothing disturbed.

mod data;
mod faults;
mod kills;
mod memory;
mod random;
mod scene;

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};

use self::random::Random;
use self::scene::Scene;

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// Times that a run of bert-tiny is killed.
    pub kills: usize,
    /// Faults injected into runs of a small random model: the places are spread over all there are.
    pub faults: usize,
    /// Runs of bert-tiny with less memory than they need.
    pub memory_limits: usize,
    /// Seeds with each of which a run is killed once and gone on with once.
    pub resumes: usize,
    /// Runs whose data change under them: of a small set, and of one that is a stream.
    pub data_changes: usize,
    pub seed: u64,
}

/// What was seen. Whatever was not as it has to be is an error instead.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub kills: usize,
    /// Runs that were killed and went on until they were complete.
    pub killed_runs: usize,
    pub faults: usize,
    /// Faults that ended the run, which then went on; the others it survived.
    pub ended_by_fault: usize,
    pub memory_limits: usize,
    pub ended_by_memory: usize,
    pub resumes: usize,
    pub data_changes: usize,
    /// Changes after which going on was refused until the data were back.
    pub refused_data: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, killed_runs, faults, ended_by_fault, .. } = self;
        let Self { memory_limits, ended_by_memory, resumes, data_changes, refused_data, .. } = self;
        writeln!(
            f,
            "kills          {kills} survived, in {killed_runs} runs, each with the undisturbed run's weights"
        )?;
        writeln!(
            f,
            "faults         {faults} injected, {ended_by_fault} ended the run; no checkpoint damaged, the same weights"
        )?;
        writeln!(
            f,
            "memory limits  {memory_limits} tried, {ended_by_memory} ended the run; the same weights"
        )?;
        writeln!(f, "resumes        {resumes} of {resumes} seeds bit-identical")?;
        write!(
            f,
            "data changes   {data_changes} made, {refused_data} of them refused by name when the run was to go on; the same weights"
        )
    }
}

/// Runs the series with the program `emberlab`, in `folder`, which is emptied before and after.
///
/// # Errors
/// The first thing that was not as it has to be; the folder then stays for a look.
pub fn chaos(root: &Path, emberlab: &Path, folder: &Path, series: Series) -> Result<Figures> {
    let mut random = Random(series.seed);
    let mut figures = Figures::default();
    let (in_memory, streams) = data_cases(series.data_changes);
    if series.kills + series.memory_limits + series.resumes + in_memory.len() > 0 {
        let mut scene = Scene::bert_tiny(root, emberlab, &folder.join("bert-tiny"))?;
        kills::series(&scene, series.kills, &mut random, &mut figures).context("kills")?;
        memory::series(&scene, series.memory_limits, &mut figures).context("memory limits")?;
        data::series(&scene, &in_memory, &mut figures).context("data")?;
        kills::resumes(&mut scene, series.resumes, &mut figures).context("resumes")?;
    }
    if !streams.is_empty() {
        let scene = Scene::stream(root, emberlab, &folder.join("stream"))?;
        data::series(&scene, &streams, &mut figures).context("data of a stream")?;
    }
    if series.faults > 0 {
        let scene = Scene::random3(root, emberlab, &folder.join("random3"))?;
        faults::series(&scene, series.faults, &mut figures).context("faults")?;
    }
    std::fs::remove_dir_all(folder)
        .with_context(|| format!("cannot remove {}", folder.display()))?;
    Ok(figures)
}

/// So many of the cases of a small set and of a stream, spread over all there are.
fn data_cases(number: usize) -> (Vec<data::Case>, Vec<data::Case>) {
    let (small, stream) = (data::small_cases(), data::stream_cases());
    let all = small.len() + stream.len();
    let number = number.min(all);
    let chosen = (0..number).map(|each| each * all / number);
    let (of_small, of_stream): (Vec<_>, Vec<_>) = chosen.partition(|&each| each < small.len());
    let of_small = of_small.into_iter().map(|each| small[each]).collect();
    (of_small, of_stream.into_iter().map(|each| stream[each - small.len()]).collect())
}
