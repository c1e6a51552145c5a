//! Lines of a key log (draft-ietf-tls-keylogfile section 2), as OpenSSL makes them.

use rustls::KeyLog;
use zeroize::Zeroizing;

/// Notes the secret of a line: a label, the random bytes of the client and the secret, the last two in hexadecimal
/// digits.
pub(super) fn note(log: &dyn KeyLog, line: &[u8]) {
    let mut words = line.trim_ascii().split(|byte| *byte == b' ');
    let (Some(label), Some(random), Some(secret), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return;
    };
    if let (Ok(label), Some(random), Some(secret)) = (std::str::from_utf8(label), bytes(random), bytes(secret)) {
        log.log(label, &random, &secret);
    }
}

fn bytes(digits: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = digits.as_chunks::<2>();
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        bytes.push(digit(*high)? << 4 | digit(*low)?);
    }
    rest.is_empty().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    type Line = (String, Vec<u8>, Vec<u8>);

    #[derive(Debug, Default)]
    struct Lines(Mutex<Vec<Line>>);

    impl KeyLog for Lines {
        fn log(&self, label: &str, random: &[u8], secret: &[u8]) {
            self.0.lock().unwrap().push((label.to_owned(), random.to_vec(), secret.to_vec()));
        }
    }

    #[test]
    fn line_is_noted_with_its_label_and_bytes_and_a_malformed_one_is_not() {
        let lines = Lines::default();
        for line in ["CLIENT_RANDOM 0aFF 01", "CLIENT_RANDOM 0a", "CLIENT_RANDOM 0g 01", "A 0 1", "A 00 11 22", ""] {
            note(&lines, line.as_bytes());
        }
        let expected = ("CLIENT_RANDOM".to_owned(), vec![0x0a, 0xff], vec![1]);
        assert_eq!(*lines.0.lock().unwrap(), [expected]);
    }
}
