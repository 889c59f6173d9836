//! `adapter_config.json` and `adapter_model.safetensors`, the folder format of Hugging Face's `peft`.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::Tensor,
};
use serde_json::{Map, Value, json};

use super::{LoraConfig, attach::ALL, merge::PREFIX};
use crate::{
    Error, Result,
    data::Task,
    model::{
        BertForSequenceClassification, Family, ParamPath, Readback, StorageDtype, head::Reads,
        storage,
    },
};

/// The bytes of `adapter_model.safetensors`: the adapters and the head.
///
/// # Errors
/// [`Error::Device`] when the weights cannot be read back.
pub(in crate::model) async fn write(
    model: &BertForSequenceClassification,
    dtype: StorageDtype,
) -> Result<Vec<u8>> {
    let mut collect = Collect { path: ParamPath::new(model), readback: Readback::default() };
    model.visit(&mut collect);
    let tensors = collect.readback.read().await?;
    storage::encode(&tensors, dtype)
}

struct Collect {
    path: ParamPath,
    readback: Readback,
}

impl ModuleVisitor for Collect {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.path.is_of_adapter() || self.path.is_of_head() {
            let key = format!("{PREFIX}{}", self.path.key());
            self.readback.push_as(key, self.path.is_transposed(), param.val());
        }
    }
}

impl LoraConfig {
    /// `adapter_config.json` of adapters for the model in the folder `base`.
    pub(in crate::model) fn to_json(&self, family: Family, task: Task, base: &str) -> Vec<u8> {
        let reads = Reads::of(task);
        let task_type = match reads {
            Reads::Text => "SEQ_CLS",
            Reads::Words => "TOKEN_CLS",
            Reads::Tokens => "QUESTION_ANS",
        };
        let named = self.targets(family);
        let targets = match named.iter().any(|name| name == ALL) {
            true => json!(ALL),
            false => json!(named),
        };
        let config = json!({
            "peft_type": "LORA",
            "task_type": task_type,
            "base_model_name_or_path": base,
            "r": self.r,
            "lora_alpha": self.lora_alpha,
            "lora_dropout": self.lora_dropout,
            "target_modules": targets,
            "modules_to_save": family.head_modules(reads),
            "bias": "none",
            "fan_in_fan_out": false,
            "init_lora_weights": true,
            "use_rslora": false,
            "use_dora": false,
            "rank_pattern": {},
            "alpha_pattern": {},
            "inference_mode": true,
        });
        let mut bytes = serde_json::to_vec_pretty(&config).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// What the products of adapters are multiplied by, from an `adapter_config.json`.
///
/// # Errors
/// [`Error::BadConfig`] for adapters of another kind than ours.
pub(in crate::model) fn read_scale(name: &str, config: &[u8]) -> Result<f64> {
    let bad = |reason: String| Error::BadConfig { name: name.into(), reason };
    let config: Map<String, Value> = serde_json::from_slice(config)
        .map_err(|error| bad(format!("not a JSON object: {error}")))?;
    let usual = [
        ("peft_type", json!("LORA")),
        ("bias", json!("none")),
        ("use_dora", json!(false)),
        ("fan_in_fan_out", json!(false)),
        ("rank_pattern", json!({})),
        ("alpha_pattern", json!({})),
    ];
    for (key, expected) in usual {
        match config.get(key) {
            None | Some(Value::Null) => {}
            Some(found) if *found == expected => {}
            Some(found) => {
                return Err(bad(format!("{key} {found} is not supported; only {expected}")));
            }
        }
    }
    let number = |key: &str| {
        let value = config.get(key).and_then(Value::as_f64).filter(|value| *value > 0.0);
        value.ok_or_else(|| bad(format!("{key} is not a number above 0")))
    };
    let (r, alpha) = (number("r")?, number("lora_alpha")?);
    let by_root = config.get("use_rslora") == Some(&Value::Bool(true));
    Ok(alpha / if by_root { r.sqrt() } else { r })
}
