//! The second engine: old clients of OpenSSL at a context that serves modern ones by rustls.

mod choice;
mod client;
mod clients;
mod dss;
mod hints;
mod hostile;
mod life;
mod options;
mod psk;
mod settings;
mod suites;
mod unread;
mod verification;
mod world;
