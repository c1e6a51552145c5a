//! The alert that ends a connection (RFC 8446 section 6): always that of its failure's row, whatever rustls has queued.

use super::record::{Cipher, HEADER_BYTES, sealed_alert};

/// Content type of an alert.
const ALERT: u8 = 21;

/// Level of an alert that ends the connection.
const FATAL: u8 = 2;

/// Level of the alerts with which this side closes.
const WARNING: u8 = 1;

/// The alerts of a handshake that this side does not complete (RFC 8446 section 6.1).
pub(super) const USER_CANCELED: u8 = 90;
const CLOSE_NOTIFY: u8 = 0;

/// Takes a fatal alert in plain text out of the end of `records`; gives its description.
///
/// Before encryption rustls queues it so; later its wrapped suites leave it so. An encrypted alert is longer.
pub(super) fn take_fatal(records: &mut Vec<u8>) -> Option<u8> {
    let mut last = 0;
    let mut end = 0;
    while let Some((header, _)) = records[end..].split_first_chunk::<HEADER_BYTES>() {
        last = end;
        end += HEADER_BYTES + usize::from(u16::from_be_bytes([header[3], header[4]]));
        if end > records.len() {
            return None;
        }
    }
    match records[last..] {
        [ALERT, _, _, 0, 2, FATAL, description] => {
            records.truncate(last);
            Some(description)
        }
        _ => None,
    }
}

/// Gives a fatal alert in plain text at the end of `records` this description.
pub(super) fn describe_fatal(records: &mut [u8], description: u8) {
    let mut rest = records;
    while let [kind, _, _, high, low, content @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        match content.split_at_mut_checked(length) {
            Some(([FATAL, last], [])) if *kind == ALERT => {
                *last = description;
                return;
            }
            Some((_, next)) => rest = next,
            None => return,
        }
    }
}

/// The record that ends a connection with this alert; empty if the keys are used up.
pub(super) fn record(description: u8, cipher: Option<Cipher>) -> Vec<u8> {
    match cipher.filter(Cipher::is_active) {
        Some(mut cipher) => sealed_alert(&mut cipher, FATAL, description).unwrap_or_default(),
        None => vec![ALERT, 3, 3, 0, 2, FATAL, description],
    }
}

/// The records that end a handshake without a fault: user_canceled and close_notify (RFC 8446 section 6.1).
pub(super) fn cancellation(cipher: Option<Cipher>) -> Vec<u8> {
    let mut cipher = cipher.filter(Cipher::is_active);
    let record = |description| match &mut cipher {
        Some(cipher) => sealed_alert(cipher, WARNING, description).unwrap_or_default(),
        None => vec![ALERT, 3, 3, 0, 2, WARNING, description],
    };
    [USER_CANCELED, CLOSE_NOTIFY].into_iter().flat_map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fatal_alert_is_taken_only_if_it_is_the_last_record() {
        let taken = |bytes: &[u8]| {
            let mut records = bytes.to_vec();
            (take_fatal(&mut records), records.len())
        };
        assert_eq!(taken(&[22, 3, 3, 0, 1, 9, 21, 3, 3, 0, 2, 2, 40]), (Some(40), 6));
        assert_eq!(taken(&[21, 3, 3, 0, 2, 2, 40, 22, 3, 3, 0, 1, 9]), (None, 13));
        assert_eq!(taken(&[21, 3, 3, 0, 2, 1, 0]), (None, 7));
        // The end of a ciphertext that looks like one.
        assert_eq!(taken(&[23, 3, 3, 0, 8, 9, 21, 3, 3, 0, 2, 2, 40]), (None, 13));
        assert_eq!(taken(&[21, 3, 3, 0, 2, 2]), (None, 6));
        assert_eq!(taken(&[]), (None, 0));
    }

    #[test]
    fn fatal_alert_gets_its_description_only_if_it_is_the_last_record() {
        let described = |bytes: &[u8]| {
            let mut records = bytes.to_vec();
            describe_fatal(&mut records, 49);
            records
        };
        assert_eq!(described(&[22, 3, 1, 0, 1, 9, 21, 3, 1, 0, 2, 2, 40])[6..], [21, 3, 1, 0, 2, 2, 49]);
        // The end of a ciphertext that looks like one.
        let sealed = [23, 3, 1, 0, 8, 9, 21, 3, 1, 0, 2, 2, 40];
        assert_eq!(described(&sealed), sealed);
        assert_eq!(described(&[21, 3, 1, 0, 2, 2]), [21, 3, 1, 0, 2, 2]);
    }

    #[test]
    fn alert_before_encryption_is_in_plain_text() {
        assert_eq!(record(40, None), [21, 3, 3, 0, 2, 2, 40]);
        assert_eq!(cancellation(None), [21, 3, 3, 0, 2, 1, 90, 21, 3, 3, 0, 2, 1, 0]);
    }
}
