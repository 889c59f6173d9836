//! `--model org/name` and `--data org/name` against a server on this machine that speaks the hub's
//! protocol: the real one is out of reach of the tests.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use crate::{
    command::{Ran, Scratch, classifier, jsonl},
    families::sharded,
    support::{bytes, fixture},
};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the server has and was asked.
#[derive(Default)]
struct Hub {
    /// Content by path: `org/name/file`, for data sets `datasets/org/name/file`.
    files: BTreeMap<String, Vec<u8>>,
    /// Without it nothing is given out.
    token: Option<String>,
    /// The first answer with this file ends halfway.
    breaks_off: Option<String>,
    /// Each request's path, with its range from the start if it is more than a look.
    asked: Vec<String>,
}

struct Server {
    hub: Arc<Mutex<Hub>>,
    endpoint: String,
}

impl Server {
    fn start(hub: Hub) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let hub = Arc::new(Mutex::new(hub));
        let shared = Arc::clone(&hub);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let hub = Arc::clone(&shared);
                thread::spawn(move || while answer(&stream, &hub).is_some() {});
            }
        });
        Self { hub, endpoint }
    }

    fn run(&self, scratch: &Scratch, line: &str, variables: &[(&str, &str)]) -> Ran {
        let mut command = scratch.command(line.split_whitespace());
        for name in ["HF_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE"] {
            command.env_remove(name);
        }
        command.env("HF_ENDPOINT", &self.endpoint).env("HF_HOME", scratch.path("hf"));
        for name in ["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command.envs(variables.iter().copied()).output().unwrap().into()
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.hub.lock().unwrap().asked)
    }
}

/// Answers one request; `None` when the client is gone or the answer breaks off.
fn answer(stream: &TcpStream, hub: &Mutex<Hub>) -> Option<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let path = first.split(' ').nth(1)?.trim_start_matches('/').to_owned();
    let headers: BTreeMap<String, String> = lines
        .map_while(|line| line.ok().filter(|line| !line.is_empty()))
        .filter_map(|line| line.split_once(": ").map(|(k, v)| (k.to_lowercase(), v.to_owned())))
        .collect();
    let mut hub = hub.lock().unwrap();
    let may = hub
        .token
        .as_ref()
        .is_none_or(|token| headers.get("authorization") == Some(&format!("Bearer {token}")));
    if !may {
        return send(stream, "401 Unauthorized", "", b"", 0);
    }
    if let Some(repo) = path.strip_prefix("api/") {
        let repo =
            repo.strip_prefix("models/").unwrap_or(repo).split("/revision/").next()?.to_owned();
        hub.asked.push(path.clone());
        let start = format!("{repo}/");
        let names = hub.files.keys().filter_map(|file| file.strip_prefix(&start));
        let siblings: Vec<_> = names.map(|name| serde_json::json!({ "rfilename": name })).collect();
        if siblings.is_empty() {
            return send(stream, "404 Not Found", "", b"", 0);
        }
        let info = serde_json::json!({ "sha": COMMIT, "siblings": siblings }).to_string();
        return send(stream, "200 OK", "Content-Type: application/json\r\n", info.as_bytes(), 0);
    }
    let file = path.replace("/resolve/main/", "/");
    let Some(content) = hub.files.get(&file).cloned() else {
        return send(stream, "404 Not Found", "", b"", 0);
    };
    let range = headers.get("range")?.strip_prefix("bytes=")?.to_owned();
    let (from, to) = range.split_once('-')?;
    let from: usize = from.parse().ok()?;
    let to = to.parse().map_or(content.len(), |to: usize| to + 1);
    let headers = format!(
        "ETag: \"{}\"\r\nX-Repo-Commit: {COMMIT}\r\nContent-Range: bytes {from}-{}/{}\r\n",
        file.replace('/', "-"),
        to - 1,
        content.len()
    );
    let mut missing = 0;
    if range != "0-0" {
        hub.asked.push(format!("{file} from {from}"));
        if hub.breaks_off.take_if(|broken| *broken == file).is_some() {
            missing = (to - from) / 2;
        }
    }
    drop(hub);
    send(stream, "206 Partial Content", &headers, &content[from..to], missing)
}

/// Sends an answer, but for its last `missing` bytes.
fn send(
    mut stream: &TcpStream,
    status: &str,
    headers: &str,
    body: &[u8],
    missing: usize,
) -> Option<()> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body[..body.len() - missing]).ok()?;
    if missing > 0 {
        stream.shutdown(std::net::Shutdown::Both).ok()?;
        return None;
    }
    stream.flush().ok()
}

fn with_model() -> Hub {
    let mut hub = Hub::default();
    for (file, content) in classifier() {
        hub.files.insert(format!("org/model/{file}"), content);
    }
    hub.files.insert("org/model/pytorch_model.bin".into(), b"not wanted".to_vec());
    let rows =
        |split: &str| format!("text,label\n{split} one,praise\n{split} two,billing\n").into_bytes();
    hub.files.insert("datasets/org/set/README.md".into(), b"about it".to_vec());
    hub.files.insert("datasets/org/set/data/train-00000-of-00001.csv".into(), rows("train"));
    hub.files.insert("datasets/org/set/data/test-00000-of-00001.csv".into(), rows("test"));
    hub
}

#[test]
fn models_and_data_sets_are_downloaded_once() {
    let (server, scratch) = (Server::start(with_model()), Scratch::new());
    let line = "evaluate --model org/model --data org/set --split test --json";
    let first = server.run(&scratch, line, &[]).ok();
    assert!(first.contains("\"rows\": 2"), "{first}");
    let asked = server.asked();
    let of_set = ["README.md", "data/test-00000-of-00001.csv"];
    let of_set = of_set.map(|file| format!("datasets/org/set/{file}"));
    for file in of_set.into_iter().chain(["org/model/model.safetensors".into()]) {
        assert!(asked.contains(&format!("{file} from 0")), "{asked:?}");
    }
    // The other splits stay where they are.
    for file in ["pytorch_model.bin", "train-00000"] {
        assert!(!asked.iter().any(|asked| asked.contains(file)), "{asked:?}");
    }
    // The folders are those that Python's libraries look in.
    let model = scratch.path("hf/hub/models--org--model");
    assert!(model.join("snapshots").join(COMMIT).join("config.json").is_file());
    assert_eq!(std::fs::read_to_string(model.join("refs/main")).unwrap(), COMMIT);
    // Then only what there is is asked for, and offline nothing.
    assert_eq!(server.run(&scratch, line, &[]).ok(), first);
    assert!(server.asked().iter().all(|asked| asked.starts_with("api/")));
    assert_eq!(server.run(&scratch, line, &[("HF_HUB_OFFLINE", "1")]).ok(), first);
    assert_eq!(server.asked(), [""; 0]);
}

/// Weights over several files come with their index; where there is one file, it alone does.
#[test]
fn weights_in_shards_are_downloaded() {
    let mut hub = Hub::default();
    for (file, content) in sharded("roberta") {
        hub.files.insert(format!("org/spread/{file}"), content.clone());
        hub.files.insert(format!("org/both/{file}"), content);
    }
    let whole = bytes(&fixture("families/roberta/model.safetensors"));
    hub.files.insert("org/both/model.safetensors".into(), whole);
    let (server, scratch) = (Server::start(hub), Scratch::new());
    let predict = |model: &str| {
        let line = format!("predict --text hello --model {model} --device cpu");
        (server.run(&scratch, &line, &[]).ok(), server.asked())
    };
    let (spread, asked) = predict("org/spread");
    let shard = "org/spread/model-00002-of-00002.safetensors from 0".to_owned();
    assert!(asked.contains(&shard), "{asked:?}");
    let (both, asked) = predict("org/both");
    assert!(!asked.iter().any(|asked| asked.contains("model-0000")), "{asked:?}");
    assert_eq!(jsonl(&spread), jsonl(&both));
}

/// Half a gigabyte of weights says nothing on tokens.
#[test]
fn a_tokenizer_comes_without_the_weights() {
    let (server, scratch) = (Server::start(with_model()), Scratch::new());
    server.run(&scratch, "tokenize hello --model org/model", &[]).ok();
    assert!(!server.asked().iter().any(|asked| asked.contains("safetensors")));
    server.run(&scratch, "predict --text hello --model org/model", &[]).ok();
    let weights = "org/model/model.safetensors from 0".to_owned();
    assert!(server.asked().contains(&weights), "what is missing is downloaded later");
}

#[test]
fn an_interrupted_download_goes_on_where_it_ended() {
    let hub = Hub { breaks_off: Some("org/model/model.safetensors".into()), ..with_model() };
    let (server, scratch) = (Server::start(hub), Scratch::new());
    scratch.write_classifier("model");
    let line = "predict --text hello --model org/model";
    let said = server.run(&scratch, line, &[]).error();
    assert!(said.contains("cannot download model.safetensors"), "{said}");
    server.asked();
    let resumed = server.run(&scratch, line, &[]).ok();
    let asked = server.asked();
    let from =
        asked.iter().find_map(|asked| asked.strip_prefix("org/model/model.safetensors from "));
    assert!(from.unwrap().parse::<usize>().unwrap() > 0, "{asked:?}");
    assert_eq!(jsonl(&resumed), jsonl(&scratch.run("predict --text hello --model model").ok()));
}

#[test]
fn the_token_is_sent() {
    let hub = Hub { token: Some("hf_secret".into()), ..with_model() };
    let (server, scratch) = (Server::start(hub), Scratch::new());
    let line = "predict --text hello --model org/model";
    let said = server.run(&scratch, line, &[("HF_TOKEN", "hf_other")]).error();
    assert!(
        said.contains("For a private one set HF_TOKEN") && !said.contains("hf_other"),
        "{said}"
    );
    server.run(&scratch, line, &[("HF_TOKEN", "hf_secret")]).ok();
    // Or the file that `hf auth login` writes.
    let elsewhere = scratch.path("cache");
    scratch.write("hf/token", "hf_secret\n");
    server.run(&scratch, line, &[("HF_HUB_CACHE", elsewhere.to_str().unwrap())]).ok();
    assert!(elsewhere.join("models--org--model").is_dir());
}

/// Nobody has named the model on the command line.
#[test]
fn the_model_of_adapters_is_said_before_it_is_fetched() {
    let (server, scratch) = (Server::start(with_model()), Scratch::new());
    scratch.write("lora/adapter_config.json", r#"{"base_model_name_or_path": "org/model"}"#);
    let said = server.run(&scratch, "predict --text hello --model lora", &[]).stderr;
    let (before, _) = said.split_once("hub     org/model: config.json").unwrap();
    assert!(before.contains("lora adapts org/model"), "{said}");
}

#[test]
fn what_is_not_there_is_said() {
    let (server, scratch) = (Server::start(with_model()), Scratch::new());
    let said = server.run(&scratch, "predict --text hello --model org/absent", &[]).error();
    assert!(
        said.contains("no folder org/absent here, and the hub has no model org/absent"),
        "{said}"
    );
    let said = server.run(&scratch, "data org/set", &[("HF_HUB_OFFLINE", "1")]).error();
    assert!(said.contains("no data set org/set in") && said.contains("HF_HUB_OFFLINE"), "{said}");
    let said =
        server.run(&scratch, "data org/set", &[("HF_ENDPOINT", "http://127.0.0.1:9")]).error();
    assert!(said.contains("the hub cannot be read"), "{said}");
    // A folder of that name is never looked for elsewhere, nor is a file that is missing.
    server.asked();
    scratch.write("org/set/train.csv", "text,label\na,x\nb,y\n");
    server.run(&scratch, "data org/set", &[]).ok();
    server.run(&scratch, "data other/rows.csv", &[]).error();
    assert_eq!(server.asked(), [""; 0]);
}
