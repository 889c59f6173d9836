//! Adapters that start at nothing, beside the weights of a model.

use burn::{
    module::{Module, ModuleMapper, Param, Reparameterizer},
    tensor::{Tensor, TensorData},
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::{LoraConfig, LowRank};
use crate::{
    Error, Result,
    model::{BertForSequenceClassification, Family, ParamPath, stream},
};

/// peft's name for every linear layer of the encoder.
pub(super) const ALL: &str = "all-linear";
/// Sites of dropout in adapters, beyond all others of the model.
const SITES: usize = 1 << 21;

impl LoraConfig {
    /// The model with adapters, which alone take gradients. `a` is drawn as peft draws it, uniformly
    /// from ±1/√in (PyTorch's `kaiming_uniform_(a=√5)`); `b` is zero.
    ///
    /// # Errors
    /// [`Error::BadSetting`] where no layer has a name that is asked for.
    pub(in crate::model) fn attach(
        &self,
        model: BertForSequenceClassification,
        seed: u64,
    ) -> Result<BertForSequenceClassification> {
        let family = model.family();
        let mut attach = Attach {
            lora: self,
            targets: self.targets(family),
            path: ParamPath::new(&model),
            seed,
            attached: Vec::new(),
            others: Vec::new(),
        };
        let model = model.map(&mut attach);
        let Attach { targets, attached, others, .. } = attach;
        let missing = targets.iter().find(|target| {
            *target != ALL && !attached.iter().any(|module| is_called(module, target))
        });
        let Some(target) = missing else { return Ok(model) };
        let mut known: Vec<&str> =
            attached.iter().chain(&others).filter_map(|m| m.rsplit('.').next()).collect();
        known.sort_unstable();
        known.dedup();
        let reason = format!("the encoder has no such linear layer; it has: {}", known.join(", "));
        Err(Error::BadSetting { name: "lora_target_modules", value: target.clone(), reason })
    }

    /// The names that were asked for, or peft's usual ones.
    pub(super) fn targets(&self, family: Family) -> Vec<String> {
        if !self.target_modules.is_empty() {
            return self.target_modules.clone();
        }
        let usual: &[&str] = match family {
            Family::DistilBert => &["q_lin", "v_lin"],
            Family::ModernBert => &["Wqkv"],
            _ => &["query", "value"],
        };
        usual.iter().map(|&name| name.to_owned()).collect()
    }
}

/// Whether a module's path ends in a name, as peft compares them.
fn is_called(module: &str, name: &str) -> bool {
    module == name || module.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
}

struct Attach<'a> {
    lora: &'a LoraConfig,
    targets: Vec<String>,
    path: ParamPath,
    seed: u64,
    /// Layers with an adapter, and linear layers without.
    attached: Vec<String>,
    others: Vec<String>,
}

impl ModuleMapper for Attach<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let param = param.set_require_grad(false);
        if !self.path.is_of_linear() || self.path.is_of_head() {
            return param;
        }
        let key = self.path.key();
        let module = key.strip_suffix(".weight").unwrap_or(&key).to_owned();
        if !self.targets.iter().any(|target| target == ALL || is_called(&module, target)) {
            self.others.push(module);
            return param;
        }
        let index = self.attached.len();
        self.attached.push(module);
        param.apply_reparameterization(New { lora: self.lora, seed: self.seed, index })
    }
}

/// An adapter for one weight.
struct New<'a> {
    lora: &'a LoraConfig,
    seed: u64,
    /// Of the adapter among all.
    index: usize,
}

impl Reparameterizer for New<'_> {
    type Reparam = LowRank;

    fn reparameterize<const D: usize>(
        &mut self,
        _path: &str,
        param: Param<Tensor<D>>,
    ) -> (Param<Tensor<D>>, Option<LowRank>) {
        let (shape, device) = (param.lazy_shape(), param.lazy_device());
        let &[inputs, outputs] = shape.as_slice() else { return (param, None) };
        let LoraConfig { r, lora_dropout, .. } = *self.lora;
        let site = SITES + self.index;
        // From a stream of its own: the same on every device, whatever was drawn before.
        let mut random = ChaCha8Rng::seed_from_u64(stream(self.seed, site));
        let bound = (inputs as f32).powf(-0.5);
        let drawn: Vec<f32> =
            (0..inputs * r).map(|_| random.random_range(-bound..=bound)).collect();
        let adapter = LowRank {
            a: Param::from_tensor(Tensor::from_data(TensorData::new(drawn, [inputs, r]), &device)),
            b: Param::from_tensor(Tensor::zeros([r, outputs], &device)),
            scale: self.lora.scale(),
            dropout_prob: lora_dropout,
            site,
        };
        (param, Some(adapter))
    }
}
