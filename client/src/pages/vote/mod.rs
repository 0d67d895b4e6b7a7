//! The dot vote: each person places a few dots on themes; nobody sees the counts before the vote is closed.

mod ballot;
mod dots;
mod results;

pub use ballot::VotePage;
pub use results::{VoteResults, ranking};

use leptos::prelude::*;
use shared::workshop::view::VoteView;

use crate::state::cafe::Cafe;

/// The vote as it stands, or nothing before it was opened.
fn vote_of(cafe: Cafe) -> Memo<Option<VoteView>> {
    let vote = cafe.memo(|view| view.vote.clone());
    Memo::new(move |_| vote.get().flatten())
}
