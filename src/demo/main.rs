//! The demo's page: `cargo xtask demo`, or `trunk serve`.

fn main() {
    muster::demo::start();
}
