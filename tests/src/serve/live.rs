//! `emberlab train --live`: what a browser is told of a run under way.

use std::io::{BufRead, BufReader, Read};

use serde_json::Value;

use super::client::get;
use crate::{
    cli::train::{TRAIN, weights, with_rows},
    command::Scratch,
};

const PAGE: &str = "<a href=\"#live\" data-live=\"no\"></a>";
const REST: &str = "--epochs 60 --eval held-out.csv --logging-steps 1";

fn scene() -> Scratch {
    let scratch = with_rows();
    scratch.write("dist/index.html", PAGE);
    scratch
}

#[test]
fn it_tells_where_the_run_stands_and_hands_out_the_weights_of_now() {
    let scratch = scene();
    let line = format!("{TRAIN} {REST} --out watched --live");
    let mut run = scratch.command(line.split_whitespace()).spawn().unwrap();
    let mut said = BufReader::new(run.stderr.take().unwrap()).lines();
    let address =
        said.find_map(|line| Some(line.unwrap().strip_prefix("live ")?.trim().to_owned()));
    let address = address.unwrap();
    let port = address.strip_prefix("http://127.0.0.1:").unwrap().strip_suffix("/#live").unwrap();
    let port: u16 = port.parse().unwrap();
    // What is said is read on, or the run would wait for it.
    let said = std::thread::spawn(move || said.map_while(Result::ok).collect::<Vec<_>>());

    assert_eq!(get(port, "/", &[]).text(), PAGE.replace("no", "yes"));
    let newest = get(port, "/live/newest.json", &[]);
    assert_eq!((newest.status, newest.header("cache-control")), (200, "no-store"));
    let newest: Value = serde_json::from_slice(&newest.body).unwrap();
    let folder = newest["folder"].as_str().unwrap();
    assert_eq!(folder, format!("live/{}", newest["step"]));
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"] {
        let file = get(port, &format!("/{folder}/{name}"), &[]);
        assert_eq!(file.status, 200, "{name}");
        scratch.write(&format!("newest/{name}"), file.body);
    }
    let state: Value = serde_json::from_slice(&get(port, "/live/state.json", &[]).body).unwrap();
    assert_eq!((&state["status"], &state["total_steps"]), (&"running".into(), &360.into()));
    assert!(state["step"].as_u64() >= newest["step"].as_u64());
    let history = get(port, "/live/metrics.jsonl", &[]);
    assert!(history.text().starts_with("{\"step\":1,"), "{}", history.text());
    for path in ["/live/", "/live/run.json", "/live/../train.jsonl", "/live/0/config.json"] {
        assert!([400, 404].contains(&get(port, path, &[]).status), "{path}");
    }

    // Whoever asks again and again hears of the end.
    let last = loop {
        let state: Value =
            serde_json::from_slice(&get(port, "/live/state.json", &[]).body).unwrap();
        if state["status"] != "running" {
            break state;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    };
    assert_eq!((&last["status"], &last["step"]), (&"completed".into(), &360.into()));
    assert_eq!(last["evaluation"]["rows"], 2);
    assert!(run.wait().unwrap().success(), "{:?}", said.join().unwrap());
    let mut result = String::new();
    run.stdout.take().unwrap().read_to_string(&mut result).unwrap();
    assert!(result.contains("accuracy"), "{result}");

    let answer = scratch.run("predict --model newest --text hello --device cpu").ok();
    assert!(answer.contains("\"label\""), "{answer}");
    scratch.run(&format!("{TRAIN} {REST} --out alone")).ok();
    assert!(weights(&scratch, "watched") == weights(&scratch, "alone"), "looking changes nothing");
    assert!(!scratch.read("watched/train.toml").contains("live"));
}

#[test]
fn without_the_page_it_is_refused_before_anything_is_done() {
    let scratch = with_rows();
    let error = scratch.run(&format!("{TRAIN} --out run --live")).error();
    assert!(error.contains("--features page"), "{error}");
    assert!(!scratch.path("run").exists());
    let ran = scratch.run(&format!("{TRAIN} --out run --live --seeds 2"));
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
}
