//! Every address of the client and the page behind it.

use leptos::prelude::*;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

use crate::pages::cafe::CafePage;
use crate::pages::console::{ConsolePage, ProjectorPage, TableBoardPage};
use crate::pages::home::HomePage;
use crate::pages::join::JoinPage;
use crate::pages::new::NewPage;
use crate::pages::review::ReviewPage;

/// The page of the current address; an unknown address shows the home page, where one can join or start.
#[component]
pub fn Pages() -> impl IntoView {
    view! {
        <Router>
            <Routes fallback=HomePage>
                <Route path=path!("/") view=HomePage />
                <Route path=path!("/new") view=NewPage />
                <Route path=path!("/j/:code") view=JoinPage />
                <Route path=path!("/w/:id") view=CafePage />
                <Route path=path!("/host/:id") view=ConsolePage />
                <Route path=path!("/host/:id/projector") view=ProjectorPage />
                <Route path=path!("/host/:id/board/:table") view=TableBoardPage />
                <Route path=path!("/review/:id") view=ReviewPage />
            </Routes>
        </Router>
    }
}
