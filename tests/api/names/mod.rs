//! Names of certificates as programs take them for users.

mod alternative;
mod folder;
mod made;
mod reports;
mod serial;
mod text;
