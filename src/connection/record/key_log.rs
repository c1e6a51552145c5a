//! The key log of each configuration, which takes the traffic secrets out of rustls.

use std::fmt;
use std::sync::Arc;

use rustls::KeyLog;

use super::lent;
use super::secret::{MASTER, OF_CLIENT, OF_FLIGHT, OF_SERVER};

/// The key log of each configuration. It notes the secrets of application data for the connection, and passes all to
/// the operator's key log if there is one.
struct SecretLog {
    of_operator: Option<Arc<dyn KeyLog>>,
    /// True to note the secret of the server's flight too.
    looks_ahead: bool,
}

impl SecretLog {
    fn notes(&self, label: &str) -> bool {
        matches!(label, OF_CLIENT | OF_SERVER | MASTER) || self.looks_ahead && label == OF_FLIGHT
    }
}

impl fmt::Debug for SecretLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretLog")
    }
}

impl KeyLog for SecretLog {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        if self.notes(label) {
            lent::note_secret(label, secret);
        }
        if let Some(log) = self.of_operator.as_ref().filter(|log| log.will_log(label)) {
            log.log(label, client_random, secret);
        }
    }

    fn will_log(&self, label: &str) -> bool {
        self.notes(label) || self.of_operator.as_ref().is_some_and(|log| log.will_log(label))
    }
}

/// Makes the key log of a configuration, without which no connection of it completes: with that of the operator.
pub(super) fn with_secrets(of_operator: Option<Arc<dyn KeyLog>>, looks_ahead: bool) -> Arc<dyn KeyLog> {
    Arc::new(SecretLog { of_operator, looks_ahead })
}
