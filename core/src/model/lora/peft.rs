//! `adapter_config.json` and `adapter_model.safetensors`, the folder format of Hugging Face's `peft`.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::Tensor,
};
use serde_json::{Map, Value, json};

use super::{LoraConfig, Scaling, attach::ALL, merge::PREFIX};
use crate::{
    Error, Result,
    data::Task,
    model::{
        BertForSequenceClassification, Family, ModelFiles, ParamPath, Readback, StorageDtype,
        head::Reads, object::object, storage,
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

impl Scaling {
    /// From an `adapter_config.json`.
    ///
    /// # Errors
    /// [`Error::BadConfig`] for adapters of another kind than ours.
    pub(in crate::model) fn read(name: &str, config: &[u8]) -> Result<Self> {
        let config = object(ModelFiles::ADAPTER_CONFIG, config);
        config
            .and_then(|config| scaling(&config))
            .map_err(|reason| Error::BadConfig { name: name.into(), reason })
    }
}

fn scaling(config: &Map<String, Value>) -> Result<Scaling, String> {
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
                return Err(format!("{key} {found} is not supported; only {expected}"));
            }
        }
    }
    let r = config.get("r").and_then(Value::as_u64).filter(|&r| r > 0);
    let r = r.ok_or("r is not a whole number above 0")? as usize;
    let alpha = config.get("lora_alpha").and_then(Value::as_f64).filter(|&alpha| alpha > 0.0);
    let alpha = alpha.ok_or("lora_alpha is not a number above 0")?;
    let by_root = config.get("use_rslora") == Some(&Value::Bool(true));
    Ok(Scaling { r, scale: alpha / if by_root { (r as f64).sqrt() } else { r as f64 } })
}
