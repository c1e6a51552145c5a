//! The connection as C holds it.

use std::ffi::CString;

use crate::connection::Connection;
use crate::context::Context;
use crate::idle::IdlePlace;
use crate::stream::Stream;

use super::certificate::btls_certificate;
use super::guard::{Exclusive, Handle, Object, guard_fact, object};

/// A TLS connection of a client or a server. One thread at a time uses it; it may change threads.
///
/// # Details
///
/// Two threads may use two connections of one context at the same time.
pub struct btls_conn(Exclusive<Conn>);

/// The content of a connection.
pub(super) struct Conn {
    pub(super) stream: Stream,
    /// Allocated for the first of them.
    pub(super) extras: Option<Box<Extras>>,
}

impl Object for btls_conn {
    type Value = Conn;

    fn cell(&self) -> &Exclusive<Conn> {
        &self.0
    }
}

impl btls_conn {
    /// Hands a connection over to the caller, and lets the context put it to sleep if it does so.
    pub(super) fn leak(context: &Context, connection: Connection) -> *mut Self {
        let number = connection.id();
        let conn = Handle::leak(Self(Exclusive::new(Conn { stream: Stream::new(connection), extras: None })));
        if let Some(place) = context.watch_idle(number, conn.expose_provenance() as u64, visit) {
            guard_fact((), object!(conn), |conn| conn.extras.get_or_insert_default().place = Some(place));
        }
        conn
    }
}

/// Looks at a connection between two calls on it.
fn visit(key: u64, look: &mut dyn FnMut(&mut Connection)) {
    let conn: *const btls_conn = std::ptr::with_exposed_provenance(key as usize);
    // The place of a connection is dropped before its memory goes, and waits for the end of a visit.
    if let Some(conn) = object!(conn) {
        conn.visit(|conn| look(conn.stream.inner_mut()));
    }
}

/// Things of few connections: what is kept for the caller, and a place in the list of those that sleep by themselves.
#[derive(Default)]
pub(super) struct Extras {
    pub(super) server_name: Option<CString>,
    pub(super) peer: Option<Box<btls_certificate>>,
    place: Option<IdlePlace>,
}

#[cfg(test)]
mod tests {
    use std::mem::MaybeUninit;
    use std::ptr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::thread;
    use std::time::Duration;

    use rustls::pki_types::UnixTime;
    use rustls::time_provider::TimeProvider;

    use super::*;
    use crate::config::{ContextBuilder, IdentitySource, Source, TrustSource};
    use crate::connection::MAX_RECORD_BYTES;
    use crate::error::Code;
    use crate::ffi::connection::{btls_conn_free, btls_conn_sleep, btls_conn_unwrap, btls_conn_wrap};

    /// A clock that moves on by ten seconds each time that it is read: each look of maintenance finds connections
    /// that have been idle for long.
    #[derive(Debug, Default)]
    struct Hurried(AtomicU64);

    impl TimeProvider for Hurried {
        fn current_time(&self) -> Option<UnixTime> {
            let reads = self.0.fetch_add(1, Ordering::Relaxed);
            Some(UnixTime::since_unix_epoch(Duration::from_secs(1_790_000_000 + 10 * reads)))
        }
    }

    fn context(sleep_after_s: u32) -> Context {
        let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let pem = format!("{}{}", issued.cert.pem(), issued.signing_key.serialize_pem());
        let source = Source::memory("localhost.pem", pem.as_bytes());
        let mut builder = ContextBuilder::new();
        builder.identity(IdentitySource::new(source.clone())).trust(TrustSource::store(source));
        builder.clock(Arc::<Hurried>::default()).sleep_after_s(sleep_after_s).unwrap();
        builder.build().unwrap()
    }

    /// Both sides of a connection, as C has them.
    struct Sides([*mut btls_conn; 2]);

    // SAFETY: one thread at a time uses a connection, and it may change threads.
    unsafe impl Send for Sides {}

    impl Sides {
        fn connect(context: &Context) -> Self {
            let server = btls_conn::leak(context, context.accept().unwrap());
            let client = btls_conn::leak(context, context.connect(Some("localhost")).unwrap());
            let sides = Self([server, client]);
            (0..4).for_each(|_| sides.exchange(b""));
            sides
        }

        /// Moves a message and what waits from the client to the server, then back.
        fn exchange(&self, message: &[u8]) {
            let Self([server, client]) = *self;
            for (from, to) in [(client, server), (server, client)] {
                Self::pass(from, to, message);
            }
        }

        fn pass(from: *mut btls_conn, to: *mut btls_conn, mut message: &[u8]) {
            let (mut wire, mut plain) = (vec![0_u8; MAX_RECORD_BYTES], vec![0_u8; MAX_RECORD_BYTES]);
            let mut arrived = Vec::new();
            let whole = message;
            loop {
                let (taken, sent) = moved(|consumed, produced| {
                    let (text, room) = (message.as_ptr().cast(), wire.as_mut_ptr().cast());
                    // SAFETY: the connection lives, and each buffer is as long as the call says.
                    unsafe { btls_conn_wrap(from, text, message.len(), room, MAX_RECORD_BYTES, consumed, produced) }
                });
                message = &message[taken..];
                let mut records = &mut wire[..sent];
                if records.is_empty() {
                    break;
                }
                while !records.is_empty() {
                    let (taken, given) = moved(|consumed, produced| {
                        let (source, room) = (records.as_mut_ptr().cast(), plain.as_mut_ptr().cast());
                        // SAFETY: as above.
                        unsafe {
                            btls_conn_unwrap(to, source, records.len(), room, MAX_RECORD_BYTES, consumed, produced)
                        }
                    });
                    assert_ne!(taken, 0);
                    records = &mut records[taken..];
                    arrived.extend_from_slice(&plain[..given]);
                }
            }
            assert_eq!(arrived, whole);
        }

        fn free(self) {
            // SAFETY: no call is under way on them.
            self.0.into_iter().for_each(|side| unsafe { btls_conn_free(side) });
        }
    }

    /// The bytes that a call has consumed and produced. No call is refused.
    fn moved(
        call: impl FnOnce(Option<&mut MaybeUninit<usize>>, Option<&mut MaybeUninit<usize>>) -> i32,
    ) -> (usize, usize) {
        let (mut consumed, mut produced) = (MaybeUninit::new(0), MaybeUninit::new(0));
        let status = call(Some(&mut consumed), Some(&mut produced));
        assert!(status < 100, "status {status}");
        // SAFETY: they were written before the call.
        unsafe { (consumed.assume_init(), produced.assume_init()) }
    }

    #[test]
    fn connections_in_use_are_never_disturbed_by_maintenance_that_lets_them_sleep() {
        const CONNECTIONS: usize = 1000;
        let context = context(1);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let maintenance: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        while !is_over.load(Ordering::Relaxed) {
                            context.maintain();
                        }
                    })
                })
                .collect();
            let talk = |message: &'static [u8]| {
                let all: Vec<_> = (0..CONNECTIONS / 2).map(|_| Sides::connect(&context)).collect();
                for _ in 0..20 {
                    all.iter().for_each(|sides| sides.exchange(message));
                }
                // The same one again and again: calls and visits of it meet.
                (0..5000).for_each(|_| all[0].exchange(message));
                all.into_iter().for_each(Sides::free);
            };
            let talkers = [b"one".as_slice(), b"another"].map(|message| scope.spawn(move || talk(message)));
            talkers.into_iter().for_each(|talker| talker.join().unwrap());
            is_over.store(true, Ordering::Relaxed);
            maintenance.into_iter().for_each(|thread| thread.join().unwrap());
        });
        assert!(context.watches_nothing());
    }

    #[test]
    fn connections_are_made_and_freed_while_maintenance_looks_through_them() {
        let context = context(1);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    context.maintain();
                }
            });
            let come_and_go = || {
                let mut kept = Vec::new();
                for _ in 0..300 {
                    kept.push(Sides::connect(&context));
                    if kept.len() > 20 {
                        kept.swap_remove(kept.len() / 2).free();
                    }
                    kept.iter().step_by(7).for_each(|sides| sides.exchange(b"still here"));
                }
                kept.into_iter().for_each(Sides::free);
            };
            let threads = [(); 2].map(|()| scope.spawn(come_and_go));
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            is_over.store(true, Ordering::Relaxed);
        });
        assert!(context.watches_nothing());
    }

    #[test]
    fn context_that_does_not_ask_watches_no_connection_and_keeps_nothing_for_it() {
        let context = context(0);
        let sides = Sides::connect(&context);
        assert!(context.watches_nothing());
        for side in sides.0 {
            assert!(guard_fact(false, object!(side), |conn| conn.extras.is_none()));
        }
        context.maintain();
        sides.exchange(b"awake");
        sides.free();
    }

    #[test]
    fn connection_that_was_freed_within_a_call_leaves_the_list_when_the_call_ends() {
        let context = context(1);
        let sides = Sides::connect(&context);
        let [server, client] = sides.0;
        let status = crate::ffi::guard::guard_object(object!(server), |_| {
            // SAFETY: it lives until the call ends.
            unsafe { btls_conn_free(server) };
            (0..3).for_each(|_| _ = context.maintain());
            assert!(!context.watches_nothing());
            Ok(0)
        });
        assert_eq!(status, 0);
        // SAFETY: no call is under way on it.
        unsafe { btls_conn_free(client) };
        assert!(context.watches_nothing());
    }

    #[test]
    fn connection_that_has_failed_is_looked_at_in_vain() {
        let context = context(1);
        let sides = Sides::connect(&context);
        let [server, _] = sides.0;
        let (mut record, mut plain) = ([23, 3, 3, 0, 20].to_vec(), vec![0; 100]);
        record.extend([0; 20]);
        let (mut consumed, mut produced) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: the buffers are as long as the call says.
        let status = unsafe {
            let (source, room) = (record.as_mut_ptr().cast(), plain.as_mut_ptr().cast());
            btls_conn_unwrap(server, source, record.len(), room, plain.len(), Some(&mut consumed), Some(&mut produced))
        };
        assert_eq!(status, Code::DecryptFailed.number());
        (0..3).for_each(|_| _ = context.maintain());
        // SAFETY: it lives, and NULL is allowed.
        unsafe {
            assert_eq!(btls_conn_sleep(server), 0);
            assert_eq!(btls_conn_sleep(ptr::null_mut()), Code::NullPointer.number());
        }
        sides.free();
        assert!(context.watches_nothing());
    }
}
