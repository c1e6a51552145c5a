//! The recipes of five brokers' documents, as their readers follow them, with this library at one end and the programs
//! that the documents speak of at the other.
//!
//! Each document has a module. Programs are started on ports of the loopback interface and ended with the test.

#![allow(clippy::unwrap_used)] // A failed `unwrap` is a failed test.

mod activemq;
mod amqplib;
mod amqplib_problems;
mod arangodb;
mod broker_pki;
mod emqx;
mod files;
mod java;
mod mosquitto;
mod node;
mod openssl;
mod ours;
mod process;
mod revocation;
mod settings;
mod stapling;
mod tbmq;

/// The versions that every recipe is followed with.
const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];
