//! Bytes on the wire: the alert of each refusal, beside the row of its code.

mod ahead;
mod alerts;
pub(crate) mod hello;
mod hints;
pub(crate) mod hostile;
mod names;
pub(crate) mod peer;
mod tamper;
