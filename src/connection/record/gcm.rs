//! AES-GCM that takes a record in two pieces.
//!
//! The plaintext of a record of TLS 1.3 has its type behind it, for which the buffer of the caller often has no room.
//! `aws_lc_rs` decrypts into one place alone. The cipher interface below it takes pieces, and is faster for small
//! records in both directions.

#![allow(unsafe_code)]

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use aws_lc_sys::{
    EVP_CIPHER_CTX, EVP_CIPHER_CTX_ctrl, EVP_CIPHER_CTX_free, EVP_CIPHER_CTX_new, EVP_CTRL_AEAD_GET_TAG,
    EVP_CTRL_AEAD_SET_TAG, EVP_CipherFinal_ex, EVP_CipherInit_ex, EVP_CipherUpdate, EVP_aes_128_gcm, EVP_aes_256_gcm,
};

/// Length of the authentication tag of every suite.
pub(super) const TAG_BYTES: usize = 16;

/// Length of the nonce of every suite.
pub(super) const NONCE_BYTES: usize = 12;

/// An expanded key for one direction.
pub(super) struct Gcm(NonNull<EVP_CIPHER_CTX>);

/// Keeps the direction of the context as it is.
const SAME_DIRECTION: c_int = -1;

// SAFETY: the context belongs to this value alone, and has no ties to a thread.
unsafe impl Send for Gcm {}
// SAFETY: a shared reference gives no access to the context.
unsafe impl Sync for Gcm {}

impl Gcm {
    /// Expands a key of 16 or 32 bytes that encrypts. None for another length, or without memory.
    pub(super) fn sealing(key: &[u8]) -> Option<Self> {
        Self::new(key, 1)
    }

    /// The same for one that decrypts.
    pub(super) fn opening(key: &[u8]) -> Option<Self> {
        Self::new(key, 0)
    }

    fn new(key: &[u8], encrypts: c_int) -> Option<Self> {
        let cipher = match key.len() {
            // SAFETY: the function takes nothing; it returns a table that lives as long as the process.
            16 => unsafe { EVP_aes_128_gcm() },
            // SAFETY: as above.
            32 => unsafe { EVP_aes_256_gcm() },
            _ => return None,
        };
        // SAFETY: the function takes nothing; it returns NULL or a context of our own.
        let gcm = Self(NonNull::new(unsafe { EVP_CIPHER_CTX_new() })?);
        // SAFETY: the context is new, and the key has the length that the cipher reads.
        let made =
            unsafe { EVP_CipherInit_ex(gcm.0.as_ptr(), cipher, ptr::null_mut(), key.as_ptr(), ptr::null(), encrypts) };
        (made == 1).then_some(gcm)
    }

    /// Encrypts `content` and then `rest` into `sealed`, which has their length together. None if it has not.
    pub(super) fn seal_apart(
        &mut self,
        nonce: &[u8; NONCE_BYTES],
        data: &[u8],
        (content, rest): (&[u8], &[u8]),
        sealed: &mut [u8],
    ) -> Option<[u8; TAG_BYTES]> {
        let (first, second) = sealed.split_at_mut_checked(content.len())?;
        let is_sealed = second.len() == rest.len()
            && self.begin(nonce, data)
            // SAFETY: both places are of one length, and apart: one is shared, one exclusive.
            && unsafe { self.update(content.as_ptr(), first.as_mut_ptr(), content.len()) }
            // SAFETY: as above.
            && unsafe { self.update(rest.as_ptr(), second.as_mut_ptr(), rest.len()) };
        if is_sealed { self.finish_sealed() } else { None }
    }

    /// Encrypts `bytes` in place.
    pub(super) fn seal_in_place(
        &mut self,
        nonce: &[u8; NONCE_BYTES],
        data: &[u8],
        bytes: &mut [u8],
    ) -> Option<[u8; TAG_BYTES]> {
        if self.begin(nonce, data) && self.update_in_place(bytes) { self.finish_sealed() } else { None }
    }

    /// Decrypts `ciphertext` into `plain` and then `rest`, which have its length together. Returns false if it is not
    /// authentic; then the caller must wipe both.
    pub(super) fn open_apart(
        &mut self,
        nonce: &[u8; NONCE_BYTES],
        data: &[u8],
        (ciphertext, tag): (&[u8], &[u8; TAG_BYTES]),
        (plain, rest): (&mut [u8], &mut [u8]),
    ) -> bool {
        let Some((first, second)) = ciphertext.split_at_checked(plain.len()) else { return false };
        second.len() == rest.len()
            && self.begin(nonce, data)
            // SAFETY: both places are of one length, and apart: one is shared, one exclusive.
            && unsafe { self.update(first.as_ptr(), plain.as_mut_ptr(), plain.len()) }
            // SAFETY: as above.
            && unsafe { self.update(second.as_ptr(), rest.as_mut_ptr(), rest.len()) }
            && self.finish_opened(tag)
    }

    /// Decrypts `bytes` in place. Returns false if it is not authentic; then the caller must wipe them.
    pub(super) fn open_in_place(
        &mut self,
        nonce: &[u8; NONCE_BYTES],
        data: &[u8],
        tag: &[u8; TAG_BYTES],
        bytes: &mut [u8],
    ) -> bool {
        self.begin(nonce, data) && self.update_in_place(bytes) && self.finish_opened(tag)
    }

    fn begin(&mut self, nonce: &[u8; NONCE_BYTES], data: &[u8]) -> bool {
        let (context, nonce) = (self.0.as_ptr(), nonce.as_ptr());
        // SAFETY: the context has its cipher and key, and the nonce has the length that AES-GCM reads.
        let begun =
            unsafe { EVP_CipherInit_ex(context, ptr::null(), ptr::null_mut(), ptr::null(), nonce, SAME_DIRECTION) };
        // SAFETY: without a destination the bytes are only authenticated.
        begun == 1 && unsafe { self.update(data.as_ptr(), ptr::null_mut(), data.len()) }
    }

    fn update_in_place(&mut self, bytes: &mut [u8]) -> bool {
        let place = bytes.as_mut_ptr();
        // SAFETY: the place is exclusive and has this length; the cipher allows that both are the same.
        unsafe { self.update(place, place, bytes.len()) }
    }

    /// # Safety
    /// `from` has `length` bytes. `to` has as many, and is the same or apart from `from`; or it is NULL.
    unsafe fn update(&mut self, from: *const u8, to: *mut u8, length: usize) -> bool {
        let (Ok(length), mut written) = (c_int::try_from(length), 0) else { return false };
        // An update of nothing has no effect, and a dangling pointer need not be shown.
        // SAFETY: the caller promises as much.
        length == 0 || unsafe { EVP_CipherUpdate(self.0.as_ptr(), to, &raw mut written, from, length) == 1 }
    }

    fn finish_sealed(&mut self) -> Option<[u8; TAG_BYTES]> {
        let mut tag = [0; TAG_BYTES];
        (self.finish() && self.control_tag(EVP_CTRL_AEAD_GET_TAG, &mut tag)).then_some(tag)
    }

    fn finish_opened(&mut self, tag: &[u8; TAG_BYTES]) -> bool {
        self.control_tag(EVP_CTRL_AEAD_SET_TAG, &mut tag.clone()) && self.finish()
    }

    fn finish(&mut self) -> bool {
        let (mut last, mut written) = ([0; TAG_BYTES], 0);
        // SAFETY: AES-GCM has no last block to write.
        unsafe { EVP_CipherFinal_ex(self.0.as_ptr(), last.as_mut_ptr(), &raw mut written) == 1 }
    }

    fn control_tag(&mut self, command: c_int, tag: &mut [u8; TAG_BYTES]) -> bool {
        // SAFETY: the context copies as many bytes of the tag, or into it, as it is told.
        unsafe { EVP_CIPHER_CTX_ctrl(self.0.as_ptr(), command, tag.len() as c_int, tag.as_mut_ptr().cast()) == 1 }
    }
}

impl Drop for Gcm {
    fn drop(&mut self) {
        // SAFETY: the context is our own. It is wiped as it is freed.
        unsafe { EVP_CIPHER_CTX_free(self.0.as_ptr()) };
    }
}
