//! Is there a GPU worth using? `web-sys` counts its WebGPU types as unstable, so the three
//! questions go through `Reflect`.

use super::dom::{settle, window};
use crate::messages::{describe, property};
use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};

/// Renderers that are programs, as they name themselves in `GPUAdapterInfo`.
const SOFTWARE: [&str; 4] = ["swiftshader", "llvmpipe", "lavapipe", "basic render"];

/// Says why WebGPU is not to be used here, if so: the key of a string, or the browser's words. A software
/// adapter is slower than the CPU engine, so it must be asked for.
pub async fn require(accept_software: bool) -> Result<(), String> {
    let gpu = property(&window().navigator(), "gpu");
    if gpu.is_falsy() {
        return Err("webgpu.none".into());
    }
    let request: Function =
        property(&gpu, "requestAdapter").dyn_into().map_err(|_| "webgpu.none")?;
    let promise = request.call0(&gpu).map_err(|error| describe(&error))?;
    let adapter = settle(promise.unchecked_into::<Promise>()).await?;
    if adapter.is_falsy() {
        return Err("webgpu.no_adapter".into());
    }
    if is_software(&adapter) && !accept_software {
        return Err("webgpu.software".into());
    }
    Ok(())
}

fn is_software(adapter: &JsValue) -> bool {
    let info = property(adapter, "info");
    let fallback =
        [adapter, &info].iter().any(|object| property(object, "isFallbackAdapter").is_truthy());
    let names = ["vendor", "architecture", "device", "description"]
        .map(|key| property(&info, key).as_string().unwrap_or_default());
    fallback || is_software_name(&names.join(" "))
}

fn is_software_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SOFTWARE.iter().any(|software| name.contains(software))
}

#[cfg(test)]
mod tests {
    use super::is_software_name;

    #[test]
    fn software_adapters_are_known_by_name() {
        assert!(is_software_name("google SwiftShader "));
        assert!(is_software_name("mesa llvmpipe (LLVM 15.0.6, 256 bits)"));
        assert!(!is_software_name("nvidia ampere"));
    }
}
