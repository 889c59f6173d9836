//! What an engine does with each request.

use super::{now, train::Training};
use crate::messages::{Classified, Gradient, ModelInfo, Prediction, Request, Response, describe};
use emberlab_core::{
    Device,
    data::LabelMap,
    model::{Classifier, HostTensor, ModelFiles},
    text::Encoding,
    train::gradients,
};
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Texts to a batch; a browser tab has little memory to spare.
const BATCH_SIZE: usize = 16;
/// Values of each gradient that an answer quotes.
const QUOTED: usize = 8;

pub struct Engine {
    device: Device,
    model: Option<Model>,
}

/// The open model. A training owns it, so that its steps can update the weights in place.
enum Model {
    Ready(Box<Classifier>),
    Training(Box<Training>),
}

impl Engine {
    pub fn new(device: Device) -> Self {
        Self { device, model: None }
    }

    pub async fn answer(
        &mut self,
        request: Request,
        files: Vec<(String, JsValue)>,
    ) -> Result<Response, String> {
        match request {
            Request::Open { name } => self.open(name, files).await,
            Request::Classify { texts } => self.classify(&texts).await,
            Request::Tokenize { texts } => self.tokenize(&texts),
            Request::Gradients { texts, labels } => self.gradients(&texts, &labels).await,
            Request::TrainStart { texts, labels, config } => {
                let training = Training::start(self.classifier()?, &texts, labels, config)?;
                let started = training.started();
                self.model = Some(Model::Training(Box::new(training)));
                Ok(started)
            }
            Request::TrainSteps { count } => self.train(count).await,
        }
    }

    /// Opens a model. The one before it stays until the new one is whole.
    async fn open(
        &mut self,
        name: String,
        files: Vec<(String, JsValue)>,
    ) -> Result<Response, String> {
        let files =
            ModelFiles::from_named(&name, read_files(&name, files).await?).map_err(in_words)?;
        let (classifier, _) = Classifier::open(&files, &self.device).map_err(in_words)?;
        let model = ModelInfo {
            name,
            architecture: "bert".into(),
            parameters: classifier.num_parameters(),
            labels: classifier.label_map().names().to_vec(),
            max_length: classifier.max_length(),
        };
        self.model = Some(Model::Ready(Box::new(classifier)));
        Ok(Response::Opened { model })
    }

    async fn classify(&self, texts: &[String]) -> Result<Response, String> {
        let start = now();
        let (classifier, encodings) = self.encode(texts)?;
        let predictions =
            classifier.predict(&encodings, BATCH_SIZE, |_| ()).await.map_err(in_words)?;
        let predictions = predictions
            .into_iter()
            .zip(&encodings)
            .map(|(prediction, encoding)| Prediction {
                logits: prediction.logits,
                probabilities: prediction.probabilities,
                tokens: encoding.ids.len(),
                truncated: encoding.truncated,
            })
            .collect();
        Ok(Response::Classified(Classified { predictions, milliseconds: now() - start }))
    }

    fn tokenize(&self, texts: &[String]) -> Result<Response, String> {
        let encodings =
            self.classifier()?.tokenizer().encode_all(texts, usize::MAX).map_err(in_words)?;
        Ok(Response::Tokenized {
            input_ids: encodings.into_iter().map(|encoding| encoding.ids).collect(),
        })
    }

    async fn gradients(&self, texts: &[String], labels: &[usize]) -> Result<Response, String> {
        let (classifier, encodings) = self.encode(texts)?;
        check_labels(texts, labels, classifier.label_map())?;
        let (loss, tensors) = gradients(&classifier, &encodings, labels).await.map_err(in_words)?;
        Ok(Response::Gradients { loss, parameters: tensors.into_iter().map(gradient).collect() })
    }

    /// Steps of the training; when it is over, what it needs beyond the weights is let go.
    async fn train(&mut self, count: usize) -> Result<Response, String> {
        let Some(Model::Training(training)) = &mut self.model else {
            return Err("No training has begun.".into());
        };
        let trained = training.steps(count).await.map_err(in_words)?;
        if trained.done {
            self.model = Some(Model::Ready(Box::new(training.classifier())));
        }
        Ok(Response::Trained(trained))
    }

    fn classifier(&self) -> Result<Classifier, String> {
        match &self.model {
            Some(Model::Ready(classifier)) => Ok(Classifier::clone(classifier)),
            Some(Model::Training(training)) => Ok(training.classifier()),
            None => Err("No model is open.".into()),
        }
    }

    fn encode(&self, texts: &[String]) -> Result<(Classifier, Vec<Encoding>), String> {
        let classifier = self.classifier()?;
        let encodings =
            classifier.tokenizer().encode_all(texts, classifier.max_length()).map_err(in_words)?;
        Ok((classifier, encodings))
    }
}

/// A label that the model does not have would not be noticed by a GPU.
fn check_labels(texts: &[String], labels: &[usize], known: &LabelMap) -> Result<(), String> {
    if texts.is_empty() || texts.len() != labels.len() {
        let (texts, labels) = (texts.len(), labels.len());
        return Err(format!("{texts} texts with {labels} labels; each text needs one."));
    }
    match labels.iter().find(|&&label| label >= known.len()) {
        Some(label) => Err(format!("Label {label} is not one of the model's {}.", known.len())),
        None => Ok(()),
    }
}

fn gradient(tensor: HostTensor) -> Gradient {
    let squares = tensor.values.iter().map(|&value| f64::from(value).powi(2));
    let norm = squares.sum::<f64>().sqrt() as f32;
    Gradient { name: tensor.key, norm, first: tensor.values.into_iter().take(QUOTED).collect() }
}

/// The bytes of those files that a model has; a folder may hold much else.
async fn read_files(
    folder: &str,
    files: Vec<(String, JsValue)>,
) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut named = Vec::new();
    for (name, data) in files {
        if ModelFiles::NAMES.contains(&name.as_str()) {
            let failed =
                |e: JsValue| format!("{folder}/{name} could not be read: {}", describe(&e));
            let bytes = read(&data).await.map_err(failed)?;
            named.push((name, bytes));
        }
    }
    Ok(named)
}

/// The bytes of a blob, a buffer or a typed array: `Response` takes them all.
async fn read(data: &JsValue) -> Result<Vec<u8>, JsValue> {
    let response = web_sys::Response::new_with_opt_buffer_source(data.dyn_ref())?;
    let buffer: ArrayBuffer = JsFuture::from(response.array_buffer()?).await?.unchecked_into();
    Ok(Uint8Array::new(&buffer).to_vec())
}

pub(super) fn in_words(error: emberlab_core::Error) -> String {
    error.to_string()
}
