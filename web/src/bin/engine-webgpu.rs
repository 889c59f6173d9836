use burn::tensor::wgpu::WgpuBackend;
use emberlab_core::Device;
use emberlab_web::engine::{self, die};

fn main() {
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
