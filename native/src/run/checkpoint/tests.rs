use std::{env, process};

use super::*;

fn checkpoints(run: &Path, limit: usize) -> Checkpoints {
    fs::create_dir_all(run.join(FOLDER)).unwrap();
    let args = SaveArgs { save_steps: Some(1), save_minutes: 5.0, save_total_limit: limit };
    Checkpoints::new(run, &args, 0, false)
}

/// With files of these names.
fn write(checkpoints: &mut Checkpoints, step: usize, names: [&str; 2]) -> String {
    checkpoints.write(step, None, &names.map(|name| (name.to_owned(), b"{}".to_vec())))
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
    assert_eq!(newest(&run).unwrap().1.step, 6);
    assert_eq!(steps_of(&run.join(FOLDER)), [6]);
    fs::remove_dir_all(&run).unwrap();
}
