//! Starts the client in the page.

use tablehop_client::{app::App, platform};

fn main() {
    // After a panic nothing here can be relied upon any more, the least of all the word "saved".
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        platform::show_stopped();
    }));
    leptos::mount::mount_to_body(App);
    platform::remove_splash();
}
