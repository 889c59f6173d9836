//! Malformed model folders, each made from the random classifier by one mistake.

use safetensors::Dtype;
use serde_json::json;

use super::{
    folder::{CONFIG, Folder, WEIGHTS},
    refused, sound,
};
use crate::support::{bytes, root};

/// One mistake, and how the message goes on after its start.
type Case = (fn(&mut Folder), &'static str);

/// The cases below.
pub fn count() -> usize {
    [
        MISSING_FILES.len(),
        SETTINGS_OF_THE_MODEL.len(),
        SHARDS_THAT_ARE_NOT_THERE.len(),
        DAMAGED_SAFETENSORS.len(),
        TENSORS_THAT_DO_NOT_FIT.len(),
        TOKENIZERS.len(),
        HEADS_THAT_DO_NOT_FIT.len(),
    ]
    .iter()
    .sum()
}

const TRAIN: &str = "train --model bad --train good.csv --epochs 1 --out run";
const PREDICT: &str = "predict --model bad --text hello --output out.jsonl";
const EVALUATE: &str = "evaluate --model bad --data good.csv";

const INDEX: &str = "model.safetensors.index.json";
const QUERY: &str = "bert.encoder.layer.1.attention.self.query.weight";

fn each_is_refused(cases: &[Case], start: &str, commands: &[&str]) {
    for (mistake, says) in cases {
        let scratch = sound();
        let mut folder = Folder::sound();
        mistake(&mut folder);
        folder.write(&scratch, "bad");
        for command in commands {
            refused(&scratch, command, &format!("{start}{says}"));
        }
    }
}

const MISSING_FILES: [Case; 4] = [
    (|f| f.without(CONFIG), "config.json there"),
    (|f| f.without(WEIGHTS), "model.safetensors there"),
    (|f| f.rename(WEIGHTS, "pytorch_model.bin"), "model.safetensors there"),
    (|f| f.without("vocab.txt"), "tokenizer.json there"),
];

#[test]
fn missing_files() {
    each_is_refused(&MISSING_FILES, "bad: no ", &[TRAIN, PREDICT]);
}

const SETTINGS_OF_THE_MODEL: [Case; 20] = [
    (|f| f.put(CONFIG, "hidden_size = 32"), "not a JSON object"),
    (|f| f.put(CONFIG, "[1, 2]"), "not a JSON object"),
    (
        |f| f.put(CONFIG, "{\n\"vocab_size\": \"many\"}"),
        "invalid type: string \"many\", expected usize at line 2",
    ),
    (|f| f.config(json!({"hidden_size": null})), "missing field `hidden_size`"),
    (|f| f.config(json!({"hidden_size": -32})), "invalid value: integer `-32`"),
    (
        |f| f.config(json!({"model_type": "gpt2"})),
        "model_type \"gpt2\" is not supported; take a model of one of these: bert, roberta,",
    ),
    (|f| f.config(json!({"model_type": "distilbert"})), "missing field `dim`"),
    (
        |f| f.config(json!({"model_type": "roberta", "max_position_embeddings": 1})),
        "max_position_embeddings is 1; positions count from pad_token_id + 1, which is 1",
    ),
    (|f| f.config(json!({"hidden_act": "relu6"})), "hidden_act \"relu6\" is not supported"),
    (|f| f.config(json!({"position_embedding_type": "relative_key"})), "position_embedding_"),
    (|f| f.config(json!({"is_decoder": true})), "is_decoder is true"),
    (|f| f.config(json!({"num_attention_heads": 5})), "hidden_size 32 is not a multiple"),
    (|f| f.config(json!({"num_attention_heads": 0})), "num_attention_heads is 0"),
    (|f| f.config(json!({"num_hidden_layers": 0})), "num_hidden_layers is 0"),
    (|f| f.config(json!({"num_hidden_layers": 1_000_000_000})), "num_hidden_layers is 10000"),
    (|f| f.config(json!({"vocab_size": 1_000_000_000_000_u64})), "vocab_size is 10000000"),
    (|f| f.config(json!({"hidden_dropout_prob": 1.0})), "hidden_dropout_prob is 1"),
    (|f| f.config(json!({"layer_norm_eps": 0})), "layer_norm_eps"),
    (|f| f.config(json!({"pad_token_id": 120})), "pad_token_id 120 is not below vocab_size"),
    (|f| f.config(json!({"id2label": ["a", "b"]})), "invalid type: sequence, expected a map"),
];

#[test]
fn settings_of_the_model() {
    each_is_refused(&SETTINGS_OF_THE_MODEL, "bad/config.json: ", &[TRAIN, PREDICT]);
}

const SHARDS_THAT_ARE_NOT_THERE: [Case; 3] = [
    (
        |f| {
            f.without(WEIGHTS);
            f.put(INDEX, r#"{"weight_map": {"a": "model-00001-of-00001.safetensors"}}"#);
        },
        ": no model-00001-of-00001.safetensors there, which model.safetensors.index.json names",
    ),
    (
        |f| {
            f.without(WEIGHTS);
            f.put(INDEX, r#"{"weight_map": {"a": "../model.safetensors"}}"#);
        },
        "/model.safetensors.index.json: not a readable index of safetensors files: weight_map \
         names \"../model.safetensors\"; expected a name like model-00001",
    ),
    (
        |f| {
            f.without(WEIGHTS);
            f.put(INDEX, "{}");
        },
        "/model.safetensors.index.json: not a readable index of safetensors files: missing",
    ),
];

#[test]
fn shards_that_are_not_there() {
    each_is_refused(&SHARDS_THAT_ARE_NOT_THERE, "bad", &[TRAIN, PREDICT]);
}

const DAMAGED_SAFETENSORS: [Case; 8] = [
    (|f| f.weights(Vec::clear), "header too small"),
    (|f| f.weights(|w| w.truncate(w.len() - 1)), "incomplete metadata"),
    (|f| f.weights(|w| w.truncate(1000)), "invalid header length"),
    (|f| f.weights(|w| w.push(0)), "incomplete metadata"),
    (|f| f.put(WEIGHTS, "version https://git-lfs.github.com/spec/v1"), "header too large"),
    (|f| f.weights(|w| w[7] = 0xff), "header too large"),
    (|f| f.weights(|w| w[1] -= 1), "invalid JSON in header"),
    (|f| f.weights(|w| w[8] = b'['), "invalid JSON in header"),
];

#[test]
fn damaged_safetensors() {
    let start = "bad/model.safetensors: not a readable safetensors file: ";
    each_is_refused(&DAMAGED_SAFETENSORS, start, &[TRAIN, PREDICT]);
}

/// The last three ask for sizes that are allowed: were they allocated, this would take 2 GB.
const TENSORS_THAT_DO_NOT_FIT: [Case; 11] = [
    (|f| f.without_tensor(QUERY), "encoder.layer.1.attention.self.query.weight\" is missing"),
    (
        |f| f.without_tensor("bert.embeddings.LayerNorm.bias"),
        "embeddings.LayerNorm.bias\" is missing",
    ),
    (|f| f.config(json!({"num_hidden_layers": 4})), "encoder.layer.3.attention.self.query."),
    (
        |f| f.stored_as(QUERY, Dtype::F32, &[16, 64]),
        "encoder.layer.1.attention.self.query.weight\" has shape [16, 64], but config.json \
         asks for [32, 32]",
    ),
    (
        |f| f.stored_as(QUERY, Dtype::F32, &[1024]),
        "encoder.layer.1.attention.self.query.weight\" has shape [1024]",
    ),
    (
        |f| f.stored_as(QUERY, Dtype::I32, &[32, 32]),
        "encoder.layer.1.attention.self.query.weight\" is stored as I32",
    ),
    (|f| f.first_value(QUERY, f32::NAN), "encoder.layer.1.attention.self.query.weight\" holds NaN"),
    (
        |f| f.first_value("bert.pooler.dense.bias", f32::INFINITY),
        "pooler.dense.bias\" holds NaN or infinite",
    ),
    (
        |f| f.config(json!({"vocab_size": 9_999_999})),
        "embeddings.word_embeddings.weight\" has shape [120, 32]",
    ),
    (
        |f| f.config(json!({"hidden_size": 65_536})),
        "embeddings.word_embeddings.weight\" has shape [120, 32]",
    ),
    (
        |f| f.config(json!({"intermediate_size": 999_999})),
        "encoder.layer.0.intermediate.dense.weight\" has shape [64, 32]",
    ),
];

#[test]
fn tensors_that_do_not_fit() {
    each_is_refused(
        &TENSORS_THAT_DO_NOT_FIT,
        "bad/model.safetensors: tensor \"bert.",
        &[TRAIN, PREDICT],
    );
}

const TOKENIZERS: [Case; 9] = [
    (|f| f.put("tokenizer.json", "{\"version\": \"1.0\""), "tokenizer.json: not a readable"),
    (|f| f.put("tokenizer.json", "{}"), "tokenizer.json: not a readable tokenizer.json"),
    (
        |f| f.put("tokenizer.json", bytes(&root().join("models/bert-tiny/tokenizer.json"))),
        "tokenizer.json: model.vocab has 30522 entries, but vocab_size is 120",
    ),
    (
        |f| f.tokenizer(120, 0),
        "tokenizer.json: gives a special token the id 120, but vocab_size is 120",
    ),
    (
        |f| f.tokenizer(1, 2),
        "tokenizer.json: gives a special token the type id 2, but type_vocab_size is 2",
    ),
    (|f| f.put("vocab.txt", ""), "vocab.txt: [SEP] is not in the vocabulary"),
    (|f| f.put("vocab.txt", "[UNK]\n[SEP]\na\n"), "vocab.txt: [CLS] is not in the vocabulary"),
    (|f| f.put("vocab.txt", b"[UNK]\n\xff\n"), "vocab.txt: stream did not contain valid UTF-8"),
    (|f| f.put("tokenizer_config.json", "lower: yes"), "vocab.txt: expected value at line 1"),
];

#[test]
fn tokenizers() {
    each_is_refused(&TOKENIZERS, "bad/", &[TRAIN, PREDICT]);
}

/// Training makes a new head, so only prediction refuses these.
const HEADS_THAT_DO_NOT_FIT: [Case; 8] = [
    (|f| f.without_tensor("classifier.weight"), "model.safetensors: no classification head"),
    (
        |f| f.without_tensor("classifier.bias"),
        "model.safetensors: tensor \"classifier.bias\" is missing",
    ),
    (
        |f| f.without_tensor("bert.pooler.dense.weight"),
        "model.safetensors: tensor \"bert.pooler.dense.weight\" is missing",
    ),
    (
        |f| f.cut("classifier.weight", &[4, 16]),
        "model.safetensors: tensor \"classifier.weight\" has shape [4, 16]",
    ),
    (
        |f| f.config(json!({"id2label": {"0": "a", "1": "b", "2": "c"}})),
        "config.json: id2label names 3 labels, but the head has 4",
    ),
    (
        |f| f.config(json!({"id2label": {"0": "a", "1": "b", "2": "c", "4": "d"}})),
        "config.json: id2label has no name for id 3",
    ),
    (
        |f| f.config(json!({"id2label": {"0": "a", "1": 7, "2": "c", "3": "d"}})),
        "config.json: id2label has no name for id 1",
    ),
    (
        |f| f.config(json!({"id2label": {"0": "a", "1": "b", "2": "a", "3": "d"}})),
        "config.json: label \"a\" stands twice",
    ),
];

#[test]
fn heads_that_do_not_fit() {
    each_is_refused(&HEADS_THAT_DO_NOT_FIT, "bad/", &[PREDICT, EVALUATE]);
}

#[test]
fn no_folder_at_all() {
    let scratch = sound();
    for command in [TRAIN, PREDICT, EVALUATE] {
        refused(&scratch, command, "there is no model folder bad");
    }
    scratch.write("bad", "a file");
    for command in [TRAIN, PREDICT, EVALUATE] {
        refused(&scratch, command, "bad is a file; name the folder");
    }
}
