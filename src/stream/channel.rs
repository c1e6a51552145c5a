//! The transport of a stream: descriptors or callbacks. The system calls are here.

use std::io;
use std::os::fd::RawFd;

/// Reads bytes. An error of kind `WouldBlock` means "later", and 0 bytes mean that the peer has ended.
pub type ReadCallback = Box<dyn FnMut(&mut [u8]) -> io::Result<usize> + Send>;
/// Takes bytes for the peer and returns their number, which is never 0.
pub type WriteCallback = Box<dyn FnMut(&[u8]) -> io::Result<usize> + Send>;

/// The transport below a stream.
pub(super) enum Channel {
    /// Descriptors of the caller, never closed here. The first call on each detects if it is a socket.
    Descriptors { read: Descriptor, write: Descriptor },
    /// Functions of the caller.
    Callbacks { read: ReadCallback, write: WriteCallback },
}

/// A descriptor, and its kind once it is known.
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
    /// Receives into `buffer`. A signal restarts the call.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        retry(|| match self {
            Self::Descriptors { read, .. } => receive(read, buffer),
            Self::Callbacks { read, .. } => read(buffer).and_then(|count| bounded(count, buffer.len())),
        })
    }

    /// Sends a part of `bytes` or all. It never raises SIGPIPE on a socket.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = retry(|| match self {
            Self::Descriptors { write, .. } => send(write, bytes),
            Self::Callbacks { write, .. } => write(bytes).and_then(|count| bounded(count, bytes.len())),
        })?;
        if sent == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(sent) }
    }
}

/// Checks the count of a callback: more bytes than offered are an error of the caller.
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
