//! The block ciphers that keys and stores are encrypted with, in CBC with the padding of PKCS#7. Two of them encrypt.

use aws_lc_rs::cipher::{AES_128, AES_192, AES_256, Algorithm, DecryptionContext, EncryptionContext};
use aws_lc_rs::cipher::{PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit};
use des::TdesEde3;
use rc2::Rc2;
use zeroize::Zeroizing;

/// A cipher in CBC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    /// DES-EDE3 with three keys.
    TripleDes,
    /// RC2 with as many effective key bits as the key has.
    Rc2 {
        key_bytes: usize,
    },
}

impl Cipher {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Aes128 => "AES-128-CBC".to_owned(),
            Self::Aes192 => "AES-192-CBC".to_owned(),
            Self::Aes256 => "AES-256-CBC".to_owned(),
            Self::TripleDes => "DES-EDE3-CBC".to_owned(),
            Self::Rc2 { key_bytes } => format!("RC2-{}-CBC", key_bytes * 8),
        }
    }

    pub(crate) fn key_bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
            Self::Rc2 { key_bytes } => key_bytes,
        }
    }

    pub(crate) fn block_bytes(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
            Self::TripleDes | Self::Rc2 { .. } => 8,
        }
    }
}

/// Decrypts; `None` if the padding is wrong, as it mostly is with a wrong key, or key or vector do not fit.
pub(crate) fn decrypt(cipher: Cipher, key: &[u8], iv: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = match cipher {
        Cipher::Aes128 => aes(&AES_128, key, iv, &mut buffer),
        Cipher::Aes192 => aes(&AES_192, key, iv, &mut buffer),
        Cipher::Aes256 => aes(&AES_256, key, iv, &mut buffer),
        Cipher::TripleDes => cbc::<TdesEde3>(key, iv, &mut buffer),
        Cipher::Rc2 { .. } => cbc::<Rc2>(key, iv, &mut buffer),
    }?;
    buffer.truncate(length);
    Some(buffer)
}

fn aes(algorithm: &'static Algorithm, key: &[u8], iv: &[u8], buffer: &mut [u8]) -> Option<usize> {
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(algorithm, key).ok()?).ok()?;
    let iv = <[u8; 16]>::try_from(iv).ok()?;
    Some(key.decrypt(buffer, DecryptionContext::Iv128(iv.into())).ok()?.len())
}

fn cbc<C: BlockCipherDecrypt + KeyInit>(key: &[u8], iv: &[u8], buffer: &mut [u8]) -> Option<usize> {
    let decryptor = cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?;
    Some(decryptor.decrypt_padded::<Pkcs7>(buffer).ok()?.len())
}

/// Encrypts with AES-256; `None` if key or vector do not fit.
pub(crate) fn encrypt_aes_256(key: &[u8], iv: [u8; 16], plain: &[u8]) -> Option<Vec<u8>> {
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?;
    // Room for the padding: the plaintext is never moved, and nothing of it is left.
    let mut buffer = Vec::with_capacity(plain.len().saturating_add(iv.len()));
    buffer.extend_from_slice(plain);
    key.less_safe_encrypt(&mut buffer, EncryptionContext::Iv128(iv.into())).ok()?;
    Some(buffer)
}

/// Encrypts with triple DES of three keys; `None` if key or vector do not fit.
pub(crate) fn encrypt_triple_des(key: &[u8], iv: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let encryptor = cbc::Encryptor::<TdesEde3>::new_from_slices(key, iv).ok()?;
    let mut buffer = Vec::with_capacity(plain.len().saturating_add(iv.len()));
    buffer.extend_from_slice(plain);
    buffer.resize(plain.len().saturating_add(iv.len()), 0);
    let length = encryptor.encrypt_padded::<Pkcs7>(&mut buffer, plain.len()).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}
