//! `NativeEngine`: one connection.
//!
//! `wrap`, `unwrap` and `state` are the data path: one claim of the engine, no allocation, no callback into Java.
#![allow(unsafe_code, reason = "exported functions need an unsafe attribute; nothing else here does")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use brokertls::{Connection, Error, IdlePlace, Next, Transfer};
use jni::EnvUnowned;
use jni::objects::{JByteArray, JByteBuffer, JClass, JObject, JString, JThrowable};
use jni::sys::{jint, jlong};
use rustls::pki_types::CertificateDer;

use crate::guard::{self, Outcome, Raised, guard, guard_bare};
use crate::handles::{Exclusive, Handles};
use crate::host::Asked;
use crate::memory::{self, Both, Offer};
use crate::text::{ByteArrays, Strings, java_byte_arrays, java_byte_arrays_or_null, java_bytes, java_strings};
use crate::{failure, text};

pub(crate) static ENGINES: Handles<Engine> = Handles::new();

/// A connection, with the errors that it does not keep itself.
pub(crate) struct Engine {
    connection: Connection,
    /// A contained panic, after which the connection cannot be used.
    panicked: Option<Error>,
    /// The error of a refused call, which need not end the connection.
    refused: Option<Error>,
    /// Its place among those that sleep by themselves.
    pub(crate) place: Option<Box<IdlePlace>>,
}

impl Engine {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, panicked: None, refused: None, place: None }
    }

    /// Passes the connection to the function, unless a panic has made it unusable.
    pub(crate) fn with_connection(&mut self, body: impl FnOnce(&mut Connection)) {
        if self.panicked.is_some() {
            return;
        }
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| body(&mut self.connection))) {
            self.panicked = Some(guard::panic_error(&*payload));
        }
    }
}

// The layout of the packed long that `NativeEngine` reads.
const CONSUMED_SHIFT: u32 = 24;
const STATUS_SHIFT: u32 = 48;
const FLAGS_SHIFT: u32 = 56;
const LENGTH_MASK: u64 = 0xff_ffff;
const HANDSHAKING: u64 = 1;
const HAS_OUTGOING: u64 = 2;
const PEER_CLOSED: u64 = 4;
const DESTINATION_TOO_SMALL: u64 = 4;
const FAILED: u64 = 6;
const NOT_PINNED: u64 = 7;

/// Consumed bytes, produced bytes, and the next step.
type Moved = (usize, usize, Next);

fn moved(transfer: Transfer) -> Moved {
    (transfer.consumed, transfer.produced, transfer.next)
}

fn pack(engine: &Engine, moved: Option<Moved>) -> jlong {
    if engine.panicked.is_some() {
        return (FAILED << STATUS_SHIFT).cast_signed();
    }
    let connection = &engine.connection;
    let (status, consumed, produced) = match moved {
        None => (FAILED, 0, 0),
        Some((consumed, produced, next)) => match next {
            Next::NeedRecord => (1, consumed, produced),
            Next::NeedWrap => (2, consumed, produced),
            Next::NeedTask => (3, consumed, produced),
            Next::DestinationTooSmall(room) => (DESTINATION_TOO_SMALL, consumed, room),
            Next::Closed => (5, consumed, produced),
            _ => (0, consumed, produced),
        },
    };
    let flags = (u64::from(connection.is_handshaking()) * HANDSHAKING)
        | (u64::from(connection.has_outgoing()) * HAS_OUTGOING)
        | (u64::from(connection.is_peer_closed()) * PEER_CLOSED);
    let lengths = (consumed as u64 & LENGTH_MASK) << CONSUMED_SHIFT | (produced as u64 & LENGTH_MASK);
    (flags << FLAGS_SHIFT | status << STATUS_SHIFT | lengths).cast_signed()
}

/// Runs a step of one engine, which keeps an error for `failure`. A panic poisons only this engine.
fn step(handle: jlong, body: impl FnOnce(&mut Connection) -> Result<Moved, Error>) -> Outcome<jlong> {
    let mut engine: Exclusive<'_, Engine> = ENGINES.claim(handle)?;
    if engine.panicked.is_some() {
        return Ok(pack(&engine, None));
    }
    let moved = match catch_unwind(AssertUnwindSafe(|| body(&mut engine.connection))) {
        Ok(Ok(moved)) => Some(moved),
        Ok(Err(error)) => {
            engine.refused = Some(error);
            None
        }
        Err(payload) => {
            engine.panicked = Some(guard::panic_error(&*payload));
            None
        }
    };
    Ok(pack(&engine, moved))
}

/// Unwraps or wraps a record between memory that does not move.
fn move_memory(handle: jlong, is_wrap: bool, from: &mut [u8], to: &mut [u8]) -> Outcome<jlong> {
    step(handle, |connection| transfer(connection, is_wrap, from, to).map(moved))
}

/// Unwraps or wraps a record in arrays. If the JVM gives a copy of one, nothing happens, and Java copies instead.
fn move_arrays(handle: jlong, is_wrap: bool, both: Both) -> Outcome<jlong> {
    let mut is_pinned = true;
    let packed = step(handle, |connection| {
        let moved_bytes = both.with(|from, to| transfer(connection, is_wrap, from, to).map(moved))?;
        Ok(moved_bytes.unwrap_or_else(|| {
            is_pinned = false;
            (0, 0, connection.next())
        }))
    })?;
    Ok(if is_pinned { packed } else { (NOT_PINNED << STATUS_SHIFT).cast_signed() })
}

/// A failure is reported by the call that meets it, and its alert is given by the next call that wraps.
#[inline]
fn transfer(connection: &mut Connection, is_wrap: bool, from: &mut [u8], to: &mut [u8]) -> Result<Transfer, Error> {
    if !is_wrap {
        return connection.unwrap(from, to);
    }
    if connection.failure().is_none() {
        connection.check()?;
    }
    connection.wrap(from, to)
}

/// Returns the state, as a transfer of no bytes.
fn still(connection: &Connection) -> Result<Moved, Error> {
    if let Some(error) = connection.failure() {
        return Err(error.clone());
    }
    Ok((0, 0, connection.next()))
}

/// Reads facts of a connection. Fails after a panic.
fn look<T>(handle: jlong, body: impl FnOnce(&Connection) -> T) -> Outcome<T> {
    let engine = ENGINES.claim(handle)?;
    match &engine.panicked {
        None => Ok(body(&engine.connection)),
        Some(error) => Err(Raised::Failure(error.clone())),
    }
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_move<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
    is_wrap: bool,
    source: JByteArray<'local>,
    direct_source: JByteBuffer<'local>,
    source_start: jlong,
    source_length: jint,
    destination: JByteArray<'local>,
    direct_destination: JByteBuffer<'local>,
    destination_start: jlong,
    destination_length: jint,
) -> jlong {
    let raw = &env;
    let body = || {
        let source = Offer { array: source, buffer: direct_source, start: source_start, length: source_length };
        let destination = Offer {
            array: destination,
            buffer: direct_destination,
            start: destination_start,
            length: destination_length,
        };
        if source.array.as_raw().is_null() && destination.array.as_raw().is_null() {
            let (from, to) = memory::slices(raw, &source, &destination)?;
            let moved = move_memory(engine, is_wrap, from, to);
            if is_wrap && source.buffer.as_raw().is_null() {
                // Plaintext in memory of the pool, which other connections use next.
                from.fill(0);
            }
            return moved;
        }
        move_arrays(engine, is_wrap, Both::new(raw, &source, &destination)?)
    };
    let outcome = guard::contain(body);
    guard::settle(&mut env, outcome)
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_runTask<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
    host: JObject<'local>,
) -> jlong {
    let asked = Asked::new(&env, &host);
    guard_bare(&mut env, || {
        let _asked = asked;
        step(engine, |connection| {
            connection.run_task();
            still(connection)
        })
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_refuseTask<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
    code: jint,
) -> jlong {
    guard_bare(&mut env, || step(engine, |connection| Err(connection.refuse_task(failure::code(code).into()))))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_state<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> jlong {
    guard_bare(&mut env, || step(engine, |connection| still(connection)))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_closeWrite<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> jlong {
    guard_bare(&mut env, || {
        step(engine, |connection| {
            connection.cancel()?;
            Ok((0, 0, connection.next()))
        })
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_endOfInput<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> jlong {
    guard_bare(&mut env, || step(engine, |connection| connection.end_of_input().and_then(|()| still(connection))))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_failure<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> JThrowable<'local> {
    guard(&mut env, |env| {
        let error = {
            let engine = ENGINES.claim(engine)?;
            engine.panicked.as_ref().or_else(|| engine.connection.failure()).or(engine.refused.as_ref()).cloned()
        };
        match error {
            None => Ok(JThrowable::null()),
            Some(error) => Ok(failure::new(env, &error)?),
        }
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_peerChain<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> ByteArrays<'local> {
    guard(&mut env, |env| {
        let owned = |der: &CertificateDer<'_>| der.clone().into_owned();
        let chain: Vec<_> = look(engine, |connection| connection.peer_chain().iter().map(owned).collect())?;
        java_byte_arrays(env, chain.iter())
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_peerName<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> JByteArray<'local> {
    guard(&mut env, |env| {
        let facts = look(engine, |connection| connection.peer_facts().and_then(Result::ok))?;
        match facts {
            None => Ok(JByteArray::null()),
            Some(facts) => Ok(env.byte_array_from_slice(facts.subject.der())?),
        }
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_pskIdentity<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> JByteArray<'local> {
    guard(&mut env, |env| match look(engine, |connection| connection.psk_identity().map(<[u8]>::to_vec))? {
        None => Ok(JByteArray::null()),
        Some(identity) => java_bytes(env, &identity),
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_localChain<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> ByteArrays<'local> {
    guard(&mut env, |env| {
        let chain = look(engine, |connection| connection.local_chain().to_vec())?;
        java_byte_arrays(env, chain.iter())
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_chains<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> ByteArrays<'local> {
    guard(&mut env, |env| {
        let all = look(engine, |connection| {
            let peer = connection.peer_chain();
            let facts = if peer.is_empty() { connection.peer_facts().and_then(Result::ok) } else { None };
            let identity = connection.psk_identity().map(<[u8]>::to_vec);
            let mut all = vec![facts.map(|facts| facts.subject.der().to_vec()), identity];
            all.extend(peer.iter().map(|certificate| Some(certificate.to_vec())));
            all.push(None);
            all.extend(connection.local_chain().iter().map(|certificate| Some(certificate.to_vec())));
            all
        })?;
        java_byte_arrays_or_null(env, all.into_iter())
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_facts<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let (names, texts) = look(engine, |connection| {
            let names = [connection.version(), connection.cipher_suite(), connection.group()];
            (names, [connection.server_name().map(str::to_owned), connection.alpn().map(text::latin1)])
        })?;
        let facts = Strings::new(env, names.len() + texts.len(), JString::null())?;
        for (index, name) in names.iter().enumerate() {
            if let Some(name) = name {
                text::set_name(env, &facts, index, name)?;
            }
        }
        for (index, text) in texts.iter().enumerate() {
            if let Some(text) = text {
                let text = JString::from_str(env, text)?;
                facts.set_element(env, names.len() + index, &text)?;
            }
        }
        Ok(facts)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_isResumed<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> bool {
    guard_bare(&mut env, || look(engine, |connection| connection.is_resumed() == Some(true)))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_hasBegun<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> bool {
    guard_bare(&mut env, || look(engine, Connection::has_begun))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_deviations<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let names: Vec<_> =
            look(engine, |connection| connection.deviations().iter().map(|one| Some(one.name())).collect())?;
        java_strings(env, names.into_iter())
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_sessionOrigin<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> JByteArray<'local> {
    guard(&mut env, |env| {
        let mut origin = Vec::with_capacity(2 * size_of::<u64>() + size_of::<[u8; 32]>());
        {
            let mut engine = ENGINES.claim(engine)?;
            engine.with_connection(|connection| {
                origin.extend(connection.origin().to_be_bytes());
                origin.extend(connection.origin_time_s().unwrap_or_default().to_be_bytes());
                origin.extend(connection.take_session_id().iter().flat_map(|id| id.iter()));
            });
        }
        java_bytes(env, &origin)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_id<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) -> jlong {
    guard_bare(&mut env, || look(engine, |connection| connection.id().cast_signed()))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_address<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    direct: JByteBuffer<'local>,
) -> jlong {
    guard(&mut env, |env| memory::address(env, &direct))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_pins<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    array: JByteArray<'local>,
) -> bool {
    let raw = &env;
    let outcome = guard::contain(|| memory::pins(raw, &array));
    guard::settle(&mut env, outcome)
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_free<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) {
    guard_bare(&mut env, || {
        ENGINES.remove(engine);
        Ok(())
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use brokertls::{Code, ContextBuilder};

    use super::*;
    use crate::handles::Unavailable;

    fn engine() -> jlong {
        let mut builder = ContextBuilder::new();
        builder.insecure_accept_any_server(true);
        ENGINES.insert(Engine::new(builder.build().unwrap().connect(Some("localhost")).unwrap())).unwrap()
    }

    fn status(packed: jlong) -> u64 {
        packed.cast_unsigned() >> STATUS_SHIFT & 0xff
    }

    #[test]
    fn panic_is_contained_and_poisons_its_engine_alone() {
        let (one, other) = (engine(), engine());
        assert_eq!(status(step(one, |_| panic!("a defect")).unwrap()), FAILED);
        assert_eq!(status(step(one, |connection| still(connection)).unwrap()), FAILED);
        assert!(matches!(look(one, Connection::next), Err(Raised::Failure(error)) if error.code() == Code::Panic));
        assert_eq!(status(step(other, |connection| still(connection)).unwrap()), 2);
        ENGINES.remove(one);
        ENGINES.remove(other);
    }

    #[test]
    fn engine_in_a_call_is_refused_to_others_and_freed_when_the_call_ends() {
        let handle = engine();
        let outcome = step(handle, |connection| {
            assert!(matches!(step(handle, |other| still(other)), Err(Raised::State(Unavailable::Busy))));
            ENGINES.remove(handle);
            assert!(matches!(step(handle, |other| still(other)), Err(Raised::State(Unavailable::Closed))));
            still(connection)
        });
        assert_eq!(status(outcome.unwrap()), 2);
        assert!(matches!(step(handle, |other| still(other)), Err(Raised::State(Unavailable::Closed))));
    }

    #[test]
    fn packed_answer_keeps_lengths_of_24_bits_apart() {
        let handle = engine();
        let packed = step(handle, |_| Ok((0xff_ffff, 0xab_cdef, Next::NeedTask))).unwrap().cast_unsigned();
        assert_eq!((packed & LENGTH_MASK, packed >> CONSUMED_SHIFT & LENGTH_MASK), (0xab_cdef, 0xff_ffff));
        assert_eq!((packed >> STATUS_SHIFT & 0xff, packed >> FLAGS_SHIFT), (3, HANDSHAKING | HAS_OUTGOING));
        ENGINES.remove(handle);
    }
}
