//! The forms that formats want passwords in. All of them are wiped when dropped.

use zeroize::Zeroizing;

use super::{OpenOptions, PasswordRequest, PasswordUse, Secret};

/// The password of the store as a whole, if there is one.
pub(super) fn of_store(label: &str, options: &OpenOptions) -> Option<Secret> {
    options.password.resolve(&PasswordRequest { label, alias: None, usage: PasswordUse::Store })
}

/// UTF-16, big endian, as Java's stores hash it (JKS) and RFC 7292 appendix B.1 wants it; bytes that are not UTF-8 are
/// taken as Latin-1.
pub(super) fn utf16(password: &[u8]) -> Zeroizing<Vec<u8>> {
    match std::str::from_utf8(password) {
        Ok(text) => sized(password, text.encode_utf16()),
        Err(_) => latin1(password),
    }
}

/// Each byte as one character.
fn latin1(password: &[u8]) -> Zeroizing<Vec<u8>> {
    sized(password, password.iter().map(|byte| u16::from(*byte)))
}

fn sized(password: &[u8], units: impl Iterator<Item = u16>) -> Zeroizing<Vec<u8>> {
    // Two bytes for each byte of UTF-8 and the terminator are room enough: the vector is never moved.
    let mut bytes = Zeroizing::new(Vec::with_capacity(password.len().saturating_mul(2).saturating_add(2)));
    for unit in units {
        bytes.extend_from_slice(&unit.to_be_bytes());
    }
    bytes
}

/// The number of forms that [`pkcs12`] gives; a derivation may run once for each.
pub(super) fn pkcs12_forms(password: &[u8]) -> u64 {
    pkcs12(password).len() as u64
}

/// The forms that a PKCS#12 store may have been written with, the right one first.
///
/// Writers agree on UTF-16 with a terminator. OpenSSL before 1.1 took each byte of the UTF-8 as a character, and some
/// writers leave the terminator out if the password is empty.
pub(super) fn pkcs12(password: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let terminated = |mut form: Zeroizing<Vec<u8>>| {
        form.extend_from_slice(&[0, 0]);
        form
    };
    let mut forms = vec![terminated(utf16(password))];
    if password.is_empty() {
        forms.push(Zeroizing::default());
    } else if !password.is_ascii() && std::str::from_utf8(password).is_ok() {
        forms.push(terminated(latin1(password)));
    }
    forms
}

/// The form that a PKCS#12 store is written with: UTF-16 with a terminator, for an empty password too.
pub(super) fn pkcs12_written(password: &[u8]) -> Zeroizing<Vec<u8>> {
    pkcs12(password).into_iter().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_beyond_the_basic_plane_become_two_units() {
        assert_eq!(*utf16("a\u{1f511}".as_bytes()), [0, b'a', 0xd8, 0x3d, 0xdd, 0x11]);
        assert_eq!(*utf16(b"\xe4"), [0, 0xe4]);
    }

    #[test]
    fn pkcs12_passwords_have_every_form_that_writers_use() {
        assert_eq!(pkcs12(b"a").iter().map(|form| form.to_vec()).collect::<Vec<_>>(), [[0, b'a', 0, 0]]);
        assert_eq!(pkcs12(b"").iter().map(|form| form.len()).collect::<Vec<_>>(), [2, 0]);
        assert_eq!(pkcs12("ä".as_bytes()).iter().map(|form| form.len()).collect::<Vec<_>>(), [4, 6]);
        assert_eq!([pkcs12_forms(b"a"), pkcs12_forms(b""), pkcs12_forms("ä".as_bytes())], [1, 2, 2]);
    }
}
