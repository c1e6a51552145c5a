//! Connections: making them, their transport, and moving bytes.

use std::ffi::{c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;

use crate::config::ConnectionSettings;
use crate::connection::{MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES, Next, Transfer};
use crate::error::{Code, Error, Result};
use crate::stream::Status;

use super::arguments::{Out, Pieces, bytes, bytes_mut, disjoint, null, optional_text, required};
use super::callback::{self, btls_read_fn, btls_write_fn};
use super::conn::btls_conn;
use super::conn_options::btls_conn_options;
use super::context::btls_context;
use super::guard::{Handle, guard_error, guard_fact, guard_free, guard_object, guard_status, look, object};
use super::last_error::{btls_error, hand_over};
use super::{DONE, btls_status};

/// The size of the largest record: an output of this size is enough for btls_conn_wrap.
pub const BTLS_MAX_RECORD_BYTES: usize = 18_437;
/// The size of the largest plaintext of a record: enough for an output of btls_conn_unwrap.
pub const BTLS_MAX_PLAINTEXT_BYTES: usize = 16_384;

// cbindgen reads numbers, not names of other rooms.
const _: () = assert!(BTLS_MAX_RECORD_BYTES == MAX_RECORD_BYTES && BTLS_MAX_PLAINTEXT_BYTES == MAX_PLAINTEXT_BYTES);

/// Makes the status for C. Writes the count if the call is done, and zero if it must be made again.
fn settle(status: Status<usize>, out: &mut MaybeUninit<usize>) -> btls_status {
    let (code, count) = match status {
        Status::Done(count) => (Code::Ok, count),
        Status::WantRead => (Code::WantRead, 0),
        Status::WantWrite => (Code::WantWrite, 0),
        Status::WantTask => (Code::WantTask, 0),
        Status::Closed => (Code::Closed, 0),
    };
    out.write(count);
    code.number()
}

fn settled(status: Status) -> btls_status {
    match status {
        Status::Done(()) => Code::Ok,
        Status::WantRead => Code::WantRead,
        Status::WantWrite => Code::WantWrite,
        Status::WantTask => Code::WantTask,
        Status::Closed => Code::Closed,
    }
    .number()
}

/// Makes the server's side of a connection. Free it with btls_conn_free. `options` and `error` may be NULL; `error`
/// becomes the error of a failed call, which the caller frees, or NULL.
///
/// # Details
///
/// Returns BTLS_NO_IDENTITY if the context has no certificate to serve with, and BTLS_NO_TRUST if the options require a
/// client certificate and the context has nothing to verify it with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_new_server(
    context: Option<&btls_context>,
    options: *const btls_conn_options,
    conn: Option<&mut MaybeUninit<*mut btls_conn>>,
    error: Option<&mut MaybeUninit<*mut btls_error>>,
) -> btls_status {
    guard_new(error, || {
        let context = context.ok_or_else(|| null("context"))?.context();
        let out = required(conn, "conn")?;
        let settings = settings_of(object!(options))?;
        out.write(btls_conn::leak(context, context.accept_with(&settings)?));
        DONE
    })
}

/// Makes the client's side of a connection, as btls_conn_new_server does. The server's certificate must be for `host`,
/// a DNS name or an IP address, or NULL if the context checks none.
///
/// # Details
///
/// Returns BTLS_NO_TRUST if the context has nothing to verify a server with, and BTLS_INVALID_SERVER_NAME.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_new_client(
    context: Option<&btls_context>,
    host: *const c_char,
    options: *const btls_conn_options,
    conn: Option<&mut MaybeUninit<*mut btls_conn>>,
    error: Option<&mut MaybeUninit<*mut btls_error>>,
) -> btls_status {
    guard_new(error, || {
        let context = context.ok_or_else(|| null("context"))?.context();
        let out = required(conn, "conn")?;
        // SAFETY: the header asks for NULL or text.
        let host = unsafe { optional_text("host", host) }?;
        let settings = settings_of(object!(options))?;
        out.write(btls_conn::leak(context, context.connect_with(host, &settings)?));
        DONE
    })
}

/// Runs a call that makes an object and hands its error over.
fn guard_new(error: Out<'_, *mut btls_error>, body: impl FnOnce() -> Result<btls_status>) -> btls_status {
    // A call that panics has written no error.
    let error = error.map(|out| out.write(ptr::null_mut()));
    guard_status(|| {
        body().inspect_err(|found| {
            if let Some(out) = error {
                *out = hand_over(found);
            }
        })
    })
}

fn settings_of(options: Option<Handle<btls_conn_options>>) -> Result<ConnectionSettings> {
    options.map_or_else(|| Ok(ConnectionSettings::default()), |options| look(options, |settings| settings.clone()))
}

/// Frees a connection and sends nothing: call btls_conn_shutdown first. Descriptors stay open.
///
/// # Details
///
/// A callback may free the connection of its call, which lives until that call returns. Another thread must not free it
/// during a call: the end of that call may overlook it, and the memory is then lost.
///
/// A failed call has sent the alert for the peer if the socket took it. A socket that is closed with unread input is
/// reset, and the peer may lose the alert. To prevent that, call shutdown(2) for writing, then read until the end or a
/// deadline.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_free(conn: *mut btls_conn) {
    guard_free(object!(conn));
}

/// Returns the error of the last failed call on this connection, valid until the next, or NULL.
///
/// # Details
///
/// After an error that ended the connection, each further call gives the same error again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_error(conn: *const btls_conn) -> *const btls_error {
    guard_error(object!(conn))
}

/// Sets the descriptors, blocking or not; both may be the same. The caller keeps them open until the connection is
/// freed, and closes them. BTLS_WRONG_STATE if a transport is set.
///
/// # Details
///
/// The library never closes them, and never raises SIGPIPE on a socket. On another descriptor, such as a pipe, the
/// kernel raises it as for any write(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_set_fd(conn: *mut btls_conn, read_fd: c_int, write_fd: c_int) -> btls_status {
    guard_object(object!(conn), |conn| {
        conn.stream.set_descriptors(read_fd, write_fd)?;
        DONE
    })
}

/// Sets functions as the transport. BTLS_WRONG_STATE if a transport is set.
///
/// # Details
///
/// `user` must stay valid until the connection is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_set_callbacks(
    conn: *mut btls_conn,
    read: btls_read_fn,
    write: btls_write_fn,
    user: *mut c_void,
) -> btls_status {
    guard_object(object!(conn), |conn| {
        conn.stream.set_callbacks(callback::read(read, user)?, callback::write(write, user)?)?;
        DONE
    })
}

/// Continues the handshake. Reading and writing also do so.
///
/// Returns BTLS_OK when it is complete. Returns BTLS_WANT_READ or BTLS_WANT_WRITE: call again when the transport is
/// readable or writable. Returns BTLS_WANT_TASK: call btls_conn_task_run, then call again. Any other status ends the
/// connection, except an error of usage.
///
/// # Details
///
/// The peer's last message may carry data, so call btls_conn_pending before waiting for the transport. When an error
/// ends the connection, the alert for the peer has been sent if the transport took it. After the handshake,
/// BTLS_BROKEN_PIPE or BTLS_CONNECTION_RESET from a write does not end it: a read can still give data.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_handshake(conn: *mut btls_conn) -> btls_status {
    guard_object(object!(conn), |conn| conn.stream.handshake().map(settled))
}

/// Reads up to `length` bytes of plaintext into `buffer`, and sets `read` to the number of bytes.
///
/// Returns BTLS_OK with at least one byte, BTLS_CLOSED after the peer's close_notify, BTLS_TRUNCATED if the transport
/// ended without one and data may be missing, or as btls_conn_handshake.
///
/// # Details
///
/// An event loop calls btls_conn_pending before it waits for the transport.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_read(
    conn: *mut btls_conn,
    buffer: *mut c_void,
    length: usize,
    read: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_object(object!(conn), |conn| {
        let out = required(read, "read")?;
        // SAFETY: the header asks for NULL or `length` bytes that are the caller's own.
        let buffer = unsafe { bytes_mut("buffer", buffer, length) }?;
        conn.stream.read(buffer).map(|status| settle(status, out))
    })
}

/// Writes plaintext, and sets `written` to the number of bytes taken, which may be less than `length`. After BTLS_OK,
/// do not offer these bytes again. After BTLS_WANT_WRITE, the next write must begin with the same bytes.
///
/// Returns as btls_conn_handshake does.
///
/// # Details
///
/// If all bytes were taken, all are sent. If fewer were taken and btls_conn_wants_write returns true, the transport is
/// full: the next write sends the part that waits, and a caller with no more to write calls btls_conn_flush. If it
/// returns false, write again at once: the next write returns an error.
///
/// After BTLS_WANT_WRITE, the same bytes may be at another address, and more may follow them. That holds also if
/// btls_conn_flush has sent them meanwhile. Once they are encrypted, other bytes are refused with
/// BTLS_INVALID_ARGUMENT, which has no effect.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_write(
    conn: *mut btls_conn,
    data: *const c_void,
    length: usize,
    written: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_object(object!(conn), |conn| {
        let out = required(written, "written")?;
        // SAFETY: the header asks for NULL or `length` bytes.
        let data = unsafe { bytes("data", data, length) }?;
        conn.stream.write(data).map(|status| settle(status, out))
    })
}

/// Writes `count` pieces as one, as btls_conn_write does. Small pieces share a record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_writev(
    conn: *mut btls_conn,
    pieces: *const libc::iovec,
    count: usize,
    written: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_object(object!(conn), |conn| {
        let out = required(written, "written")?;
        // SAFETY: the header asks for NULL or `count` pieces, each with as many bytes as it says.
        let pieces = unsafe { Pieces::new(pieces, count) }?;
        conn.stream.write_vectored(pieces.as_slice()).map(|status| settle(status, out))
    })
}

/// Sends the bytes that wait to be sent. Returns BTLS_OK, BTLS_WANT_WRITE or an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_flush(conn: *mut btls_conn) -> btls_status {
    guard_object(object!(conn), |conn| conn.stream.flush().map(settled))
}

/// Returns true if bytes wait to be sent: wait until the transport is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_wants_write(conn: *const btls_conn) -> bool {
    guard_fact(false, object!(conn), |conn| conn.stream.wants_write())
}

/// Gives the number of plaintext bytes that can be read without the transport. Read until it is 0: the descriptor does
/// not become readable for bytes that have arrived already.
///
/// # Details
///
/// Without plaintext, it is 1 if another call would not wait. That is so when the peer's close_notify or the end has
/// arrived and is not reported yet. It is also so when the last call stopped because the peer sent much that is no
/// data. Make the call again, after the calls of other connections. If an error ended the connection, the function
/// returns it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_pending(
    conn: *mut btls_conn,
    pending: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_object(object!(conn), |conn| {
        let out = required(pending, "pending")?;
        out.write(conn.stream.pending()?);
        DONE
    })
}

/// Sends close_notify: this side writes no more. Reading stays possible.
///
/// # Details
///
/// Returns BTLS_OK when it is sent, BTLS_WANT_WRITE to call again, or an error. On a connection without a transport,
/// BTLS_WANT_WRITE asks for btls_conn_wrap. During the handshake, close_notify waits for its end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_close_write(conn: *mut btls_conn) -> btls_status {
    guard_object(object!(conn), |conn| {
        if conn.stream.has_transport() {
            return conn.stream.close_write().map(settled);
        }
        let connection = conn.stream.connection_mut()?;
        connection.close_write()?;
        Ok(if connection.has_outgoing() { Code::WantWrite } else { Code::Ok }.number())
    })
}

/// Sends close_notify and waits for the peer's. Data that arrives before it is dropped; read it first if it matters.
/// The descriptors stay open. Returns BTLS_OK when both are done, BTLS_WANT_READ or BTLS_WANT_WRITE to call again,
/// BTLS_TRUNCATED if the peer ends without close_notify, or another error.
///
/// # Details
///
/// A call drops at most 256 KiB. It then returns BTLS_WANT_READ, and btls_conn_pending gives 1. Before the handshake is
/// complete, no close_notify is sent, and the result is BTLS_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_shutdown(conn: *mut btls_conn) -> btls_status {
    guard_object(object!(conn), |conn| conn.stream.shutdown().map(settled))
}

/// Drops the expanded keys of an idle connection, 1.4 KiB. The next record makes them again.
///
/// # Details
///
/// It takes less than a microsecond for each direction to make a key again. Before the handshake is complete, and on a
/// connection that has failed, nothing is dropped. With the option "sleep-after-s", btls_context_maintain does it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_sleep(conn: *mut btls_conn) -> btls_status {
    guard_object(object!(conn), |conn| {
        conn.stream.sleep();
        DONE
    })
}

/// Runs the task of BTLS_WANT_TASK, a verification that may wait. It may run on any thread, while no other thread uses
/// the connection. The next call on the connection returns the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_task_run(conn: *mut btls_conn) -> btls_status {
    guard_object(object!(conn), |conn| {
        conn.stream.run_task();
        DONE
    })
}

/// Decrypts the whole records of `records` into `plain`, as far as they fit, and sets the numbers of bytes consumed and
/// produced. It may change all of both buffers. They must not overlap.
///
/// Returns BTLS_OK; BTLS_WANT_READ if `records` has no whole record; BTLS_WANT_WRITE to call btls_conn_wrap first;
/// BTLS_WANT_TASK; BTLS_CLOSED; or BTLS_BUFFER_TOO_SMALL.
///
/// # Details
///
/// After an error, btls_conn_wrap gives the alert.
///
/// Nothing is consumed if the buffer is too small for the first record. A call ends after a record without data, such
/// as a session ticket. An error in a later record than the first is returned by the next call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_unwrap(
    conn: *mut btls_conn,
    records: *mut c_void,
    records_length: usize,
    plain: *mut c_void,
    plain_length: usize,
    consumed: Option<&mut MaybeUninit<usize>>,
    produced: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_object(object!(conn), |conn| {
        let counts = Counts::new(consumed, produced)?;
        disjoint((records, records_length), (plain, plain_length))?;
        // SAFETY: the header asks for NULL or as many bytes as the call says, the caller's own and, as just checked,
        // apart.
        let records = unsafe { bytes_mut("records", records, records_length) }?;
        // SAFETY: as above.
        let plain = unsafe { bytes_mut("plain", plain, plain_length) }?;
        counts.settle(conn.stream.connection_mut()?.unwrap_records(records, plain)?)
    })
}

/// Puts records for the peer into `records`: pending handshake messages and alerts first, otherwise records of `plain`,
/// as far as they fit. Sets the numbers of bytes consumed and produced. The buffers must not overlap.
///
/// Returns BTLS_OK; BTLS_WANT_WRITE if more is pending; BTLS_WANT_READ to call btls_conn_unwrap first; BTLS_WANT_TASK;
/// BTLS_CLOSED if the peer has closed; BTLS_BUFFER_TOO_SMALL; or an error.
///
/// # Details
///
/// Without `plain`, only pending records are given. Before the handshake is complete, no plaintext is consumed. Writing
/// stays possible after BTLS_CLOSED. Nothing is consumed if the buffer is too small.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_wrap(
    conn: *mut btls_conn,
    plain: *const c_void,
    plain_length: usize,
    records: *mut c_void,
    records_length: usize,
    consumed: Option<&mut MaybeUninit<usize>>,
    produced: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_object(object!(conn), |conn| {
        let counts = Counts::new(consumed, produced)?;
        disjoint((plain, plain_length), (records, records_length))?;
        // SAFETY: the header asks for NULL or as many bytes as the call says.
        let plain = unsafe { bytes("plain", plain, plain_length) }?;
        // SAFETY: as above; they are the caller's own and, as just checked, apart from `plain`.
        let records = unsafe { bytes_mut("records", records, records_length) }?;
        counts.settle(conn.stream.connection_mut()?.wrap_records(plain, records)?)
    })
}

/// Reports the end of the transport of a connection without one. Returns BTLS_OK after close_notify, else
/// BTLS_TRUNCATED, BTLS_HANDSHAKE_EOF, BTLS_PEER_NOT_TLS or the earlier error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_end_of_input(conn: *mut btls_conn) -> btls_status {
    guard_object(object!(conn), |conn| {
        conn.stream.connection_mut()?.end_of_input()?;
        DONE
    })
}

/// The two outputs of a call that moves bytes.
struct Counts<'a> {
    consumed: &'a mut MaybeUninit<usize>,
    produced: &'a mut MaybeUninit<usize>,
}

impl<'a> Counts<'a> {
    fn new(consumed: Out<'a, usize>, produced: Out<'a, usize>) -> Result<Self> {
        Ok(Self { consumed: required(consumed, "consumed")?, produced: required(produced, "produced")? })
    }

    fn settle(self, transfer: Transfer) -> Result<btls_status> {
        let code = match transfer.next {
            Next::Continue => Code::Ok,
            Next::NeedRecord => Code::WantRead,
            Next::NeedWrap => Code::WantWrite,
            Next::NeedTask => Code::WantTask,
            Next::Closed => Code::Closed,
            Next::DestinationTooSmall(bytes) => return Err(too_small(bytes)),
        };
        self.consumed.write(transfer.consumed);
        self.produced.write(transfer.produced);
        Ok(code.number())
    }
}

#[cold]
fn too_small(bytes: usize) -> Error {
    Error::new(Code::BufferTooSmall, format!("{bytes} bytes are needed"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::ContextBuilder;
    use crate::config::Source;
    use crate::config::{ClientAuth, IdentitySource, TrustSource};
    use crate::ffi::error::{btls_error_code, btls_error_name};

    #[test]
    fn connection_of_c_takes_at_most_96_bytes_beside_the_connection_itself() {
        let bytes = size_of::<btls_conn>() - size_of::<crate::connection::Connection>();
        assert!(bytes <= 96, "{bytes} bytes");
    }

    /// A server with a verify callback that panics, a client with a certificate, and one without.
    fn contexts() -> [*mut btls_context; 3] {
        let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let pem = format!("{}{}", issued.cert.pem(), issued.signing_key.serialize_pem());
        let source = Source::memory("localhost.pem", pem.as_bytes());
        let context = |change: &dyn Fn(&mut ContextBuilder)| {
            let mut builder = ContextBuilder::new();
            builder.trust(TrustSource::store(source.clone()));
            change(&mut builder);
            btls_context::leak(builder.build().unwrap())
        };
        let identity = || IdentitySource::new(source.clone());
        let server = context(&|builder| {
            builder.identity(identity()).client_auth(ClientAuth::Want);
            builder.verify_callback(Arc::new(|_| panic!("a defect in the middle of a handshake")), false);
        });
        [server, context(&|builder| _ = builder.identity(identity())), context(&|_| {})]
    }

    /// One side and its bytes for the other.
    struct Side {
        conn: *mut btls_conn,
        sent: Vec<u8>,
    }

    impl Side {
        fn server(context: *mut btls_context) -> Self {
            let mut conn = MaybeUninit::uninit();
            // SAFETY: the context lives; the output was written if the status says so.
            let conn = unsafe {
                assert_eq!(btls_conn_new_server(context.as_ref(), ptr::null(), Some(&mut conn), None), 0);
                conn.assume_init()
            };
            Self { conn, sent: Vec::new() }
        }

        fn client(context: *mut btls_context) -> Self {
            let mut conn = MaybeUninit::uninit();
            // SAFETY: as above.
            let conn = unsafe {
                assert_eq!(
                    btls_conn_new_client(context.as_ref(), c"localhost".as_ptr(), ptr::null(), Some(&mut conn), None),
                    0
                );
                conn.assume_init()
            };
            Self { conn, sent: Vec::new() }
        }

        /// Takes the bytes of the other side, then makes those of this side, until the first error.
        fn exchange(&mut self, other: &mut Self) -> btls_status {
            let mut room = vec![0; MAX_RECORD_BYTES];
            let (mut consumed, mut produced) = (MaybeUninit::new(0), MaybeUninit::new(0));
            while !other.sent.is_empty() {
                let (records, length) = (other.sent.as_mut_ptr().cast(), other.sent.len());
                let (plain, counts) = (room.as_mut_ptr().cast(), (Some(&mut consumed), Some(&mut produced)));
                // SAFETY: both buffers are as long as the call says; the counts were written before.
                let (status, taken) = unsafe {
                    let status =
                        btls_conn_unwrap(self.conn, records, length, plain, MAX_RECORD_BYTES, counts.0, counts.1);
                    (status, consumed.assume_init())
                };
                if status >= 100 {
                    return status;
                }
                if taken == 0 {
                    break;
                }
                other.sent.drain(..taken);
            }
            loop {
                let (plain, counts) = (room.as_mut_ptr().cast(), (Some(&mut consumed), Some(&mut produced)));
                // SAFETY: as above.
                let (status, given) = unsafe {
                    let status = btls_conn_wrap(self.conn, ptr::null(), 0, plain, MAX_RECORD_BYTES, counts.0, counts.1);
                    (status, produced.assume_init())
                };
                if status >= 100 || given == 0 {
                    return status;
                }
                self.sent.extend_from_slice(&room[..given]);
            }
        }
    }

    /// Runs the handshake and returns the status that ends it on the server.
    fn shake(server: &mut Side, client: &mut Side) -> btls_status {
        for _ in 0..4 {
            assert!(client.exchange(server) < 100);
            let status = server.exchange(client);
            if status >= 100 {
                return status;
            }
        }
        0
    }

    #[test]
    fn panic_inside_a_handshake_poisons_that_connection_and_no_other_of_its_context() {
        let [context, with_certificate, without] = contexts();
        let (mut server, mut client) = (Side::server(context), Side::client(with_certificate));
        let (mut sound_server, mut sound_client) = (Side::server(context), Side::client(without));
        assert_eq!(shake(&mut server, &mut client), Code::Panic.number());
        assert_eq!(shake(&mut sound_server, &mut sound_client), 0);
        // SAFETY: the objects live until they are freed at the end, once each.
        unsafe {
            assert_eq!(btls_conn_handshake(server.conn), Code::Panic.number());
            assert_eq!(btls_conn_close_write(server.conn), Code::Panic.number());
            let error = btls_conn_error(server.conn).as_ref();
            assert_eq!(btls_error_code(error), Code::Panic.number());
            assert_eq!(std::ffi::CStr::from_ptr(btls_error_name(error)), c"BTLS_PANIC");
            assert!(!super::super::facts::btls_conn_is_handshaking(sound_server.conn));
            assert!(btls_conn_error(sound_server.conn).is_null());
            [server, client, sound_server, sound_client].into_iter().for_each(|side| btls_conn_free(side.conn));
            let free = super::super::context::btls_context_free;
            [context, with_certificate, without].into_iter().for_each(|context| free(context));
        }
    }
}
