//! Java's own stores, JKS and JCEKS: entries, keys as Java encrypts them, serialized objects.

pub(super) mod jks;
pub(super) mod key;
mod object;
pub(super) mod reader;
