//! The café as a state machine, from outside: commands in, events out, and what each role sees of it.

mod access;
mod annealed;
mod cafe;
mod feelings;
mod follow_ups;
mod joining;
mod json;
mod random;
mod refusals;
mod rounds;
mod seating;
mod story;
mod views;
mod votes;
