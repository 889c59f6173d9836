use burn::tensor::wgpu::WgpuBackend;
use emberlab_core::Device;
use emberlab_web::engine::{self, die};

// Runs what crates ask to have run once before `main`: the compiler of GPU kernels registers some
// thousand operations so. Where nothing calls it, the linker wraps each exported function in a call
// of it, the many that JavaScript calls for every dispatch included, at milliseconds each.
#[allow(unsafe_code)]
unsafe extern "C" {
    safe fn __wasm_call_ctors();
}

fn main() {
    __wasm_call_ctors();
    engine::run(device());
}

/// The browser's GPU. A device that is lost later ends the engine: its tensors are gone.
async fn device() -> Result<Device, String> {
    let (device, setup) = Device::wgpu_options()
        .graphics_api(WgpuBackend::WebGpu)
        .init_with_setup_async()
        .await
        .map_err(|error| format!("no WebGPU device: {error}"))?;
    setup.device.set_device_lost_callback(|_, message| {
        die(format!("the WebGPU device was lost. {message}"))
    });
    Ok(device)
}
