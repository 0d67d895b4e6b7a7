//! Parts of the client that are fetched when they are first shown, so that a guest's phone need not wait for the console.
//!
//! A function under `wasm_split` and everything that only it reaches become a file of their own; `cargo xtask build` does the
//! splitting. What is not named here comes with the first load: the home page and joining. While a guest types their name, the
//! café is fetched; while they sit at a table, what comes after the rounds.
//!
//! A part that cannot be fetched is asked for again until it is there: the network of a meeting room comes and goes.

use std::pin::Pin;
use std::time::Duration;

use gloo_timers::future::sleep;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use crate::i18n::{t, t_string, use_i18n};
use crate::state::board::Board;
use crate::ui::board_canvas::BoardCanvas;
use crate::ui::button::Button;
use crate::ui::empty::Empty;
use crate::{pages, platform};

/// Draws something of a part that has been fetched.
pub type Draw<P> = fn(P) -> AnyView;
type Fetched<P> = Result<Draw<P>, SplitLoaderError>;
type Fetching<P> = Pin<Box<dyn Future<Output = Fetched<P>>>>;

/// Something drawn from `P` that has first to be fetched.
pub struct Part<P: 'static>(fn() -> Fetching<P>);

impl<P> Clone for Part<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Part<P> {}

/// How long to wait before asking again; doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(8);

impl<P> Part<P> {
    /// Fetches it, so that it will be there at once. Once is enough; a failure is left to whoever shows it.
    pub fn prefetch(self) {
        spawn_local(async move {
            let _ = (self.0)().await;
        });
    }
}

/// Shows a part as soon as it is there.
#[component]
pub fn Later<P: Copy + Send + Sync + 'static>(
    /// What to show.
    part: Part<P>,
    /// What it is drawn from.
    of: P,
) -> impl IntoView {
    let i18n = use_i18n();
    let draw = RwSignal::new(None::<Draw<P>>);
    let failed = RwSignal::new(false);
    spawn_local(async move {
        let mut wait = FIRST;
        // Until it is there, or nobody waits for it any more.
        while !draw.is_disposed() {
            match (part.0)().await {
                Ok(found) => {
                    let _ = draw.try_set(Some(found));
                    return;
                }
                Err(_) => {
                    let _ = failed.try_set(true);
                    sleep(wait).await;
                    wait = (wait * 2).min(LONGEST);
                }
            }
        }
    });
    let words = move || {
        if failed.get() {
            t_string!(i18n, common.part_waits).to_string()
        } else {
            t_string!(i18n, common.part_comes).to_string()
        }
    };
    move || match draw.get() {
        Some(draw) => draw(of),
        None => view! {
            <div class="part-waits">
                <Empty icon=icondata_lu::LuCoffee text=Signal::derive(words)>
                    {move || {
                        failed
                            .get()
                            // A server that was updated has the parts of a newer page.
                            .then(|| {
                                view! { <Button on_click=|_| platform::reload()>{t!(i18n, common.load_again)}</Button> }
                            })
                    }}
                </Empty>
            </div>
        }
        .into_any(),
    }
}

/// A participant's café.
pub const CAFE: Part<()> = Part(|| Box::pin(cafe()));
/// Preparing a café.
pub const NEW: Part<()> = Part(|| Box::pin(new()));
/// The facilitator's console.
pub const CONSOLE: Part<()> = Part(|| Box::pin(console()));
/// What the projector shows.
pub const PROJECTOR: Part<()> = Part(|| Box::pin(projector()));
/// One table's board, for the facilitator.
pub const TABLE_BOARD: Part<()> = Part(|| Box::pin(table_board()));
/// A board to move notes about on.
pub const CANVAS: Part<Board> = Part(|| Box::pin(canvas()));
/// All boards side by side.
pub const GALLERY: Part<()> = Part(|| Box::pin(gallery()));
/// Sorting notes into themes.
pub const HARVEST: Part<()> = Part(|| Box::pin(harvest()));
/// Placing dots.
pub const VOTE: Part<()> = Part(|| Box::pin(vote()));
/// Writing the plan.
pub const PLAN: Part<()> = Part(|| Box::pin(plan()));
/// The plan as management reads it, within a café's page.
pub const REVIEW: Part<()> = Part(|| Box::pin(review()));
/// The page behind management's link.
pub const REVIEW_PAGE: Part<()> = Part(|| Box::pin(review_page()));

#[wasm_split(cafe, wasm_split_path = leptos::wasm_split, fallible)]
fn cafe() -> Fetched<()> {
    Ok(|()| view! { <pages::cafe::CafePage /> }.into_any())
}

#[wasm_split(host, wasm_split_path = leptos::wasm_split, fallible)]
fn new() -> Fetched<()> {
    Ok(|()| view! { <pages::new::NewPage /> }.into_any())
}

#[wasm_split(host, wasm_split_path = leptos::wasm_split, fallible)]
fn console() -> Fetched<()> {
    Ok(|()| view! { <pages::console::ConsolePage /> }.into_any())
}

#[wasm_split(host, wasm_split_path = leptos::wasm_split, fallible)]
fn projector() -> Fetched<()> {
    Ok(|()| view! { <pages::console::ProjectorPage /> }.into_any())
}

#[wasm_split(host, wasm_split_path = leptos::wasm_split, fallible)]
fn table_board() -> Fetched<()> {
    Ok(|()| view! { <pages::console::TableBoardPage /> }.into_any())
}

#[wasm_split(canvas, wasm_split_path = leptos::wasm_split, fallible)]
fn canvas() -> Fetched<Board> {
    Ok(|board| view! { <BoardCanvas board /> }.into_any())
}

#[wasm_split(afterwards, wasm_split_path = leptos::wasm_split, fallible)]
fn gallery() -> Fetched<()> {
    Ok(|()| view! { <pages::gallery::Gallery /> }.into_any())
}

#[wasm_split(afterwards, wasm_split_path = leptos::wasm_split, fallible)]
fn harvest() -> Fetched<()> {
    Ok(|()| view! { <pages::harvest::Harvest /> }.into_any())
}

#[wasm_split(afterwards, wasm_split_path = leptos::wasm_split, fallible)]
fn vote() -> Fetched<()> {
    Ok(|()| view! { <pages::vote::VotePage /> }.into_any())
}

#[wasm_split(afterwards, wasm_split_path = leptos::wasm_split, fallible)]
fn plan() -> Fetched<()> {
    Ok(|()| view! { <pages::plan::Plan /> }.into_any())
}

#[wasm_split(afterwards, wasm_split_path = leptos::wasm_split, fallible)]
fn review() -> Fetched<()> {
    Ok(|()| view! { <pages::review::ReviewBody /> }.into_any())
}

#[wasm_split(afterwards, wasm_split_path = leptos::wasm_split, fallible)]
fn review_page() -> Fetched<()> {
    Ok(|()| view! { <pages::review::ReviewPage /> }.into_any())
}
