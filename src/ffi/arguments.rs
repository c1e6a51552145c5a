//! The arguments of a call: pointers and lengths as slices and text, and text as C wants it. Decides nothing.

use std::ffi::{CStr, CString, OsStr, c_char, c_void};
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::slice;

use crate::error::{Code, Error, Result};

/// A place that a caller gave for an output.
pub(super) type Out<'a, T> = Option<&'a mut MaybeUninit<T>>;

/// The place behind an output pointer, asked for before any work is done.
pub(super) fn required<'a, T>(out: Out<'a, T>, name: &str) -> Result<&'a mut MaybeUninit<T>> {
    out.ok_or_else(|| null(name))
}

/// The error for a required pointer that was NULL.
#[cold]
pub(super) fn null(name: &str) -> Error {
    Error::new(Code::NullPointer, name)
}

/// Bytes that a caller lets us read.
///
/// # Safety
/// `data` is NULL or points to `length` bytes that stay as they are for the length of the call.
pub(super) unsafe fn bytes<'a>(name: &str, data: *const c_void, length: usize) -> Result<&'a [u8]> {
    match present(name, data, length)? {
        // SAFETY: not NULL, and as long as the caller says, which is no more than a slice may be.
        true => Ok(unsafe { slice::from_raw_parts(data.cast(), length) }),
        false => Ok(&[]),
    }
}

/// Bytes that a caller lets us write.
///
/// # Safety
/// `data` is NULL or points to `length` bytes that no other code uses during the call.
pub(super) unsafe fn bytes_mut<'a>(name: &str, data: *mut c_void, length: usize) -> Result<&'a mut [u8]> {
    match present(name, data, length)? {
        // SAFETY: not NULL, as long as the caller says, no longer than a slice may be, and ours alone. Memory of a C
        // caller has some content, even if it was never written.
        true => Ok(unsafe { slice::from_raw_parts_mut(data.cast(), length) }),
        false => Ok(&mut []),
    }
}

/// Returns true if there are bytes. NULL is valid for none.
fn present(name: &str, data: *const c_void, length: usize) -> Result<bool> {
    if length > isize::MAX as usize {
        return Err(too_long(name, length));
    }
    if data.is_null() && length > 0 {
        return Err(null(name));
    }
    Ok(length > 0)
}

#[cold]
fn too_long(name: &str, length: usize) -> Error {
    Error::new(Code::InvalidArgument, format!("{name}: a length of {length} bytes"))
}

/// Refuses two buffers that share memory: one of them is written while the other is read.
pub(super) fn disjoint(one: (*const c_void, usize), other: (*const c_void, usize)) -> Result<()> {
    let range = |(start, length): (*const c_void, usize)| (start.addr(), start.addr().saturating_add(length));
    let ((one_start, one_end), (other_start, other_end)) = (range(one), range(other));
    let shares = one_start < other_end && other_start < one_end && one.1 > 0 && other.1 > 0;
    match shares {
        true => Err(Error::new(Code::InvalidArgument, "the input and the output share memory")),
        false => Ok(()),
    }
}

/// The pieces of a vectored write: the caller's own array if it can be used unchanged, or a copy.
pub(super) enum Pieces<'a> {
    Borrowed(&'a [IoSlice<'a>]),
    Copied(Vec<IoSlice<'a>>),
}

impl<'a> Pieces<'a> {
    /// # Safety
    /// `pieces` is NULL or points to `count` pieces. Each is NULL or points to as many bytes as it says. None of it
    /// changes during the call.
    pub(super) unsafe fn new(pieces: *const libc::iovec, count: usize) -> Result<Self> {
        if pieces.is_null() && count > 0 {
            return Err(null("pieces"));
        }
        if count > isize::MAX as usize / size_of::<libc::iovec>() {
            return Err(Error::new(Code::InvalidArgument, format!("{count} pieces")));
        }
        if count == 0 {
            return Ok(Self::Borrowed(&[]));
        }
        // SAFETY: not NULL, and as many as the caller says.
        let given = unsafe { slice::from_raw_parts(pieces, count) };
        let mut total = 0_usize;
        for piece in given {
            present("a piece", piece.iov_base, piece.iov_len)?;
            total = total.saturating_add(piece.iov_len);
        }
        if total > isize::MAX as usize {
            return Err(Error::new(Code::InvalidArgument, format!("pieces of {total} bytes together")));
        }
        if given.iter().any(|piece| piece.iov_base.is_null()) {
            // A slice of Rust's is never NULL, not even an empty one.
            let filled = given.iter().filter(|piece| !piece.iov_base.is_null());
            // SAFETY: not NULL, and as long as the caller says.
            let slices = filled.map(|piece| unsafe { slice::from_raw_parts(piece.iov_base.cast(), piece.iov_len) });
            return Ok(Self::Copied(slices.map(IoSlice::new).collect()));
        }
        // SAFETY: an `IoSlice` has the same layout as an `iovec`, and each piece was checked above.
        Ok(Self::Borrowed(unsafe { slice::from_raw_parts(pieces.cast(), count) }))
    }

    pub(super) fn as_slice(&self) -> &[IoSlice<'a>] {
        match self {
            Self::Borrowed(pieces) => pieces,
            Self::Copied(pieces) => pieces,
        }
    }
}

/// Text that a caller must give.
///
/// # Safety
/// `text` is NULL or points to text that ends with a NUL and stays as it is for the length of the call.
pub(super) unsafe fn text<'a>(name: &str, text: *const c_char) -> Result<&'a str> {
    // SAFETY: as promised by the caller.
    unsafe { optional_text(name, text) }?.ok_or_else(|| null(name))
}

/// Text that a caller may leave out.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn optional_text<'a>(name: &str, text: *const c_char) -> Result<Option<&'a str>> {
    // SAFETY: as promised by the caller.
    let Some(bytes) = (unsafe { optional_bytes(text) }) else { return Ok(None) };
    std::str::from_utf8(bytes).map(Some).map_err(|_| Error::new(Code::InvalidText, name))
}

/// A path that a caller must give, of any bytes.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn path<'a>(name: &str, text: *const c_char) -> Result<&'a Path> {
    // SAFETY: as promised by the caller.
    let bytes = unsafe { optional_bytes(text) }.ok_or_else(|| null(name))?;
    Ok(Path::new(OsStr::from_bytes(bytes)))
}

/// The bytes before the NUL, if the pointer is not NULL itself.
///
/// # Safety
/// As for [`text`].
pub(super) unsafe fn optional_bytes<'a>(text: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: not NULL, and ended by a NUL as promised by the caller.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Makes a text for C. A NUL, which would hide the rest, becomes U+FFFD.
pub(super) fn c_string(text: &str) -> CString {
    match CString::new(text) {
        Ok(text) => text,
        Err(_) => CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_in_text_does_not_hide_what_follows() {
        assert_eq!(c_string("CN=broker\0.evil").to_str(), Ok("CN=broker\u{fffd}.evil"));
    }

    #[test]
    fn null_is_no_bytes_and_otherwise_refused() {
        // SAFETY: NULL is allowed.
        let read = |length| unsafe { bytes("data", std::ptr::null(), length) };
        assert_eq!(read(0).unwrap(), b"");
        assert_eq!(read(1).unwrap_err().code(), Code::NullPointer);
        assert_eq!(read(usize::MAX).unwrap_err().code(), Code::InvalidArgument);
    }

    #[test]
    fn buffers_that_share_a_byte_are_refused() {
        let memory = [0_u8; 8];
        let part = |start: usize, length| (memory[start..].as_ptr().cast::<c_void>(), length);
        assert!(disjoint(part(0, 4), part(4, 4)).is_ok());
        assert!(disjoint(part(2, 0), part(0, 8)).is_ok());
        assert_eq!(disjoint(part(0, 5), part(4, 4)).unwrap_err().code(), Code::InvalidArgument);
    }

    #[test]
    fn pieces_may_be_null_only_where_they_are_empty() {
        let text = *b"mqtt";
        let piece = |base: *const u8, iov_len| libc::iovec { iov_base: base.cast_mut().cast(), iov_len };
        let taken = |pieces: &[libc::iovec]| {
            // SAFETY: each piece is NULL or points into `text`, or is refused for its length.
            let pieces = unsafe { Pieces::new(pieces.as_ptr(), pieces.len()) }?;
            Ok::<_, Error>(pieces.as_slice().iter().map(|piece| piece.to_vec()).collect::<Vec<_>>().concat())
        };
        assert_eq!(taken(&[piece(text.as_ptr(), 2), piece(text[2..].as_ptr(), 2)]).unwrap(), text);
        assert_eq!(taken(&[piece(std::ptr::null(), 0), piece(text.as_ptr(), 4)]).unwrap(), text);
        assert_eq!(taken(&[piece(std::ptr::null(), 1)]).unwrap_err().code(), Code::NullPointer);
        let huge = piece(text.as_ptr(), isize::MAX as usize);
        let error = taken(&[huge, huge]).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    }
}
