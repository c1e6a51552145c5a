//! Keys encrypted as PEM text, with `Proc-Type: 4,ENCRYPTED` (RFC 1421 section 4.6.1.1), as `openssl genrsa -des3` and
//! `openssl rsa -aes256` write them.

use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::crypto::cipher::{self, Cipher};
use super::key_form::Form;
use super::pem::Block;
use crate::error::{Code, Error, Result};

/// An encrypted key and its parameters.
pub(super) struct Traditional {
    cipher: Cipher,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
}

impl Traditional {
    /// Returns true if the headers of the block say that it is encrypted.
    pub(super) fn is(block: &Block) -> bool {
        block.header("Proc-Type").is_some_and(|kind| kind.to_ascii_uppercase().contains("ENCRYPTED"))
    }

    /// # Errors
    /// `PEM_MALFORMED`, `ENCRYPTION_UNSUPPORTED`, `PARAMETER_INVALID`.
    pub(super) fn read(block: &Block) -> Result<Self> {
        let parameters = block.header("DEK-Info").and_then(|info| info.split_once(','));
        let (name, iv) =
            parameters.ok_or_else(|| Error::new(Code::PemMalformed, "an encrypted key without DEK-Info"))?;
        let cipher = match name.trim().to_ascii_uppercase().as_str() {
            "AES-128-CBC" => Cipher::Aes128,
            "AES-192-CBC" => Cipher::Aes192,
            "AES-256-CBC" => Cipher::Aes256,
            "DES-EDE3-CBC" => Cipher::TripleDes,
            name => {
                let name: String = name.chars().filter(|c| c.is_ascii_graphic()).take(32).collect();
                return Err(Error::new(Code::EncryptionUnsupported, name));
            }
        };
        let iv = unhex(iv.trim()).filter(|iv| iv.len() == cipher.block_bytes());
        let iv = iv.ok_or_else(|| {
            Error::new(Code::ParameterInvalid, format!("the initialization vector in DEK-Info, for {}", cipher.name()))
        })?;
        if block.data.is_empty() || !block.data.len().is_multiple_of(cipher.block_bytes()) {
            let detail = format!("{} encrypted bytes are not whole blocks of {}", block.data.len(), cipher.name());
            return Err(Error::new(Code::KeyMalformed, detail));
        }
        Ok(Self { cipher, iv, ciphertext: block.data.to_vec() })
    }

    pub(super) fn name(&self) -> String {
        format!("PEM (MD5, 1 iteration; {})", self.cipher.name())
    }

    /// `None` if the password is wrong.
    pub(super) fn decrypt(&self, password: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        // OpenSSL takes the first half of a vector of 16 bytes as the salt.
        let key = bytes_to_key(password, self.iv.get(..8)?, self.cipher.key_bytes());
        cipher::decrypt(self.cipher, &key, &self.iv, &self.ciphertext).filter(|plain| Form::of(plain).is_some())
    }
}

/// OpenSSL's EVP_BytesToKey with MD5 and one iteration.
fn bytes_to_key(password: &[u8], salt: &[u8], bytes: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(bytes + 16));
    let mut last = Zeroizing::new(Vec::new());
    while key.len() < bytes {
        let hash = Md5::new().chain_update(last.as_slice()).chain_update(password).chain_update(salt).finalize();
        last = Zeroizing::new(hash.to_vec());
        key.extend_from_slice(&hash);
    }
    key.truncate(bytes);
    key
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().map(|digit| char::from(digit).to_digit(16)).collect::<Option<Vec<_>>>()?;
    let bytes = digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok());
    if digits.len().is_multiple_of(2) { bytes.collect() } else { None }
}
