//! The secret of this side for the records of TLS 1.3 (RFC 8446 section 7), to seal the alert that ends a connection
//! for a reason of the core's.
//!
//! OpenSSL shows the first one as a line for a key log. Each key update of this side makes the next.

use openssl::cipher::Cipher;
use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::nid::Nid;
use openssl::ssl::SslRef;
use openssl_sys as sys;
use zeroize::Zeroizing;

use crate::context::algorithms;
use crate::sealed::{Aead, Secret, Side, hmac, tag_bytes};

/// Content type of each record that is encrypted.
const APPLICATION_DATA: u8 = 23;

const IV_BYTES: usize = 12;

/// A secret, and the records of this side before the first one under it.
pub(crate) struct Traffic {
    secret: Secret,
    before: u64,
}

/// The secret in a line for a key log, if it is that of this side after the handshake.
pub(crate) fn secret_of(line: &str, side: Side) -> Option<Secret> {
    let label = match side {
        Side::Server => "SERVER_TRAFFIC_SECRET_0 ",
        Side::Client => "CLIENT_TRAFFIC_SECRET_0 ",
    };
    let mut fields = line.strip_prefix(label)?.split(' ');
    let digits = fields.nth(1)?.as_bytes();
    let mut secret = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    for [high, low] in digits.as_chunks::<2>().0 {
        secret.push(value(*high)? << 4 | value(*low)?);
    }
    Some(secret)
}

impl Traffic {
    pub(crate) fn new(secret: Secret, before: u64) -> Self {
        Self { secret, before }
    }

    /// Makes the next secret, after a key update.
    pub(crate) fn update(&mut self, before: u64) -> Result<(), ErrorStack> {
        *self = Self { secret: self.expand("traffic upd", self.secret.len())?, before };
        Ok(())
    }

    /// Seals a record of this type and content, with this many records of this side before it.
    #[allow(unsafe_code)]
    pub(crate) fn seal(
        &self,
        ssl: &SslRef,
        (kind, content): (u8, &[u8]),
        count: u64,
    ) -> Result<Option<Vec<u8>>, ErrorStack> {
        use foreign_types::ForeignTypeRef;
        let Some(suite) = ssl.current_cipher() else { return Ok(None) };
        // SAFETY: the suite is valid.
        let cipher = unsafe { sys::SSL_CIPHER_get_cipher_nid(suite.as_ptr()) };
        let cipher = Cipher::fetch(Some(algorithms()?), Nid::from_raw(cipher).short_name()?, None)?;
        let (key, mut nonce) = (self.expand("key", cipher.key_length())?, self.expand("iv", IV_BYTES)?);
        let number = count.saturating_sub(self.before).to_be_bytes();
        nonce.iter_mut().rev().zip(number.iter().rev()).for_each(|(nonce, byte)| *nonce ^= byte);
        let tag_bytes = tag_bytes(suite);
        let inner = [content, &[kind]].concat();
        let [high, low] = u16::try_from(inner.len() + tag_bytes).unwrap_or(u16::MAX).to_be_bytes();
        let mut record = vec![APPLICATION_DATA, 3, 3, high, low];
        let header = record.clone();
        Aead { cipher: &cipher, key: &key, nonce: &nonce, tag_bytes }.seal(&header, &inner, &mut record)?;
        Ok(Some(record))
    }

    /// HKDF-Expand-Label of RFC 8446 section 7.1, of no more bytes than a hash has.
    fn expand(&self, label: &str, bytes: usize) -> Result<Secret, ErrorStack> {
        let is_384 = self.secret.len() == 48;
        let digest = Md::fetch(Some(algorithms()?), if is_384 { "SHA384" } else { "SHA256" }, None)?;
        let label = ["tls13 ", label].concat();
        let lengths = [u8::try_from(bytes).unwrap_or_default(), u8::try_from(label.len()).unwrap_or_default()];
        let mut block = hmac(&digest, &self.secret, &[&[0], &lengths, label.as_bytes(), &[0, 1]])?;
        block.truncate(bytes);
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_that_of_this_side_after_the_handshake_alone() {
        let (server, client) = ("SERVER_TRAFFIC_SECRET_0 00ff 0a1Bff", "CLIENT_TRAFFIC_SECRET_0 00ff 0c");
        assert_eq!(secret_of(server, Side::Server).unwrap().as_slice(), [0x0a, 0x1b, 0xff]);
        assert_eq!(secret_of(client, Side::Client).unwrap().as_slice(), [0x0c]);
        assert!(secret_of(client, Side::Server).is_none());
        assert!(secret_of(server, Side::Client).is_none());
        for other in ["SERVER_HANDSHAKE_TRAFFIC_SECRET 00 0a", "CLIENT_HANDSHAKE_TRAFFIC_SECRET 00 0a", "", "SERVER_TR"]
        {
            assert!(secret_of(other, Side::Server).is_none(), "{other}");
            assert!(secret_of(other, Side::Client).is_none(), "{other}");
        }
    }

    /// RFC 8448 section 3: the server's application traffic secret, and its key and IV.
    #[test]
    fn key_and_iv_are_those_of_the_known_trace() {
        let hex = |text: &str| -> Secret {
            let line = format!("SERVER_TRAFFIC_SECRET_0 00 {text}");
            secret_of(&line, Side::Server).unwrap()
        };
        let secret = hex("a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643");
        let traffic = Traffic::new(secret, 0);
        assert_eq!(traffic.expand("key", 16).unwrap(), hex("9f02283b6c9c07efc26bb9f2ac92e356"));
        assert_eq!(traffic.expand("iv", 12).unwrap(), hex("cf782b88dd83549aadf1e984"));
    }
}
