fn main() {
    emberlab_web::page::start();
}
