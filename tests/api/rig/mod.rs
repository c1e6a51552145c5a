//! The rig that tests connect our code to: an authority, a counterpart, a responder, a web server, a clock.

pub(crate) mod clock;
pub(crate) mod command;
pub(crate) mod host;
pub(crate) mod pair;
pub(crate) mod pki;
pub(crate) mod responder;
pub(crate) mod web;
