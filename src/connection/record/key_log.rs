//! The key log of each configuration, which takes the traffic secrets out of rustls.

use std::fmt;
use std::sync::Arc;

use rustls::KeyLog;

use crate::verify::HandshakeNotes;

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
        match label {
            OF_CLIENT | OF_SERVER => true,
            OF_FLIGHT => self.looks_ahead,
            MASTER => HandshakeNotes::keeps_session_facts(),
            _ => false,
        }
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

#[cfg(test)]
mod tests {
    use crate::verify::HandshakeInput;

    use super::super::Lent;
    use super::*;

    #[test]
    fn secret_of_tls12_is_noted_only_for_a_host_that_asks_for_session_facts() {
        let log = with_secrets(None, false);
        for keeps_session_facts in [false, true] {
            HandshakeNotes::begin(HandshakeInput { keeps_session_facts, ..HandshakeInput::default() });
            let mut lent = Lent::default();
            assert_eq!(log.will_log(MASTER), keeps_session_facts);
            lent.note(|| log.log(MASTER, &[], &[1; 48]));
            assert_eq!(lent.take_session_id().is_some(), keeps_session_facts);
            HandshakeNotes::take();
        }
    }
}
