//! The page in a real Chromium: each test runs one script of `tests/browser` with Node.js.
//!
//! `cargo xtask test` builds the page and names its folder in `EMBERLAB_DIST`. To run one by hand:
//! `EMBERLAB_BIN=target/release/emberlab node tests/browser/embedded.mjs`.

use std::{
    env,
    fs::File,
    io::{Read, Seek},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    command::emberlab,
    support::{root, say},
};

/// One browser at a time: each keeps two cores busy.
static BROWSER: Mutex<()> = Mutex::new(());

#[test]
fn classifies_with_the_embedded_model() {
    run("embedded.mjs", 2);
}

#[test]
fn tokenizes_as_hugging_face_does() {
    run("tokens.mjs", 3);
}

#[test]
fn opens_each_family() {
    run("families.mjs", 4);
}

#[test]
fn agrees_with_the_native_command() {
    run("agreement.mjs", 3);
}

#[test]
fn opens_what_is_picked_or_dropped() {
    run("ways-in.mjs", 3);
}

#[test]
fn opens_a_folder_that_the_native_command_wrote() {
    run("native-model.mjs", 8);
}

#[test]
fn says_what_is_wrong_with_a_model() {
    run("bad-models.mjs", 3);
}

#[test]
fn keeps_to_its_own_origin() {
    run("own-origin.mjs", 2);
}

#[test]
fn weighs_what_it_may() {
    run("budget.mjs", 5);
}

#[test]
fn answers_while_the_engine_works() {
    run("responsive.mjs", 4);
}

#[test]
fn trains_the_open_model() {
    run("training.mjs", 3);
}

#[test]
fn fine_tunes_what_is_typed_and_hands_it_back() {
    run("fine-tuning.mjs", 6);
}

#[test]
fn corrects_goes_back_and_trains_again() {
    run("training-on.mjs", 6);
}

#[test]
fn trains_the_head_of_minilm() {
    run("minilm.mjs", 8);
}

#[test]
fn trains_and_classifies_for_an_hour_without_growing() {
    run("memory.mjs", 6);
}

#[test]
fn says_what_needs_less_memory() {
    run("no-memory.mjs", 4);
}

#[test]
fn goes_on_with_a_training_that_a_reload_interrupts() {
    run("interrupted.mjs", 6);
}

#[test]
fn loads_the_ready_sets() {
    run("ready-sets.mjs", 3);
}

#[test]
fn opens_zips_and_refuses_bad_ones() {
    run("zips.mjs", 4);
}

#[test]
fn works_without_a_network_from_the_second_visit_on() {
    run("offline.mjs", 3);
}

#[test]
fn follows_links_to_models() {
    run("links.mjs", 3);
}

#[test]
fn loads_weights_that_are_spread_over_files() {
    run("shards.mjs", 3);
}

#[test]
fn shows_two_models_side_by_side() {
    run("two-models.mjs", 4);
}

#[test]
fn classifies_many_texts() {
    run("many.mjs", 4);
}

#[test]
fn speaks_two_languages_and_serves_everyone() {
    run("house.mjs", 5);
}

#[test]
fn explains_what_it_says() {
    run("explain.mjs", 5);
}

#[test]
fn teaches_a_lesson() {
    run("lesson.mjs", 5);
}

#[test]
fn helps_teachers() {
    run("teachers.mjs", 4);
}

#[test]
fn is_served_to_a_class() {
    run("serve.mjs", 3);
}

#[test]
fn fills_masks_with_two_models() {
    run("fill-mask.mjs", 4);
}

#[test]
fn shows_a_run_as_it_trains() {
    run("live.mjs", 4);
}

#[test]
fn carries_on_without_a_webgpu_adapter() {
    run("no-adapter.mjs", 3);
}

#[test]
fn ends_a_webgpu_engine_that_stalls() {
    run("stall.mjs", 3);
}

#[test]
fn webgpu_agrees_with_the_cpu_until_its_device_is_lost() {
    run("webgpu.mjs", 15);
}

/// Runs a script, which has so many minutes, and shows what it prints.
fn run(script: &str, minutes: u64) {
    if let Some(reason) = obstacle() {
        return say(&format!("SKIPPED: {script}: {reason}\n"));
    }
    let _browser = BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
    let mut log = tempfile::tempfile().unwrap();
    let mut node = start(script, &log);
    let status = wait(&mut node, Duration::from_secs(60 * minutes));
    let mut printed = String::new();
    log.rewind().unwrap();
    log.read_to_string(&mut printed).unwrap();
    match status {
        Some(status) if status.success() => say(&format!("{script}:\n{printed}")),
        Some(status) => panic!("{script}: {status}\n{printed}"),
        None => panic!("{script} was ended after {minutes} minutes\n{printed}"),
    }
}

/// Why the page cannot be tested here, if so. In CI that is a failure, but for a skip that was
/// asked for.
fn obstacle() -> Option<String> {
    if env::var("EMBERLAB_SKIP_BROWSER").is_ok_and(|value| value == "1") {
        return Some("EMBERLAB_SKIP_BROWSER=1 asks for it".into());
    }
    let missing = missing()?;
    let reason = format!("{missing}; `cargo xtask test` builds and installs what is needed");
    assert!(env::var("CI").as_deref() != Ok("true"), "{reason}");
    Some(reason)
}

fn missing() -> Option<String> {
    let page = env::var_os("EMBERLAB_DIST").map(|dist| PathBuf::from(dist).join("index.html"));
    let driver = root().join("tests/browser/node_modules");
    if page.is_none_or(|page| !page.exists()) {
        return Some("the built page (EMBERLAB_DIST) is missing".into());
    }
    (!driver.exists()).then(|| format!("{} is missing", driver.display()))
}

fn start(script: &str, log: &File) -> Child {
    Command::new("node")
        .arg(root().join("tests/browser").join(script))
        .env("EMBERLAB_BIN", emberlab())
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log.try_clone().unwrap())
        .spawn()
        .expect("node starts; Node.js 18 or newer must be on PATH")
}

/// Waits for the end; after `limit` the script is killed. Its Chromium follows, because the pipe
/// between the two closes.
fn wait(node: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if let Some(status) = node.try_wait().unwrap() {
            return Some(status);
        }
        sleep(Duration::from_millis(50));
    }
    let _ = node.kill();
    let _ = node.wait();
    None
}
