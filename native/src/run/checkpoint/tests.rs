use std::{env, process};

use super::*;

fn checkpoints(run: &Path, limit: usize) -> Checkpoints {
    fs::create_dir_all(run.join(FOLDER)).unwrap();
    let args = SaveArgs { save_steps: Some(1), save_minutes: 5.0, save_total_limit: limit };
    Checkpoints::new(run, &args, 0, false)
}

/// With files of these names.
fn write(checkpoints: &mut Checkpoints, step: usize, names: [&str; 2]) -> String {
    measured(checkpoints, step, None, names)
}

fn measured(
    checkpoints: &mut Checkpoints,
    step: usize,
    quality: Option<f64>,
    names: [&str; 2],
) -> String {
    checkpoints.write(step, quality, names.map(|name| (name.to_owned(), b"{}".to_vec())).into())
}

const GOOD: [&str; 2] = [RUN_FILE, METRICS];
/// What cannot be written: there is no such folder.
const BAD: [&str; 2] = [RUN_FILE, "nowhere/file"];

#[test]
fn a_checkpoint_stays_where_it_cannot_be_written_again() {
    let run = env::temp_dir().join(format!("emberlab-checkpoint-{}", process::id()));
    let mut kept = checkpoints(&run, 1);
    write(&mut kept, 5, GOOD);
    assert!(kept.has(5, None) && !kept.has(5, Some(1.0)) && !kept.has(6, None));
    let said = write(&mut kept, 5, BAD);
    assert!(said.contains("no checkpoint after step 5"), "{said}");
    whole(&run, 5).unwrap();
    // A damaged one is in nobody's way.
    fs::create_dir_all(path_of(&run.join(FOLDER), 6)).unwrap();
    fs::write(path_of(&run.join(FOLDER), 6).join(MANIFEST), "{").unwrap();
    write(&mut kept, 6, GOOD);
    assert_eq!(newest(&run, &|_| None).unwrap().1.step, 6);
    assert_eq!(steps_of(&run.join(FOLDER)), [6]);
    fs::remove_dir_all(&run).unwrap();
}

/// By one before it, which makes it again; where there is none, on the newest all the same.
#[test]
fn what_needs_damaged_weights_is_passed_over() {
    let run = env::temp_dir().join(format!("emberlab-checkpoint-best-{}", process::id()));
    let mut kept = checkpoints(&run, 9);
    for step in [2, 4, 6, 8] {
        write(&mut kept, step, GOOD);
    }
    let from = |best: usize| newest(&run, &|_| Some(best)).unwrap().1.step;
    assert_eq!(from(4), 8);
    fs::write(path_of(&run.join(FOLDER), 4).join(METRICS), "[]").unwrap();
    assert_eq!(from(4), 2);
    assert_eq!(from(6), 8);
    fs::write(path_of(&run.join(FOLDER), 2).join(METRICS), "[]").unwrap();
    assert_eq!(from(2), 8);
    fs::remove_dir_all(&run).unwrap();
}

#[test]
fn the_best_is_written_when_there_is_room_again() {
    let run = env::temp_dir().join(format!("emberlab-checkpoint-room-{}", process::id()));
    fs::create_dir_all(run.join(FOLDER)).unwrap();
    let args = SaveArgs { save_steps: Some(1), save_minutes: 5.0, save_total_limit: 1 };
    let mut kept = Checkpoints::new(&run, &args, 0, true);
    let at = path_of(&run.join(FOLDER), 1);
    // A file in its way, which nothing replaces, for as long as it is there.
    fs::remove_dir(run.join(FOLDER)).unwrap();
    fs::write(run.join(FOLDER), "").unwrap();
    let said = measured(&mut kept, 1, Some(0.9), GOOD);
    assert!(said.contains("no checkpoint after step 1") && !at.exists(), "{said}");
    fs::remove_file(run.join(FOLDER)).unwrap();
    fs::create_dir(run.join(FOLDER)).unwrap();
    measured(&mut kept, 2, Some(0.5), GOOD);
    measured(&mut kept, 3, None, GOOD);
    assert_eq!(steps_of(&run.join(FOLDER)), [3, 1]);
    whole(&run, 1).unwrap();
    fs::remove_dir_all(&run).unwrap();
}
