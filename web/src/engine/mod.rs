//! An engine: a worker that owns one classifier on one device and answers the page's requests, one
//! after the other.

mod answer;
mod files;
mod labels;
mod problem;
mod rows;
mod teach;
mod train;
mod zip;

use crate::messages::{
    Response, UNASKED, attach_files, describe, id_of, take_files, to_object, to_request,
};
use answer::Engine;
use emberlab_core::Device;
use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use futures_util::StreamExt;
use js_sys::Array;
use problem::Problem;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

/// Runs the engine in this worker for as long as the worker lives.
pub fn run(device: impl Future<Output = Result<Device, String>> + 'static) {
    std::panic::set_hook(Box::new(|panic| die(panic.to_string())));
    let messages = listen();
    spawn_local(async move {
        match device.await {
            Ok(device) => serve(Engine::new(device), messages).await,
            Err(message) => die(message),
        }
    });
}

/// The last word of an engine that cannot go on. The page ends the worker when it hears it.
pub fn die(message: String) {
    post(UNASKED, &Response::Died { message });
}

/// Queues what the page posts, so that a request waits until the one before it is answered.
fn listen() -> UnboundedReceiver<JsValue> {
    let (sender, receiver) = unbounded();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let _ = sender.unbounded_send(event.data());
    });
    worker().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    receiver
}

async fn serve(mut engine: Engine, mut messages: UnboundedReceiver<JsValue>) {
    post(UNASKED, &Response::Ready {});
    while let Some(message) = messages.next().await {
        let files = take_files(&message);
        let id = id_of(&message);
        let answer = match to_request(message) {
            Ok(request) => engine.answer(request, files).await,
            Err(message) => Err(message.into()),
        };
        let failed = |Problem { message, words }| Response::Failed { message, words };
        post(id, &answer.unwrap_or_else(failed));
    }
}

fn post(id: u32, response: &Response) {
    if let Err(error) = try_post(id, response) {
        web_sys::console::error_1(&error.into());
    }
}

fn try_post(id: u32, response: &Response) -> Result<(), String> {
    let object = to_object(id, response)?;
    let beside = match response {
        Response::Saved { file } => Some(("file", file)),
        Response::Explained { attentions, .. } => Some(("attentions", attentions)),
        _ => None,
    };
    if let Some((name, data)) = beside {
        attach_files(&object, &Array::of1(&Array::of2(&name.into(), data)))?;
    }
    worker().post_message(&object).map_err(|error| describe(&error))
}

fn worker() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Milliseconds since the worker began.
fn now() -> f64 {
    worker().performance().map(|clock| clock.now()).unwrap_or_default()
}
