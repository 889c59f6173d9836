//! One engine: a worker, the requests it still owes an answer, and its death.

use super::{
    dom::{mark, sleep, window},
    text::{fill, text},
};
use crate::messages::{
    Read, Request, Response, UNASKED, Words, attach_files, describe, id_of, property, to_object,
};
use futures_channel::oneshot::{self, Sender};
use futures_util::future::{Either, select};
use js_sys::{Array, Reflect};
use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Cpu,
    WebGpu,
}

impl Kind {
    fn script(self) -> &'static str {
        match self {
            Kind::Cpu => "./engine-cpu_loader.js",
            Kind::WebGpu => "./engine-webgpu_loader.js",
        }
    }

    /// `CPU engine`
    pub fn name(self) -> String {
        text(match self {
            Kind::Cpu => "engine.cpu",
            Kind::WebGpu => "engine.webgpu",
        })
    }

    /// One of the sentences in which an engine's end is told.
    fn tell(self, key: &str, why: &str) -> String {
        fill(key, &[("engine", &self.name()), ("why", why)])
    }
}

/// Why a request has no answer.
#[derive(Debug)]
pub enum Failure {
    /// The engine says what is wrong with the request, and works on.
    Refused(String),
    /// The engine is gone.
    Died(String),
}

impl From<Failure> for String {
    fn from(failure: Failure) -> String {
        match failure {
            Failure::Refused(message) | Failure::Died(message) => message,
        }
    }
}

/// A running worker. Dropping it ends it.
pub struct Engine {
    pub kind: Kind,
    worker: Worker,
    state: Rc<State>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

type Answer = Result<Response, Failure>;

#[derive(Default)]
struct State {
    last_id: Cell<u32>,
    owed: RefCell<Vec<(u32, Sender<Answer>)>>,
    mourners: RefCell<Vec<Sender<String>>>,
    death: RefCell<Option<String>>,
}

impl Engine {
    /// Starts the worker. It takes requests once it is [`Engine::ready`].
    pub fn spawn(kind: Kind) -> Result<Self, String> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(kind.script(), &options)
            .map_err(|error| kind.tell("engine.not_started", &describe(&error)))?;
        Ok(Self::of(kind, worker))
    }

    /// The CPU engine that `web/start.js` started before the page was there; another one after that.
    pub fn first() -> Result<Self, String> {
        let first = property(&window(), "firstEngine");
        let _ = Reflect::set(&window(), &"firstEngine".into(), &JsValue::UNDEFINED);
        let Ok(first) = first.dyn_into::<Array>() else { return Self::spawn(Kind::Cpu) };
        let worker: Worker = first.get(0).unchecked_into();
        let unheard: Array = first.get(1).unchecked_into();
        let engine = Self::of(Kind::Cpu, worker.clone());
        // A moment later: whoever starts an engine waits for what it says.
        spawn_local(async move {
            for event in unheard.iter() {
                let _ = worker.dispatch_event(&event.unchecked_into());
            }
        });
        Ok(engine)
    }

    fn of(kind: Kind, worker: Worker) -> Self {
        let state = Rc::new(State::default());

        let hearer = state.clone();
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            hearer.hear(kind, event.data())
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));

        let hearer = state.clone();
        let on_error = Closure::<dyn FnMut(ErrorEvent)>::new(move |event: ErrorEvent| {
            hearer.die(&kind.tell("engine.stopped", &error_text(&event)))
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Self { kind, worker, state, _on_message: on_message, _on_error: on_error }
    }

    /// Waits until the worker takes requests, and marks that it does: `start.js` has its files kept then.
    pub async fn ready(&self, seconds: i32) -> Result<(), Failure> {
        self.answer(UNASKED, seconds).await?;
        mark(self.kind.script());
        Ok(())
    }

    /// Sends a request, with the files that belong to it, and waits for the answer. An engine that
    /// gives none in time is ended.
    pub async fn ask(&self, request: &Request, files: Option<&Array>, seconds: i32) -> Answer {
        let id = self.state.last_id.get() + 1;
        self.state.last_id.set(id);
        self.post(id, request, files).map_err(Failure::Refused)?;
        self.answer(id, seconds).await
    }

    fn post(&self, id: u32, request: &Request, files: Option<&Array>) -> Result<(), String> {
        let object = to_object(id, request)?;
        if let Some(files) = files {
            attach_files(&object, files)?;
        }
        self.worker.post_message(&object).map_err(|error| describe(&error))
    }

    async fn answer(&self, id: u32, seconds: i32) -> Answer {
        if let Some(reason) = self.state.death.borrow().clone() {
            return Err(Failure::Died(reason));
        }
        let (sender, receiver) = oneshot::channel();
        self.state.owed.borrow_mut().push((id, sender));
        match select(receiver, pin!(sleep(seconds * 1000))).await {
            Either::Left((Ok(answer), _)) => answer,
            _ => {
                let reason = self.kind.tell("engine.stalled", &seconds.to_string());
                self.end(&reason);
                Err(Failure::Died(reason))
            }
        }
    }

    /// Waits for the engine's death, and says its cause.
    pub async fn died(&self) -> String {
        if let Some(reason) = self.state.death.borrow().clone() {
            return reason;
        }
        let (sender, receiver) = oneshot::channel();
        self.state.mourners.borrow_mut().push(sender);
        receiver.await.unwrap_or_default()
    }

    /// Ends the worker at once; whoever waits for it is told `reason`.
    pub fn end(&self, reason: &str) {
        self.worker.terminate();
        self.state.die(reason);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

impl State {
    fn hear(&self, kind: Kind, data: JsValue) {
        let id = id_of(&data);
        let answer = match Response::read(&data) {
            Some(Response::Died { message }) => {
                return self.die(&kind.tell("engine.stopped", &message));
            }
            Some(Response::Failed { message, words }) => {
                Err(Failure::Refused(in_words(&message, words)))
            }
            Some(response) => Ok(response),
            None => Err(Failure::Refused(text("engine.odd"))),
        };
        let owed = self.owed.borrow().iter().position(|(owed, _)| *owed == id);
        if let Some(place) = owed {
            let _ = self.owed.borrow_mut().remove(place).1.send(answer);
        }
    }

    /// The first reason counts: what follows a death is only noise.
    fn die(&self, reason: &str) {
        self.death.borrow_mut().get_or_insert_with(|| reason.into());
        for (_, sender) in self.owed.take() {
            let _ = sender.send(Err(Failure::Died(reason.into())));
        }
        for sender in self.mourners.borrow_mut().drain(..) {
            let _ = sender.send(reason.into());
        }
    }
}

/// In the reader's language where there are words for it; else it is marked as the engine's English.
fn in_words(message: &str, words: Option<Words>) -> String {
    let Some(Words { key, values }) = words else {
        return fill("engine.says", &[("message", message)]);
    };
    let values: Vec<_> = values.iter().map(|pair| (&*pair[0], &*pair[1])).collect();
    fill(&key, &values)
}

/// Why a worker ended that could not say it itself. A script that cannot be loaded gives an event without
/// a message. An engine that panics says why; one that traps without a word has asked for memory in vain.
fn error_text(event: &ErrorEvent) -> String {
    match property(event, "message").as_string() {
        Some(message) if message.contains("unreachable") => text("engine.no_memory"),
        Some(message) if !message.is_empty() => message,
        _ => text("engine.not_loaded"),
    }
}
