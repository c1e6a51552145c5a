//! The functions that the engine may use during a call: they ask the side of the connection.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use brokertls_legacy_abi::{ACCEPTED, Bytes, Callbacks, IdentityParts, IdentityRequest, SessionParts};
use rustls::pki_types::{CertificateDer, ServerName};

use crate::error::{Code, Error};
use crate::policy::version_name;
use crate::revocation::Staple;
use crate::verify::HandshakeNotes;

use super::answers::{Answers, Presented};
use super::asked::{Asked, Named};
use super::psk::{Given, Mark};

/// One call of the engine, for its callbacks.
pub(super) struct Call<'a> {
    pub(super) answers: &'a dyn Answers,
    pub(super) asked: &'a mut Asked,
    /// The name that the client of a server asks for.
    pub(super) server_name: Option<&'a str>,
    /// The server of a client.
    pub(super) peer_name: Option<&'a ServerName<'static>>,
    /// The identity of a client, for the length of the call.
    pub(super) presented: Option<Presented>,
    /// True if the client of a server resumes sessions of TLS 1.3 with Diffie-Hellman.
    pub(super) keeps_forward_secrecy: bool,
    pub(super) staple: Option<&'a Staple>,
    pub(super) outgoing: &'a mut Vec<u8>,
    /// A panic of the application in a callback. It continues when the engine has returned.
    pub(super) panic: Option<Box<dyn Any + Send>>,
}

/// The functions for this call, which must outlive their use.
pub(super) fn callbacks(call: &mut Call<'_>) -> Callbacks {
    Callbacks {
        data: ptr::from_mut(call).cast(),
        emit,
        verify,
        secret,
        own_secret,
        identity,
        note_secret,
        staple,
        seal_session,
        open_session,
        store_session,
        find_session,
    }
}

/// Runs a callback on the call that `data` points to. Returns `failed` after a panic.
#[allow(unsafe_code)]
fn with_call<T>(data: *mut c_void, failed: T, run: impl FnOnce(&mut Call<'_>) -> T) -> T {
    // SAFETY: `Session::call` gives this pointer to the engine, which uses it within that call, on one thread.
    let Some(call) = (unsafe { data.cast::<Call<'_>>().as_mut() }) else { return failed };
    catch_unwind(AssertUnwindSafe(|| run(call))).unwrap_or_else(|panic| {
        call.panic = Some(panic);
        failed
    })
}

#[allow(unsafe_code)]
unsafe extern "C" fn emit(data: *mut c_void, records: Bytes) {
    // SAFETY: the engine gives bytes that are valid during the call.
    with_call(data, (), |call| call.outgoing.extend_from_slice(unsafe { records.get() }));
}

#[allow(unsafe_code)]
unsafe extern "C" fn verify(
    data: *mut c_void,
    chain: *const Bytes,
    count: usize,
    staple: Bytes,
    version: u16,
    alert: *mut u8,
) -> u32 {
    const INTERNAL_ERROR: u8 = 80;
    const REFUSED: u32 = 0;
    let verdict = with_call(data, Err(INTERNAL_ERROR), |call| {
        // SAFETY: the engine gives this many certificates, which are valid during the call.
        let chain = unsafe { if count == 0 { &[] } else { std::slice::from_raw_parts(chain, count) } };
        // SAFETY: as above.
        let chain = chain.iter().map(|der| CertificateDer::from(unsafe { der.get() }.to_vec()));
        call.asked.chain = chain.collect();
        version_name(version).into_iter().for_each(HandshakeNotes::set_version);
        // SAFETY: as above.
        let verdict = call.answers.judge(&call.asked.chain, unsafe { staple.get() }, call.peer_name);
        call.asked.is_judged = verdict.is_ok();
        verdict
    });
    match verdict {
        Ok(()) => ACCEPTED,
        Err(description) => {
            // SAFETY: the engine gives a valid pointer or NULL.
            if let Some(alert) = unsafe { alert.as_mut() } {
                *alert = description;
            }
            REFUSED
        }
    }
}

#[allow(unsafe_code)]
unsafe extern "C" fn secret(data: *mut c_void, identity: Bytes, room: *mut u8, size: usize) -> usize {
    with_call(data, 0, |call| {
        // SAFETY: the engine gives an identity and that much room, which are valid during the call.
        let (identity, room) = unsafe { (identity.get(), std::slice::from_raw_parts_mut(room, size)) };
        let given = call.answers.as_server().ok_or_else(|| Error::from(Code::Internal));
        match given.and_then(|server| server.secret(identity, room)) {
            Ok(Given { length, is_known, mark, .. }) => {
                call.asked.identity = Some(Named { identity: Box::from(identity), is_known, mark });
                length
            }
            Err(error) => {
                call.asked.failure = Some(error);
                0
            }
        }
    })
}

#[allow(unsafe_code)]
unsafe extern "C" fn own_secret(
    data: *mut c_void,
    hint: Bytes,
    identity: *mut u8,
    identity_size: usize,
    room: *mut u8,
    size: usize,
) -> usize {
    with_call(data, 0, |call| {
        // SAFETY: the engine gives a hint and that much room, which are valid during the call.
        let (hint, into, room) = unsafe {
            let into = std::slice::from_raw_parts_mut(identity, identity_size);
            (hint.get(), into, std::slice::from_raw_parts_mut(room, size))
        };
        let key = call.answers.as_client().ok_or_else(|| Error::from(Code::Internal));
        match key.and_then(|client| client.own_key(Some(hint), into, room)) {
            Ok((identity, length)) => {
                call.asked.identity = Some(Named { identity, is_known: true, mark: Mark::default() });
                length
            }
            Err(error) => {
                call.asked.failure = Some(error);
                0
            }
        }
    })
}

#[allow(unsafe_code)]
unsafe extern "C" fn identity(data: *mut c_void, request: *const IdentityRequest) -> *const IdentityParts {
    with_call(data, ptr::null(), |call| {
        // SAFETY: the engine gives a valid pointer or NULL, and what it points to is valid during the call.
        let Some(request) = (unsafe { request.as_ref() }) else { return ptr::null() };
        let Some(client) = call.answers.as_client() else { return ptr::null() };
        // SAFETY: as above.
        let (issuers, schemes) = unsafe {
            let IdentityRequest { issuers, issuers_length, schemes, schemes_length, .. } = *request;
            let issuers = if issuers_length == 0 { &[] } else { std::slice::from_raw_parts(issuers, issuers_length) };
            let schemes = if schemes_length == 0 { &[] } else { std::slice::from_raw_parts(schemes, schemes_length) };
            (issuers.iter().map(|name| name.get()).collect::<Vec<_>>(), schemes)
        };
        version_name(request.version).into_iter().for_each(HandshakeNotes::set_version);
        call.presented = client.present(&issuers, schemes, request.version).unwrap_or_else(|error| {
            call.asked.failure = Some(error);
            Some(Presented::refusal())
        });
        call.presented.as_ref().map_or(ptr::null(), Presented::parts)
    })
}

#[allow(unsafe_code)]
unsafe extern "C" fn note_secret(data: *mut c_void, line: Bytes) {
    // SAFETY: the engine gives bytes that are valid during the call.
    with_call(data, (), |call| call.answers.note_secret(unsafe { line.get() }));
}

#[allow(unsafe_code)]
unsafe extern "C" fn staple(data: *mut c_void, room: *mut u8, size: usize) -> usize {
    with_call(data, 0, |call| {
        let Some(key) = call.staple.and_then(Staple::key) else { return 0 };
        let Some(response) = key.ocsp.as_ref().filter(|response| response.len() <= size) else { return 0 };
        // SAFETY: the engine gives that much room, which is valid during the call.
        unsafe { std::slice::from_raw_parts_mut(room, response.len()) }.copy_from_slice(response);
        response.len()
    })
}

#[allow(unsafe_code)]
unsafe extern "C" fn seal_session(
    data: *mut c_void,
    parts: SessionParts,
    other_bytes: usize,
    room: *mut u8,
    size: usize,
) -> usize {
    with_call(data, 0, |call| {
        // A client of TLS 1.3 that resumes without Diffie-Hellman alone has no use for a ticket.
        let is_useful = parts.version < 0x0304 || call.keeps_forward_secrecy;
        let sessions = call.answers.as_server().and_then(|server| server.sessions());
        let sealed = sessions.filter(|_| is_useful).and_then(|sessions| {
            let facts = call.asked.to_seal(parts, call.server_name)?;
            sessions.seal(&facts, other_bytes).filter(|sealed| sealed.len() <= size)
        });
        let Some(sealed) = sealed else { return 0 };
        // SAFETY: the engine gives that much room, which is valid during the call.
        unsafe { std::slice::from_raw_parts_mut(room, sealed.len()) }.copy_from_slice(&sealed);
        sealed.len()
    })
}

#[allow(unsafe_code)]
unsafe extern "C" fn open_session(data: *mut c_void, version: u16, sealed: Bytes) -> u32 {
    const REFUSED: u32 = 0;
    with_call(data, REFUSED, |call| {
        let Some(server) = call.answers.as_server() else { return REFUSED };
        // SAFETY: the engine gives bytes that are valid during the call.
        let facts = server.sessions().and_then(|sessions| sessions.open(unsafe { sealed.get() }));
        if call.asked.takes_session((version, facts), server, call.server_name) { ACCEPTED } else { REFUSED }
    })
}

#[allow(unsafe_code)]
unsafe extern "C" fn store_session(data: *mut c_void, parts: SessionParts, id: Bytes, session: Bytes) {
    with_call(data, (), |call| {
        let Some(sessions) = call.answers.as_server().and_then(|server| server.sessions()) else { return };
        if let Some(facts) = call.asked.to_seal(parts, call.server_name) {
            // SAFETY: the engine gives bytes that are valid during the call.
            let (id, session) = unsafe { (id.get(), session.get()) };
            sessions.put(id, &facts, session);
        }
    });
}

#[allow(unsafe_code)]
unsafe extern "C" fn find_session(data: *mut c_void, version: u16, id: Bytes, room: *mut u8, size: usize) -> usize {
    with_call(data, 0, |call| {
        let Some(server) = call.answers.as_server() else { return 0 };
        // SAFETY: the engine gives bytes that are valid during the call.
        let found = server.sessions().and_then(|sessions| sessions.get(unsafe { id.get() }));
        let (facts, session) = found.unzip();
        let Some(session) = session.filter(|session| session.len() <= size) else { return 0 };
        if !call.asked.takes_session((version, facts), server, call.server_name) {
            return 0;
        }
        // SAFETY: the engine gives that much room, which is valid during the call.
        unsafe { std::slice::from_raw_parts_mut(room, session.len()) }.copy_from_slice(&session);
        session.len()
    })
}
