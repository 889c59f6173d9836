//! What an engine does with each request.

use super::{
    files::{self, Attached},
    labels, now,
    problem::Problem,
    rows, teach,
    train::Training,
    zip,
};
use crate::messages::{
    Classified, Evaluated, Gradient, ModelInfo, Prediction, Request, Response, describe,
};
use emberlab_core::{
    Device,
    data::Task,
    metrics::ClassificationMetrics,
    model::{Classifier, HostTensor, MaskedLm, StorageDtype},
    text::Encoding,
    train::gradients,
};
use js_sys::{Array, Uint8Array};

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
    /// Which guesses words and classifies nothing.
    Masked(Box<MaskedLm>),
}

impl Engine {
    pub fn new(device: Device) -> Self {
        Self { device, model: None }
    }

    pub async fn answer(&mut self, request: Request, files: Attached) -> Result<Response, Problem> {
        match request {
            Request::Open { name } => self.open(name, files).await,
            Request::OpenForTraining { name, labels, seed } => {
                self.open_for_training(name, files, &labels, seed).await
            }
            Request::Classify { texts } => self.classify(&texts).await,
            Request::Tokenize { texts } => self.tokenize(&texts),
            Request::Gradients { texts, labels } => self.gradients(&texts, &labels).await,
            Request::TrainStart { texts, labels, config } => {
                let state = match files.first() {
                    Some((name, data)) => Some(files::read(name, data).await?),
                    None => None,
                };
                let training = Training::start(self.classifier()?, &texts, labels, config, state)?;
                let started = training.started();
                self.model = Some(Model::Training(Box::new(training)));
                Ok(started)
            }
            Request::TrainSteps { count } => self.train(count).await,
            Request::Evaluate { texts, labels, max_length } => {
                self.evaluate(&texts, &labels, max_length).await
            }
            Request::Save {} => self.save().await,
            Request::State {} => self.state().await,
            Request::ReadFile { name } => rows::read_file(&name, files).await,
            Request::ReadPasted { text } => Ok(rows::read_pasted(&text)),
            Request::Review { texts, labels, held_out, seed } => {
                rows::review(&texts, &labels, held_out, seed)
            }
            Request::Explain { text, label } => {
                teach::explain(&self.classifier()?, &text, label).await
            }
            Request::Lesson { rows, settings } => {
                teach::lesson(&self.classifier()?, &rows, &settings).await
            }
            Request::Schedule { settings } => Ok(teach::schedule(&settings)),
            Request::OpenMaskedLm { name } => self.open_masked_lm(name, files).await,
            Request::FillMask { text, top_k } => match &self.model {
                Some(Model::Masked(model)) => {
                    Ok(Response::FilledMask { guesses: model.fill_mask(&text, top_k).await? })
                }
                _ => Err("No masked language model is open.".into()),
            },
            Request::Script(_) => Err("A script is asked by the page alone.".into()),
        }
    }

    /// Opens a model. The one before it stays until the new one is whole.
    async fn open(&mut self, name: String, files: Attached) -> Result<Response, Problem> {
        let files = files::model(&name, files).await?;
        let (classifier, _) = Classifier::open(&files, &self.device)?;
        if classifier.task() == Task::TokenClassification {
            return Err(Problem::from(format!(
                "{name} tags words (token_classification), which the page does not show; use it with: emberlab predict"
            )));
        }
        Ok(self.opened(name, classifier, false))
    }

    async fn open_masked_lm(&mut self, name: String, files: Attached) -> Result<Response, Problem> {
        let files = files::model(&name, files).await?;
        let opened = MaskedLm::open(&files, &self.device)?;
        let model = ModelInfo {
            name,
            architecture: opened.config().family.model_type().into(),
            task: "fill_mask".into(),
            parameters: opened.num_parameters(),
            labels: Vec::new(),
            max_length: opened.max_length(),
            layers: opened.config().num_hidden_layers,
        };
        self.model = Some(Model::Masked(Box::new(opened)));
        Ok(Response::Opened { model, new_head: false })
    }

    async fn open_for_training(
        &mut self,
        name: String,
        files: Attached,
        labels: &[String],
        seed: u64,
    ) -> Result<Response, Problem> {
        let files = files::model(&name, files).await?;
        let label_map = labels::for_training(&files, labels)?;
        let (classifier, report) = Classifier::for_training(&files, label_map, seed, &self.device)?;
        let new_head = report.initialized.iter().any(|key| key.starts_with("classifier."));
        Ok(self.opened(name, classifier, new_head))
    }

    fn opened(&mut self, name: String, classifier: Classifier, new_head: bool) -> Response {
        let model = ModelInfo {
            name,
            architecture: classifier.config().family.model_type().into(),
            task: classifier.task().name().into(),
            parameters: classifier.num_parameters(),
            labels: classifier.label_map().names().to_vec(),
            max_length: classifier.max_length(),
            layers: classifier.config().num_hidden_layers,
        };
        self.model = Some(Model::Ready(Box::new(classifier)));
        Response::Opened { model, new_head }
    }

    async fn classify(&self, texts: &[String]) -> Result<Response, Problem> {
        let start = now();
        let (classifier, encodings) = self.encode(texts, None)?;
        let predictions = classifier.predict(&encodings, BATCH_SIZE, |_| ()).await?;
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

    fn tokenize(&self, texts: &[String]) -> Result<Response, Problem> {
        let encodings = self.classifier()?.tokenizer().encode_all(texts, usize::MAX)?;
        Ok(Response::Tokenized {
            input_ids: encodings.into_iter().map(|encoding| encoding.ids).collect(),
        })
    }

    async fn gradients(&self, texts: &[String], labels: &[usize]) -> Result<Response, Problem> {
        let (classifier, encodings) = self.encode(texts, None)?;
        labels::check(texts, labels, classifier.label_map())?;
        let targets = labels.to_vec().into();
        let (loss, tensors) = gradients(&classifier, &encodings, &targets).await?;
        Ok(Response::Gradients { loss, parameters: tensors.into_iter().map(gradient).collect() })
    }

    /// Steps of the training; when it is over, what it needs beyond the weights is let go.
    async fn train(&mut self, count: usize) -> Result<Response, Problem> {
        let Some(Model::Training(training)) = &mut self.model else {
            return Err("No training has begun.".into());
        };
        let trained = training.steps(count).await?;
        if trained.done {
            self.model = Some(Model::Ready(Box::new(training.classifier())));
        }
        Ok(Response::Trained(trained))
    }

    async fn evaluate(
        &self,
        texts: &[String],
        labels: &[usize],
        max_length: Option<usize>,
    ) -> Result<Response, Problem> {
        let (classifier, encodings) = self.encode(texts, max_length)?;
        if classifier.task() != Task::SingleLabelClassification {
            let task = classifier.task();
            let message = format!("The open model is for {task}; it has no classes to measure.");
            return Err(message.into());
        }
        labels::check(texts, labels, classifier.label_map())?;
        let predictions = classifier.predict(&encodings, BATCH_SIZE, |_| ()).await?;
        let predicted: Vec<usize> = predictions.iter().map(|it| it.label()).collect();
        let scores = predictions.iter().zip(&predicted).map(|(it, &id)| it.probabilities[id]);
        let metrics = ClassificationMetrics::new(labels, &predicted, classifier.label_map());
        Ok(Response::Evaluated(Evaluated {
            accuracy: metrics.accuracy,
            macro_f1: metrics.macro_f1,
            confusion_matrix: metrics.confusion_matrix,
            scores: scores.collect(),
            predicted,
        }))
    }

    /// Weights go out as f32, so that whoever opens them gets the very same predictions.
    async fn save(&self) -> Result<Response, Problem> {
        let files = self.classifier()?.to_files(StorageDtype::F32).await?;
        saved(&zip::pack(files)?)
    }

    async fn state(&self) -> Result<Response, Problem> {
        match &self.model {
            Some(Model::Training(training)) => saved(&training.state().await?),
            _ => Err("No training has begun.".into()),
        }
    }

    fn classifier(&self) -> Result<Classifier, Problem> {
        match &self.model {
            Some(Model::Ready(classifier)) => Ok(Classifier::clone(classifier)),
            Some(Model::Training(training)) => Ok(training.classifier()),
            Some(Model::Masked(_)) | None => Err("No classifier is open.".into()),
        }
    }

    fn encode(
        &self,
        texts: &[String],
        max_length: Option<usize>,
    ) -> Result<(Classifier, Vec<Encoding>), Problem> {
        let classifier = self.classifier()?;
        let positions = classifier.max_length();
        let max_length = max_length.map_or(positions, |length| length.min(positions));
        let encodings = classifier.tokenizer().encode_all(texts, max_length)?;
        Ok((classifier, encodings))
    }
}

fn saved(bytes: &[u8]) -> Result<Response, Problem> {
    let parts = Array::of1(&Uint8Array::from(bytes));
    let file = web_sys::Blob::new_with_u8_array_sequence(&parts);
    Ok(Response::Saved { file: file.map_err(|error| describe(&error))?.into() })
}

fn gradient(tensor: HostTensor) -> Gradient {
    let squares = tensor.values.iter().map(|&value| f64::from(value).powi(2));
    let norm = squares.sum::<f64>().sqrt() as f32;
    Gradient { name: tensor.key, norm, first: tensor.values.into_iter().take(QUOTED).collect() }
}
