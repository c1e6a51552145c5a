//! Derives keys from passwords within a capped cost, and decrypts what they encrypt.

pub(super) mod cipher;
pub(super) mod cost;
pub(super) mod kdf;
pub(super) mod pbe;
pub(super) mod seal;
