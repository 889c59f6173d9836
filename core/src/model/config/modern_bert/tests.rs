use serde_json::json;

use super::*;
use crate::model::BertConfig;

fn read(changes: Value) -> Result<BertConfig, String> {
    let mut config = json!({
        "model_type": "modernbert", "vocab_size": 9, "hidden_size": 8, "pad_token_id": 0,
        "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 6,
        "max_position_embeddings": 32,
    });
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    let bytes = serde_json::to_vec(&config).unwrap();
    BertConfig::from_json("config.json", &bytes).map_err(|error| error.to_string())
}

/// The released models' files are of the old form.
#[test]
fn both_forms_say_where_attention_is_local() {
    let old = json!({"global_attn_every_n_layers": 3, "local_attention": 10,
        "global_rope_theta": 500.0, "local_rope_theta": 20.0, "classifier_pooling": "mean"});
    let new = json!({"local_attention": 11, "layer_types": [FULL, SLIDING, SLIDING, FULL],
        "rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": 500.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 20.0}}});
    let (old, new) = (read(old).unwrap().modern, read(new).unwrap().modern);
    let full = LayerAttention { window: None, rope_theta: 500.0 };
    let local = LayerAttention { window: Some(5), rope_theta: 20.0 };
    assert_eq!(old.attention, [full, local, local, full]);
    assert_eq!(new.attention, old.attention);
    assert!(old.mean_pooling && !new.mean_pooling);
}

#[test]
fn what_is_not_supported_is_named() {
    for (changes, says) in [
        (json!({"layer_types": [FULL]}), "layer_types has 1 entries for 4 layers"),
        (json!({"layer_types": [FULL, FULL, FULL, "linear"]}), "layer_types names \"linear\""),
        (json!({"global_attn_every_n_layers": 0}), "global_attn_every_n_layers is 0"),
        (json!({"rope_scaling": {"factor": 2}}), "rope_scaling {\"factor\":2} is not supported"),
        (
            json!({"rope_parameters": {"full_attention": {"rope_type": "yarn"}}}),
            "rope_type \"yarn\" is not supported",
        ),
        (json!({"global_rope_theta": 0}), "rope_theta is 0"),
        (json!({"classifier_pooling": "max"}), "classifier_pooling \"max\" is not supported"),
        (json!({"hidden_activation": "silu"}), "hidden_act \"silu\" is not supported"),
        (json!({"classifier_activation": "silu"}), "classifier_activation \"silu\" is not"),
        (json!({"embedding_dropout": 1.0}), "embedding_dropout is 1"),
        (json!({"num_attention_heads": 8}), "is odd; rotary positions need pairs"),
    ] {
        let error = read(changes).err().unwrap();
        assert!(error.contains(says), "{error}");
    }
}
