//! Which engine answers. The CPU engine is always there and is restarted when it dies; a WebGPU engine that has proven itself
//! takes over until it dies.

use super::{
    adapter,
    engine::{Engine, Failure, Kind},
    model::Model,
};
use crate::messages::{Classified, ModelInfo, Prediction, Request, Response};
use futures_util::lock::Mutex;
use std::{cell::RefCell, rc::Rc};

/// Enough for a slow line, a large model and a software adapter.
const PATIENCE: i32 = 300;
/// A real GPU that takes longer for one text has stalled.
const GPU_PATIENCE: i32 = 20;
/// How far a WebGPU engine's probabilities may be from the CPU engine's.
const TOLERANCE: f32 = 1e-3;
/// What a WebGPU engine is checked with: short, long, odd and nearly empty.
const CHECK_TEXTS: [&str; 4] = [
    "I can't believe we finally made it!",
    "She waited at the window until the last train had gone, and then she folded the letter and put it back into the drawer.",
    "¿Qué? 12 o'clock… 🙂",
    ".",
];

#[derive(Default)]
pub struct Engines {
    open: RefCell<Option<Rc<Open>>>,
    cpu: Mutex<Option<Engine>>,
    webgpu: RefCell<Option<Gpu>>,
}

/// The model that all engines answer with; its files are kept for the engines still to come.
struct Open {
    model: Model,
    info: ModelInfo,
}

struct Gpu {
    engine: Rc<Engine>,
    checked: bool,
    patience: i32,
}

/// One text's classification, and who made it.
pub struct Answer {
    pub kind: Kind,
    pub model: ModelInfo,
    pub prediction: Prediction,
    pub milliseconds: f64,
}

impl Engines {
    pub fn model(&self) -> Option<ModelInfo> {
        self.open.borrow().as_ref().map(|open| open.info.clone())
    }

    /// The engine that answers now.
    pub fn kind(&self) -> Kind {
        match self.webgpu.borrow().as_ref() {
            Some(gpu) if gpu.checked => Kind::WebGpu,
            _ => Kind::Cpu,
        }
    }

    /// Starts the CPU engine while the first model is still on its way. A failure is met, and said, by the first request.
    pub async fn warm_up(&self) {
        let mut cpu = self.cpu.lock().await;
        *cpu = self.start_cpu().await.ok();
    }

    /// Opens a model on the CPU engine; the WebGPU engine, which has the old one, is ended. After an error nothing has changed.
    pub async fn open(&self, model: Model) -> Result<ModelInfo, String> {
        let info = {
            let mut cpu = self.cpu.lock().await;
            let info = self.ask_cpu(&mut cpu, &model.request(), Some(&model)).await?;
            opened(info)?
        };
        self.stop_webgpu();
        *self.open.borrow_mut() = Some(Rc::new(Open { model, info: info.clone() }));
        Ok(info)
    }

    /// Classifies with the WebGPU engine where one has taken over, with the CPU engine otherwise or when that one dies of it.
    pub async fn classify(&self, text: &str) -> Result<Answer, String> {
        let request = Request::Classify { texts: vec![text.to_string()] };
        let gpu = self.webgpu.borrow().as_ref().filter(|gpu| gpu.checked).map(|gpu| (gpu.engine.clone(), gpu.patience));
        if let Some((engine, patience)) = gpu {
            match engine.ask(&request, None, patience).await {
                Ok(response) => return self.answer(Kind::WebGpu, response),
                Err(Failure::Refused(message)) => return Err(message),
                Err(Failure::Died(_)) => {}
            }
        }
        let mut cpu = self.cpu.lock().await;
        let response = match self.ask_cpu(&mut cpu, &request, None).await {
            Err(Failure::Died(_)) => self.ask_cpu(&mut cpu, &request, None).await?,
            answered => answered?,
        };
        self.answer(Kind::Cpu, response)
    }

    fn answer(&self, kind: Kind, response: Response) -> Result<Answer, String> {
        let model = self.model().ok_or("No model is open.")?;
        let Classified { predictions, milliseconds } = classified(response)?;
        let prediction = predictions.into_iter().next().ok_or("The engine classified nothing.")?;
        Ok(Answer { kind, model, prediction, milliseconds })
    }

    /// Asks the CPU engine, which is started, with the open model, where it is not running.
    async fn ask_cpu(&self, cpu: &mut Option<Engine>, request: &Request, model: Option<&Model>) -> Result<Response, Failure> {
        let engine = match cpu.take() {
            Some(engine) => engine,
            None => self.start_cpu().await?,
        };
        let answer = engine.ask(request, model.map(|model| &model.files), PATIENCE).await;
        if !matches!(answer, Err(Failure::Died(_))) {
            *cpu = Some(engine);
        }
        answer
    }

    async fn start_cpu(&self) -> Result<Engine, Failure> {
        let engine = Engine::start(Kind::Cpu, PATIENCE).await?;
        let open = self.open.borrow().clone();
        if let Some(open) = open {
            engine.ask(&open.model.request(), Some(&open.model.files), PATIENCE).await?;
        }
        Ok(engine)
    }

    /// Starts a WebGPU engine, gives it the open model and lets it take over if it agrees with the CPU engine.
    pub async fn start_webgpu(&self, accept_software: bool) -> Result<Rc<Engine>, String> {
        self.stop_webgpu();
        adapter::require(accept_software).await?;
        let open = self.open.borrow().clone().ok_or("No model is open.")?;
        let patience = if accept_software { PATIENCE } else { GPU_PATIENCE };

        let engine = Rc::new(Engine::start(Kind::WebGpu, PATIENCE).await?);
        *self.webgpu.borrow_mut() = Some(Gpu { engine: engine.clone(), checked: false, patience });
        engine.ask(&open.model.request(), Some(&open.model.files), PATIENCE).await?;
        self.check(&engine).await?;

        match self.webgpu.borrow_mut().as_mut() {
            Some(gpu) if Rc::ptr_eq(&gpu.engine, &engine) => gpu.checked = true,
            _ => return Err("Another model was opened meanwhile.".into()),
        }
        Ok(engine)
    }

    /// Compares the engine's probabilities with the CPU engine's, text by text.
    async fn check(&self, engine: &Engine) -> Result<(), String> {
        let request = Request::Classify { texts: CHECK_TEXTS.map(String::from).to_vec() };
        let found = classified(engine.ask(&request, None, PATIENCE).await?)?;
        let mut cpu = self.cpu.lock().await;
        let expected = classified(self.ask_cpu(&mut cpu, &request, None).await?)?;
        let worst = furthest(&found.predictions, &expected.predictions);
        if worst <= TOLERANCE {
            return Ok(());
        }
        Err(format!("The WebGPU engine's probabilities are up to {worst} off, so it is not used."))
    }

    pub fn stop_webgpu(&self) {
        if let Some(gpu) = self.webgpu.borrow_mut().take() {
            gpu.engine.end("The WebGPU engine was ended.".into());
        }
    }
}

/// The largest difference between two sets of probabilities; infinite where there is none to speak of (NaN, another number).
fn furthest(found: &[Prediction], expected: &[Prediction]) -> f32 {
    if found.len() != expected.len() {
        return f32::INFINITY;
    }
    found.iter().zip(expected).map(|(found, expected)| distance(&found.probabilities, &expected.probabilities)).fold(0.0, f32::max)
}

fn distance(found: &[f32], expected: &[f32]) -> f32 {
    if found.len() != expected.len() {
        return f32::INFINITY;
    }
    found
        .iter()
        .zip(expected)
        .map(|(found, expected)| (found - expected).abs())
        .map(|distance| if distance.is_nan() { f32::INFINITY } else { distance })
        .fold(0.0, f32::max)
}

fn opened(response: Response) -> Result<ModelInfo, String> {
    match response {
        Response::Opened { model } => Ok(model),
        _ => Err("The engine answered something else than was asked.".into()),
    }
}

fn classified(response: Response) -> Result<Classified, String> {
    match response {
        Response::Classified(classified) => Ok(classified),
        _ => Err("The engine answered something else than was asked.".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(probabilities: &[f32]) -> Prediction {
        Prediction { logits: vec![], probabilities: probabilities.to_vec(), tokens: 3, truncated: false }
    }

    #[test]
    fn the_furthest_probability_counts() {
        let found = [prediction(&[0.5, 0.5]), prediction(&[0.9, 0.1])];
        let expected = [prediction(&[0.5, 0.5]), prediction(&[0.8, 0.2])];
        assert!((furthest(&found, &expected) - 0.1).abs() < 1e-6);
    }

    #[test]
    fn what_cannot_be_compared_is_infinitely_far() {
        assert_eq!(furthest(&[prediction(&[f32::NAN])], &[prediction(&[1.0])]), f32::INFINITY);
        assert_eq!(furthest(&[prediction(&[1.0])], &[prediction(&[0.5, 0.5])]), f32::INFINITY);
        assert_eq!(furthest(&[], &[prediction(&[1.0])]), f32::INFINITY);
    }
}
