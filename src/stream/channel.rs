//! The transport of a stream: descriptors or callbacks. The system calls are here.

use std::io;
use std::os::fd::RawFd;

/// Reads bytes. An error of kind `WouldBlock` means "later", and 0 bytes mean that the peer has ended.
pub type ReadCallback = Box<dyn FnMut(&mut [u8]) -> io::Result<usize> + Send>;
/// Takes bytes for the peer and returns their number, which is never 0.
pub type WriteCallback = Box<dyn FnMut(&[u8]) -> io::Result<usize> + Send>;

/// The transport below a stream.
pub(super) enum Channel {
    /// Descriptors of the caller, never closed here. The first call that sends detects if it uses a socket.
    Descriptors { read: RawFd, write: RawFd, sends_to_socket: bool },
    /// Functions of the caller.
    Callbacks(Box<(ReadCallback, WriteCallback)>),
}

impl Channel {
    pub(super) fn descriptors(read: RawFd, write: RawFd) -> Self {
        Self::Descriptors { read, write, sends_to_socket: true }
    }

    pub(super) fn callbacks(read: ReadCallback, write: WriteCallback) -> Self {
        Self::Callbacks(Box::new((read, write)))
    }

    /// Receives into `buffer`. A signal restarts the call.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        retry(|| match self {
            Self::Descriptors { read, .. } => receive(*read, buffer),
            Self::Callbacks(calls) => calls.0(buffer).and_then(|count| bounded(count, buffer.len())),
        })
    }

    /// Sends a part of `bytes` or all. It never raises SIGPIPE on a socket.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = retry(|| match self {
            Self::Descriptors { write, sends_to_socket, .. } => send(*write, sends_to_socket, bytes),
            Self::Callbacks(calls) => calls.1(bytes).and_then(|count| bounded(count, bytes.len())),
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
fn receive(descriptor: RawFd, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the pointer and length are of one exclusive slice; read(2) writes within them and does nothing else.
    let count = unsafe { libc::read(descriptor, buffer.as_mut_ptr().cast(), buffer.len()) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

#[allow(unsafe_code)]
fn send(descriptor: RawFd, is_socket: &mut bool, bytes: &[u8]) -> io::Result<usize> {
    if *is_socket {
        // SAFETY: the pointer and length are of one slice; send(2) only reads it.
        let count = unsafe { libc::send(descriptor, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
        match usize::try_from(count).map_err(|_| io::Error::last_os_error()) {
            Err(error) if error.raw_os_error() == Some(libc::ENOTSOCK) => *is_socket = false,
            outcome => return outcome,
        }
    }
    // SAFETY: as above, for write(2).
    let count = unsafe { libc::write(descriptor, bytes.as_ptr().cast(), bytes.len()) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}
