//! Where a stream's ciphertext goes to and comes from: descriptors or callbacks. The two system calls are here.

use std::io;
use std::os::fd::RawFd;

/// Reads or writes bytes; an error of kind `WouldBlock` means "later", 0 bytes read mean that the peer has ended.
pub type ReadCallback = Box<dyn FnMut(&mut [u8]) -> io::Result<usize> + Send>;
/// Takes bytes for the peer and says how many of them; never 0.
pub type WriteCallback = Box<dyn FnMut(&[u8]) -> io::Result<usize> + Send>;

/// The transport below a stream.
pub(super) enum Channel {
    /// Descriptors of the caller's, never closed here. `is_socket` is found out by the first call on each.
    Descriptors { read: Descriptor, write: Descriptor },
    /// Functions of the caller's.
    Callbacks { read: ReadCallback, write: WriteCallback },
}

/// A descriptor, and whether it has turned out not to be a socket.
pub(super) struct Descriptor {
    number: RawFd,
    is_plain: bool,
}

impl Descriptor {
    pub(super) fn new(number: RawFd) -> Self {
        Self { number, is_plain: false }
    }
}

impl Channel {
    /// Receives into `buffer`; retried where a signal came between.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        retry(|| match self {
            Self::Descriptors { read, .. } => receive(read, buffer),
            Self::Callbacks { read, .. } => read(buffer).and_then(|count| bounded(count, buffer.len())),
        })
    }

    /// Sends what it can of `bytes`; never raises SIGPIPE on a socket.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = retry(|| match self {
            Self::Descriptors { write, .. } => send(write, bytes),
            Self::Callbacks { write, .. } => write(bytes).and_then(|count| bounded(count, bytes.len())),
        })?;
        if sent == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(sent) }
    }
}

/// A callback that claims more bytes than it was offered is an error of the caller's, not a reason to read past a buffer.
fn bounded(count: usize, most: usize) -> io::Result<usize> {
    match count <= most {
        true => Ok(count),
        false => Err(io::Error::other(format!("the callback claims {count} bytes of {most}"))),
    }
}

fn retry(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

#[allow(unsafe_code)]
fn receive(descriptor: &Descriptor, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the pointer and length are of one exclusive slice; read(2) writes within them and does nothing else.
    let count = unsafe { libc::read(descriptor.number, buffer.as_mut_ptr().cast(), buffer.len()) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

#[allow(unsafe_code)]
fn send(descriptor: &mut Descriptor, bytes: &[u8]) -> io::Result<usize> {
    if !descriptor.is_plain {
        // SAFETY: the pointer and length are of one slice; send(2) only reads it.
        let count = unsafe { libc::send(descriptor.number, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
        match usize::try_from(count).map_err(|_| io::Error::last_os_error()) {
            Err(error) if error.raw_os_error() == Some(libc::ENOTSOCK) => descriptor.is_plain = true,
            outcome => return outcome,
        }
    }
    // SAFETY: as above, for write(2).
    let count = unsafe { libc::write(descriptor.number, bytes.as_ptr().cast(), bytes.len()) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}
