//! The parts that every side of the benchmark has: its cases, the client at the other end, and the talk with the driver.

pub mod cases;
pub mod clock;
pub mod identity;
pub mod peer;
pub mod pipe;
pub mod serve;
pub mod server;
pub mod versions;
