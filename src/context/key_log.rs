//! The log of connection secrets for Wireshark.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustls::KeyLog;

use crate::error::{Code, Error, Result};

/// A key log in the format of NSS. A lock keeps its lines complete.
#[derive(Debug)]
pub(super) struct KeyLogFile(Mutex<File>);

impl KeyLogFile {
    /// Opens the file for its owner alone.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        let file = opened.map_err(|error| Error::new(Code::FileUnwritable, error.to_string()).at(path.display()))?;
        Ok(Self(Mutex::new(file)))
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = zeroize::Zeroizing::new(format!(
            "{label} {} {}\n",
            crate::certificate::hex(client_random),
            crate::certificate::hex(secret)
        ));
        // The log is for debugging: a full disk must not end connections.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
    }
}
