//! All that a training is made of between two steps, as bytes and back, to the last bit.
//!
//! Random streams are functions of (seed, step) and the order of rows of (seed, epoch), so that the
//! step is the whole cursor. What is left are tensors: the weights under their Hugging Face keys,
//! AdamW's means of each parameter that had a gradient, named as `torch.optim.AdamW` names them
//! (`exp_avg.KEY`, `exp_avg_sq.KEY`), and the loss that nobody has looked at yet. As the weights
//! stand there like in any `model.safetensors`, such a file can be opened as a model, too.

use std::collections::HashMap;

use burn::{
    module::{Module, ModuleVisitor, Param, ParamId},
    tensor::{Tensor, TensorData},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Trainer, adamw::AdamW};
use crate::{
    Error, Result,
    kernels::Moments,
    model::{ParamPath, Readback, Source, StorageDtype, Weights, encode_with},
};

/// Where the header keeps the [`Cursor`].
const CURSOR: &str = "trainer_state";
const FIRST: &str = "exp_avg";
const SECOND: &str = "exp_avg_sq";
const UNREAD_LOSS: &str = "unread_loss";

/// What is no tensor.
#[derive(Serialize, Deserialize)]
struct Cursor {
    /// Steps taken.
    step: usize,
    /// Steps whose loss nobody has looked at.
    unread_steps: Option<usize>,
    /// What has to be the same for a training to go on.
    training: Map<String, Value>,
}

/// Whether a tensor of a state is none of the weights.
pub(crate) fn is_of_optimizer(key: &str) -> bool {
    let (start, _) = key.split_once('.').unwrap_or((key, ""));
    [FIRST, SECOND, UNREAD_LOSS].contains(&start)
}

impl Trainer {
    /// The state after the last step as the bytes of a safetensors file; equal states give equal
    /// bytes. Read from the device in one transfer, which training waits for.
    ///
    /// # Errors
    /// [`Error::LossNotFinite`] when training has diverged, [`Error::Device`] if the device fails.
    pub async fn state(&self) -> Result<Vec<u8>> {
        let path = ParamPath::new(self.model());
        let readback = Readback::default();
        let mut visitor = Collect { optimizer: &self.optimizer, path, readback };
        self.model().visit(&mut visitor);
        let mut readback = visitor.readback;
        if let Some((loss, _)) = &self.unread_loss {
            readback.push_as(UNREAD_LOSS.into(), false, loss.clone());
        }
        let tensors = readback.read().await?;
        let diverged = |value: &&f32| !value.is_finite();
        if let Some(&loss) = tensors.iter().flat_map(|tensor| &tensor.values).find(diverged) {
            return Err(Error::LossNotFinite { loss, step: self.step });
        }
        let unread_steps = self.unread_loss.as_ref().map(|(_, steps)| *steps);
        let cursor = Cursor { step: self.step, unread_steps, training: self.training() };
        let cursor = serde_json::to_string(&cursor).unwrap_or_default();
        encode_with(&tensors, StorageDtype::F32, (CURSOR, cursor))
    }

    /// Goes on from a state of the same training: on the same device and number of threads, what
    /// follows equals to the last bit what would have followed without a break. `name` stands for
    /// the state in messages.
    ///
    /// # Errors
    /// [`Error::OtherTraining`] naming what is another, [`Error::BadSafetensors`] and the `Tensor…`
    /// variants for bytes that are damaged.
    pub fn restore(mut self, name: &str, state: Source) -> Result<Self> {
        let files = [(name.to_owned(), state)];
        let stored = Weights::open(name, &files, |key| Some(key.to_owned()))?;
        let Cursor { step, unread_steps, training } = cursor(&stored)?;
        refuse_another(name, &training, &self.training())?;
        if step > self.total_steps() {
            let reason = format!("after step {step} of {}", self.total_steps());
            return Err(Error::OtherTraining { name: name.into(), reason });
        }
        if let Some(model) = self.model.take() {
            let (model, report) = stored.load(model, &[])?;
            if let Some(key) = report.initialized.first() {
                return Err(Error::TensorMissing { name: name.into(), key: key.clone() });
            }
            self.model = Some(model);
        }
        let moments = self.stored_moments(&stored)?;
        self.optimizer.resume(step, moments);
        self.unread_loss = match unread_steps {
            Some(steps) => {
                let values =
                    stored.values_like(&ParamPath::new(self.model()), UNREAD_LOSS, &[1])?;
                Some((Tensor::from_data(TensorData::new(values, [1]), &self.setup.device), steps))
            }
            None => None,
        };
        self.step = step;
        Ok(self)
    }

    /// The recipe and the number of rows, as they are after they were written and read: a number
    /// may come back with another last digit.
    fn training(&self) -> Map<String, Value> {
        let recipe = serde_json::to_string(&self.config).unwrap_or_default();
        let mut training: Map<_, _> = serde_json::from_str(&recipe).unwrap_or_default();
        training.insert("rows".into(), self.rows.len().into());
        training
    }

    fn stored_moments(&self, stored: &Weights) -> Result<HashMap<ParamId, Moments>> {
        let mut visitor = Restore {
            stored,
            path: ParamPath::new(self.model()),
            moments: HashMap::new(),
            error: None,
        };
        self.model().visit(&mut visitor);
        match visitor.error {
            Some(error) => Err(error),
            None => Ok(visitor.moments),
        }
    }
}

fn cursor(stored: &Weights) -> Result<Cursor> {
    let bad =
        |reason: String| Error::BadSafetensors { name: stored.name_of(CURSOR).into(), reason };
    let Some(cursor) = stored.note(CURSOR) else {
        return Err(bad("it holds no state of a training".into()));
    };
    serde_json::from_str(cursor).map_err(|error| bad(format!("{CURSOR}: {error}")))
}

fn refuse_another(
    name: &str,
    stored: &Map<String, Value>,
    present: &Map<String, Value>,
) -> Result<()> {
    let differs = |key: &&String| stored.get(*key) != present.get(*key);
    let shown = |value: Option<&Value>| value.map_or_else(|| "not there".into(), Value::to_string);
    let differences = present.keys().filter(differs).map(|key| {
        format!("{key} was {} and is {}", shown(stored.get(key)), shown(present.get(key)))
    });
    let differences: Vec<_> = differences.collect();
    if differences.is_empty() {
        return Ok(());
    }
    let reason = format!("the state of another training: {}", differences.join(", "));
    Err(Error::OtherTraining { name: name.into(), reason })
}

struct Collect<'a> {
    optimizer: &'a AdamW,
    path: ParamPath,
    readback: Readback,
}

impl ModuleVisitor for Collect<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val().inner();
        let shape = value.shape();
        self.readback.push(&self.path, value);
        let Some(Moments { first, second }) = self.optimizer.moments(param.id) else { return };
        for (name, mean) in [(FIRST, first), (SECOND, second)] {
            let key = format!("{name}.{}", self.path.key());
            let mean = mean.clone().reshape(shape.clone());
            self.readback.push_as::<D>(key, self.path.is_transposed(), mean);
        }
    }
}

struct Restore<'a> {
    stored: &'a Weights<'a>,
    path: ParamPath,
    moments: HashMap<ParamId, Moments>,
    error: Option<Error>,
}

impl Restore<'_> {
    /// Of the parameter at the present path; none where it had no gradient yet.
    fn read<const D: usize>(&self, param: &Param<Tensor<D>>) -> Result<Option<Moments>> {
        let [first, second] = [FIRST, SECOND].map(|name| format!("{name}.{}", self.path.key()));
        if [&first, &second].into_iter().all(|key| self.stored.shape(key).is_none()) {
            return Ok(None);
        }
        let value = param.val().inner();
        let read = |key: &str| -> Result<Tensor<1>> {
            let shape = value.shape();
            let values = self.stored.values_like(&self.path, key, shape.as_slice())?;
            let data = TensorData::new(values, [shape.num_elements()]);
            Ok(Tensor::from_data(data, &value.device()))
        };
        Ok(Some(Moments { first: read(&first)?, second: read(&second)? }))
    }
}

impl ModuleVisitor for Restore<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.error.is_some() {
            return;
        }
        match self.read(param) {
            Ok(Some(moments)) => {
                self.moments.insert(param.id, moments);
            }
            Ok(None) => {}
            Err(error) => self.error = Some(error),
        }
    }
}
