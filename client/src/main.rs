//! Starts the client in the page.

use tablehop_client::{app::App, platform};

fn main() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(App);
    platform::remove_splash();
}
