//! Counts of peers that use what a context allows for old ones alone, and a line of the log for each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::logging::{Level, Log};
use crate::policy::{cipher_suite_name, settings_of_suite, version_name};

/// The most lines of a context about such peers in a minute of its clock. All of them are counted.
const MAX_LINES_A_MINUTE: u32 = 60;

/// The counts of one context, for its whole life.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    counts: [AtomicU64; NAMES.len()],
    minute: Mutex<Minute>,
}

/// The lines of the present minute.
#[derive(Debug, Default)]
struct Minute {
    /// Minutes since 1970.
    number: u64,
    lines: u32,
    left_out: u64,
}

/// The names of the counted parts: the engine itself, pre-shared keys, versions, and switches of `legacy-allow`. Those
/// from the third on are logged too.
const NAMES: [&str; 8] = [
    "legacy-engine",
    "pre-shared key",
    "TLSv1",
    "TLSv1.1",
    "legacy-rsa-key-exchange",
    "legacy-3des",
    "legacy-dss",
    "legacy-sha1-signatures",
];
const FIRST_LOGGED: usize = 2;

/// The other side of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Peer {
    Client,
    Server,
}

/// The choices of a handshake that is complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Used {
    pub(super) version: u16,
    pub(super) suite: u16,
    pub(super) has_psk: bool,
    /// True if a signature of either side is over SHA-1, or over MD5 and SHA-1, as all are before TLS 1.2.
    pub(super) has_sha1: bool,
}

impl Used {
    fn parts(self) -> [bool; NAMES.len()] {
        let version = version_name(self.version);
        let switches: Vec<&str> = settings_of_suite(self.suite).collect();
        NAMES.map(|name| match name {
            "legacy-engine" => true,
            "pre-shared key" => self.has_psk,
            "legacy-sha1-signatures" => self.has_sha1,
            name => version == Some(name) || switches.contains(&name),
        })
    }
}

impl Uses {
    /// Counts a client or a server. Writes a line about one of an old version, or with a suite that a switch allows.
    pub(super) fn note(&self, used: Used, peer: Peer, (log, connection_id): (&Log, u64), now_s: u64) {
        let parts = used.parts();
        for (count, is_used) in self.counts.iter().zip(parts) {
            count.fetch_add(u64::from(is_used), Ordering::Relaxed);
        }
        let weak = NAMES.iter().zip(parts).skip(FIRST_LOGGED).filter(|(_, is_used)| *is_used);
        let weak: Vec<&str> = weak.map(|(name, _)| *name).collect();
        if weak.is_empty() {
            return;
        }
        let Some(left_out) = self.count_line(now_s / 60) else { return };
        let suite = cipher_suite_name(used.suite);
        let peer = match peer {
            Peer::Client => "client",
            Peer::Server => "server",
        };
        let mut line = format!("connection {connection_id}: an old {peer} uses {} ({suite})", weak.join(", "));
        if left_out > 0 {
            line.push_str(&format!(" ({left_out} before this one were not logged)"));
        }
        log.write_about(connection_id, Level::Warn, &line);
    }

    /// Counts a line. Returns the number of lines before it that were left out; none if it is one of them.
    fn count_line(&self, number: u64) -> Option<u64> {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.number != number {
            *minute = Minute { number, lines: 0, left_out: minute.left_out };
        }
        if minute.lines == MAX_LINES_A_MINUTE {
            minute.left_out += 1;
            return None;
        }
        minute.lines += 1;
        Some(std::mem::take(&mut minute.left_out))
    }

    /// The names of the parts, each with the number of peers that have used it.
    pub(crate) fn counts(&self) -> Vec<(&'static str, u64)> {
        NAMES.into_iter().zip(&self.counts).map(|(name, count)| (name, count.load(Ordering::Relaxed))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn all_old_peers_are_counted_and_sixty_a_minute_are_logged() {
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&lines);
        let log = Log::new(Some(Arc::new(move |line| kept.lock().unwrap().push(line.text.to_owned()))));
        let uses = Uses::default();
        let old = Used { version: 0x0301, suite: 0x002f, has_psk: false, has_sha1: false };
        (0..70).for_each(|number| uses.note(old, Peer::Client, (&log, number), 600));
        uses.note(
            Used { version: 0x0303, suite: 0x00a8, has_psk: true, has_sha1: false },
            Peer::Client,
            (&log, 70),
            600,
        );
        uses.note(
            Used { version: 0x0302, suite: 0xc012, has_psk: false, has_sha1: true },
            Peer::Server,
            (&log, 71),
            660,
        );
        let lines = lines.lock().unwrap();
        assert_eq!(lines.len(), 61);
        assert_eq!(
            lines[0],
            "connection 0: an old client uses TLSv1, legacy-rsa-key-exchange (TLS_RSA_WITH_AES_128_CBC_SHA)"
        );
        assert!(lines[60].starts_with("connection 71: an old server uses TLSv1.1, legacy-3des, "), "{}", lines[60]);
        assert!(lines[60].ends_with("_3DES_EDE_CBC_SHA) (10 before this one were not logged)"), "{}", lines[60]);
        let counts: Vec<u64> = uses.counts().into_iter().map(|(_, count)| count).collect();
        assert_eq!(counts, [72, 1, 70, 1, 70, 1, 0, 1]);
    }
}
