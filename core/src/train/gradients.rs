//! Gradients by name, for tests and explanations.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::Tensor,
};

use super::{LabelledRows, LossConfig, targets::checked};
use crate::{
    Result,
    data::Targets,
    model::{Classifier, HostTensor, ParamPath, Pass, Readback, scalar},
    text::Encoding,
};

/// The mean loss of one batch, without dropout, and its gradient for every parameter in
/// Hugging Face's names and layout.
///
/// # Errors
/// [`Error::BadSetting`] for a text that is too long or targets that do not fit, [`Error::Device`] if
/// the device fails.
pub async fn gradients(
    classifier: &Classifier,
    encodings: &[Encoding],
    targets: &Targets,
) -> Result<(f32, Vec<HostTensor>)> {
    let setup = &classifier.setup;
    let rows = LabelledRows { encodings: encodings.to_vec(), targets: targets.clone() };
    let LabelledRows { encodings, targets } = &checked(rows, setup)?;
    let longest = encodings.iter().map(|encoding| encoding.ids.len()).max().unwrap_or(1);
    let rows: Vec<usize> = (0..encodings.len()).collect();
    let device = setup.device.clone().autodiff();
    let kernels = setup.kernels;
    let batch = setup.collate(encodings, &rows, longest).to_device(kernels, &device);

    let model = classifier.model.clone().train();
    let logits = model.forward(&batch, Pass::inference(kernels));
    let usual = LossConfig::default();
    let loss = usual.sum(logits, targets) / usual.weight(targets);
    let grads = GradientsParams::from_grads(loss.backward(), &model);
    let path = ParamPath::new(&model);
    let mut visitor = Named { grads, path, readback: Readback::default() };
    model.visit(&mut visitor);
    let tensors = visitor.readback.read().await?;
    Ok((scalar(loss.inner()).await?, tensors))
}

struct Named {
    grads: GradientsParams,
    path: ParamPath,
    readback: Readback,
}

impl ModuleVisitor for Named {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.remove::<D>(param.id) {
            self.readback.push(&self.path, grad);
        }
    }
}
