use emberlab_core::Device;

fn main() {
    emberlab_web::engine::run(async { Ok(Device::flex()) });
}
