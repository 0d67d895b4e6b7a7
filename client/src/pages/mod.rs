//! Screens: a folder each, with its style beside it.

pub mod cafe;
pub mod console;
pub mod gallery;
pub mod harvest;
pub mod home;
pub mod join;
pub mod new;
pub mod plan;
pub mod review;
pub mod vote;
