//! Every address of the client and the page behind it.

use leptos::prelude::*;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

use crate::pages::home::HomePage;
use crate::pages::join::JoinPage;
use crate::parts::{self, Later, Part};

/// The page of the current address; an unknown address shows the home page, where one can join or start.
#[component]
pub fn Pages() -> impl IntoView {
    view! {
        <Router>
            <Routes fallback=HomePage>
                <Route path=path!("/") view=HomePage />
                <Route path=path!("/new") view=|| later(parts::NEW) />
                <Route path=path!("/j/:code") view=JoinPage />
                <Route path=path!("/w/:id") view=|| later(parts::CAFE) />
                <Route path=path!("/host/:id") view=|| later(parts::CONSOLE) />
                <Route path=path!("/host/:id/projector") view=|| later(parts::PROJECTOR) />
                <Route path=path!("/host/:id/board/:table") view=|| later(parts::TABLE_BOARD) />
                <Route path=path!("/review/:id") view=|| later(parts::REVIEW_PAGE) />
            </Routes>
        </Router>
    }
}

fn later(part: Part<()>) -> impl IntoView {
    view! { <Later part of=() /> }
}
