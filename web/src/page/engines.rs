//! Which engine answers. The CPU engine is always there and is restarted when it dies; a WebGPU
//! engine that has proven itself takes over until it dies.

use super::{
    adapter, check,
    engine::{Engine, Failure, Kind},
    model::Model,
    text::text,
};
use crate::messages::{Classified, Example, ModelInfo, Prediction, Request, Response, Reviewed};
use futures_util::lock::Mutex;
use js_sys::Array;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// Seconds that are enough for a slow line, a large model and a software adapter.
pub const PATIENCE: i32 = 300;
/// Seconds after which a real GPU that classifies one text has stalled.
const GPU_PATIENCE: i32 = 20;

#[derive(Default)]
pub struct Engines {
    open: RefCell<Option<Rc<Open>>>,
    cpu: Mutex<Option<Engine>>,
    webgpu: RefCell<Option<Gpu>>,
    /// Number of the present attempt with WebGPU.
    attempt: Cell<u32>,
}

/// The model that all engines answer with; its files are kept for the engines still to come.
pub struct Open {
    model: Model,
    pub info: ModelInfo,
}

struct Gpu {
    engine: Rc<Engine>,
    /// Whether it has taken over.
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
        if self.checked_gpu().is_some() { Kind::WebGpu } else { Kind::Cpu }
    }

    /// Starts the CPU engine while the first model is still on its way. A failure is met, and
    /// said, by the first request.
    pub async fn warm_up(&self) {
        let mut cpu = self.cpu.lock().await;
        *cpu = self.start_cpu().await.ok();
    }

    /// Opens a model on the CPU engine; a WebGPU engine, which has the old one, is ended. After an
    /// error nothing has changed.
    pub async fn open(&self, model: Model) -> Result<ModelInfo, String> {
        let mut cpu = self.cpu.lock().await;
        let info = opened(self.ask_cpu(&mut cpu, &model.request(), Some(&model.files)).await?)?;
        self.stop_webgpu();
        *self.open.borrow_mut() = Some(Rc::new(Open { model, info: info.clone() }));
        Ok(info)
    }

    /// Classifies with the WebGPU engine where one has taken over, with the CPU engine otherwise or
    /// when that one dies of it. A CPU engine that dies of it gets a second try.
    pub async fn classify(&self, text: &str) -> Result<Answer, String> {
        let texts = vec![text.to_string()];
        let (kind, response) = self.answer(&Request::Classify { texts }).await?;
        let (prediction, milliseconds) = first(response)?;
        Ok(Answer { kind, model: self.opened()?.info.clone(), prediction, milliseconds })
    }

    /// The answer of whichever engine has the open model, as [`Engines::classify`] finds it.
    pub async fn ask(&self, request: &Request) -> Result<Response, String> {
        Ok(self.answer(request).await?.1)
    }

    async fn answer(&self, request: &Request) -> Result<(Kind, Response), String> {
        if let Some((engine, patience)) = self.checked_gpu() {
            match engine.ask(request, None, patience).await {
                Ok(response) => return Ok((Kind::WebGpu, response)),
                Err(Failure::Refused(message)) => return Err(message),
                Err(Failure::Died(_)) => {}
            }
        }
        let mut cpu = self.cpu.lock().await;
        let response = match self.ask_cpu(&mut cpu, request, None).await {
            Err(Failure::Died(_)) => self.ask_cpu(&mut cpu, request, None).await?,
            answered => answered?,
        };
        Ok((Kind::Cpu, response))
    }

    /// The rows of a pasted text or of a `file`. This needs no model, and the CPU engine does it.
    pub async fn read_rows(
        &self,
        request: Request,
        file: Option<web_sys::File>,
    ) -> Result<Vec<Example>, String> {
        let files = file.map(|file| Array::of1(&Array::of2(&file.name().into(), &file)));
        let mut cpu = self.cpu.lock().await;
        match self.ask_cpu(&mut cpu, &request, files.as_ref()).await? {
            Response::Rows { rows } => Ok(rows),
            _ => Err(text("engine.odd")),
        }
    }

    /// Looks over rows to train on; as [`Engines::read_rows`].
    pub async fn review(&self, request: &Request) -> Result<Reviewed, String> {
        let mut cpu = self.cpu.lock().await;
        match self.ask_cpu(&mut cpu, request, None).await? {
            Response::Reviewed(reviewed) => Ok(reviewed),
            _ => Err(text("engine.odd")),
        }
    }

    /// The open model's files, for an engine of one's own.
    pub fn open_files(&self) -> Result<Model, String> {
        Ok(self.opened()?.model.clone())
    }

    /// Starts a WebGPU engine, gives it the open model and lets it take over if it agrees with the
    /// CPU engine. `attempt` is what [`Engines::stop_webgpu`] gave.
    pub async fn start_webgpu(
        &self,
        attempt: u32,
        accept_software: bool,
    ) -> Result<Rc<Engine>, String> {
        adapter::require(accept_software).await?;
        let open = self.opened()?;
        if !self.is_present(attempt) {
            return Err(text("webgpu.another"));
        }
        let engine = Rc::new(Engine::spawn(Kind::WebGpu)?);
        let patience = if accept_software { PATIENCE } else { GPU_PATIENCE };
        let gpu = Gpu { engine: engine.clone(), checked: false, patience };
        *self.webgpu.borrow_mut() = Some(gpu);

        engine.ready(PATIENCE).await?;
        engine.ask(&open.model.request(), Some(&open.model.files), PATIENCE).await?;
        let found = classified(engine.ask(&check::request(), None, PATIENCE).await?)?;
        let expected = {
            let mut cpu = self.cpu.lock().await;
            classified(self.ask_cpu(&mut cpu, &check::request(), None).await?)?
        };
        check::compare(&found.predictions, &expected.predictions)?;
        if let Some(gpu) = self.webgpu.borrow_mut().as_mut().filter(|_| self.is_present(attempt)) {
            gpu.checked = true;
        }
        Ok(engine)
    }

    /// Ends the WebGPU engine, if there is one, and gives the number of the next attempt.
    pub fn stop_webgpu(&self) -> u32 {
        if let Some(gpu) = self.webgpu.borrow_mut().take() {
            gpu.engine.end(&text("webgpu.ended"));
        }
        self.attempt.set(self.attempt.get() + 1);
        self.attempt.get()
    }

    /// Whether no later attempt was begun.
    pub fn is_present(&self, attempt: u32) -> bool {
        self.attempt.get() == attempt
    }

    fn checked_gpu(&self) -> Option<(Rc<Engine>, i32)> {
        let webgpu = self.webgpu.borrow();
        webgpu.as_ref().filter(|gpu| gpu.checked).map(|gpu| (gpu.engine.clone(), gpu.patience))
    }

    /// The open model: right behind an answer, the one that gave it.
    pub fn opened(&self) -> Result<Rc<Open>, String> {
        self.open.borrow().clone().ok_or_else(|| text("status.no_model"))
    }

    /// Asks the CPU engine, which is started, with the open model, where it is not running.
    async fn ask_cpu(
        &self,
        cpu: &mut Option<Engine>,
        request: &Request,
        files: Option<&Array>,
    ) -> Result<Response, Failure> {
        let engine = match cpu.take() {
            Some(engine) => engine,
            None => self.start_cpu().await?,
        };
        let answer = engine.ask(request, files, PATIENCE).await;
        if !matches!(answer, Err(Failure::Died(_))) {
            *cpu = Some(engine);
        }
        answer
    }

    async fn start_cpu(&self) -> Result<Engine, Failure> {
        let engine = Engine::first().map_err(Failure::Died)?;
        engine.ready(PATIENCE).await?;
        if let Ok(open) = self.opened() {
            engine.ask(&open.model.request(), Some(&open.model.files), PATIENCE).await?;
        }
        Ok(engine)
    }
}

/// The model that was opened.
pub fn opened(response: Response) -> Result<ModelInfo, String> {
    match response {
        Response::Opened { model, .. } => Ok(model),
        _ => Err(text("engine.odd")),
    }
}

fn classified(response: Response) -> Result<Classified, String> {
    match response {
        Response::Classified(classified) => Ok(classified),
        _ => Err(text("engine.odd")),
    }
}

/// The prediction of a single text, and the time it took in milliseconds.
pub fn first(response: Response) -> Result<(Prediction, f64), String> {
    let Classified { predictions, milliseconds } = classified(response)?;
    let prediction = predictions.into_iter().next().ok_or_else(|| text("engine.odd"))?;
    Ok((prediction, milliseconds))
}
