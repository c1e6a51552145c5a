//! The table of functions, which check their pointers and do nothing else.

use std::ffi::c_void;
use std::ptr;

use brokertls_legacy_abi::{Bytes, Callbacks, ContextParts, Facts, Fault, Outcome, SIZE, Table, Tls13Parts, VERSION};
use openssl::ssl::SslContext;

use crate::connection::Connection;
use crate::context;
use crate::guard::guard;

static TABLE: Table = Table {
    version: VERSION,
    size: SIZE,
    library_version,
    suites,
    context_new,
    context_free,
    connection_new,
    connection_limit,
    connection_free,
    handshake,
    open,
    seal,
    close,
    alert,
    facts,
};

/// Returns the table.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
#[allow(unreachable_pub, reason = "the symbol of the library")]
pub extern "C" fn brokertls_legacy_table() -> *const Table {
    &TABLE
}

#[allow(unsafe_code)]
unsafe extern "C" fn library_version() -> u64 {
    u64::try_from(openssl::version::number()).unwrap_or_default()
}

#[allow(unsafe_code)]
unsafe extern "C" fn suites(into: *mut u16, room: usize) -> usize {
    let known = guard(context::suites).unwrap_or_default();
    // SAFETY: the core gives room for this many numbers.
    let into = unsafe { if room == 0 { &mut [] } else { std::slice::from_raw_parts_mut(into, room) } };
    into.iter_mut().zip(&known).for_each(|(place, suite)| *place = *suite);
    known.len()
}

/// Puts a fault where the core wants it.
#[allow(unsafe_code)]
fn report(fault: Fault, to: *mut Fault) {
    // SAFETY: the core gives a valid pointer or NULL.
    if let Some(to) = unsafe { to.as_mut() } {
        *to = fault;
    }
}

fn number(outcome: Result<Outcome, Fault>, fault: *mut Fault) -> u32 {
    let outcome = outcome.unwrap_or_else(|why| {
        report(why, fault);
        Outcome::Failed
    });
    outcome as u32
}

/// Gives a handle for a value.
fn handle<T>(made: Result<T, Fault>, fault: *mut Fault) -> *mut c_void {
    match made {
        Ok(made) => Box::into_raw(Box::new(made)).cast(),
        Err(why) => {
            report(why, fault);
            ptr::null_mut()
        }
    }
}

#[allow(unsafe_code)]
unsafe extern "C" fn context_new(parts: *const ContextParts, fault: *mut Fault) -> *mut c_void {
    let made = guard(|| {
        // SAFETY: the core gives a valid pointer or NULL.
        let parts = unsafe { parts.as_ref() }.ok_or_else(Fault::default)?;
        context::of(parts)
    });
    handle(made, fault)
}

#[allow(unsafe_code)]
unsafe extern "C" fn context_free(context: *mut c_void) {
    if !context.is_null() {
        // SAFETY: the handle is one of `context_new`, and the core gives it up.
        let context = unsafe { Box::from_raw(context.cast::<SslContext>()) };
        _ = guard(|| {
            drop(context);
            Ok(())
        });
    }
}

#[allow(unsafe_code)]
unsafe extern "C" fn connection_new(context: *mut c_void, server_name: Bytes, fault: *mut Fault) -> *mut c_void {
    let made = guard(|| {
        // SAFETY: the handle is one of `context_new`.
        let context = unsafe { context.cast::<SslContext>().as_ref() }.ok_or_else(Fault::default)?;
        // SAFETY: the core gives bytes that are valid during the call.
        Connection::new(context, unsafe { server_name.get() })
    });
    handle(made, fault)
}

#[allow(unsafe_code)]
unsafe extern "C" fn connection_limit(connection: *mut c_void, parts: *const Tls13Parts, fault: *mut Fault) -> u32 {
    let limited = guard(|| {
        // SAFETY: the handle is one of `connection_new`, used by one thread at a time.
        let connection = unsafe { connection.cast::<Connection>().as_mut() }.ok_or_else(Fault::default)?;
        // SAFETY: the core gives a valid pointer or NULL.
        connection.limit(unsafe { parts.as_ref() }.ok_or_else(Fault::default)?)
    });
    limited.map_err(|why| report(why, fault)).is_ok().into()
}

#[allow(unsafe_code)]
unsafe extern "C" fn connection_free(connection: *mut c_void) {
    if !connection.is_null() {
        // SAFETY: the handle is one of `connection_new`, and the core gives it up.
        let connection = unsafe { Box::from_raw(connection.cast::<Connection>()) };
        _ = guard(|| {
            drop(connection);
            Ok(())
        });
    }
}

/// Runs a call on a connection.
#[allow(unsafe_code)]
fn on<T>(
    connection: *mut c_void,
    callbacks: *const Callbacks,
    run: impl FnOnce(&mut Connection, &Callbacks) -> Result<T, Fault>,
) -> Result<T, Fault> {
    guard(|| {
        // SAFETY: the handle is one of `connection_new`, used by one thread at a time.
        let connection = unsafe { connection.cast::<Connection>().as_mut() }.ok_or_else(Fault::default)?;
        // SAFETY: the core gives a valid pointer or NULL.
        let callbacks = unsafe { callbacks.as_ref() }.ok_or_else(Fault::default)?;
        run(connection, callbacks)
    })
}

#[allow(unsafe_code)]
unsafe extern "C" fn handshake(
    connection: *mut c_void,
    callbacks: *const Callbacks,
    input: Bytes,
    used: *mut usize,
    fault: *mut Fault,
) -> u32 {
    let outcome = on(connection, callbacks, |connection, callbacks| {
        // SAFETY: the core gives bytes that are valid during the call.
        let (count, outcome) = connection.handshake(callbacks, unsafe { input.get() });
        // SAFETY: the core gives a valid pointer or NULL.
        if let Some(used) = unsafe { used.as_mut() } {
            *used = count;
        }
        outcome
    });
    number(outcome, fault)
}

#[allow(unsafe_code)]
unsafe extern "C" fn open(
    connection: *mut c_void,
    callbacks: *const Callbacks,
    input: Bytes,
    plain: *mut u8,
    room: usize,
    produced: *mut usize,
    fault: *mut Fault,
) -> u32 {
    let outcome = on(connection, callbacks, |connection, callbacks| {
        // SAFETY: the core gives that much room, and bytes that are valid during the call.
        let (room, input) = unsafe {
            let room = if room == 0 { &mut [] } else { std::slice::from_raw_parts_mut(plain, room) };
            (room, input.get())
        };
        let (count, outcome) = connection.open(callbacks, input, room)?;
        // SAFETY: the core gives a valid pointer or NULL.
        if let Some(produced) = unsafe { produced.as_mut() } {
            *produced = count;
        }
        Ok(outcome)
    });
    number(outcome, fault)
}

#[allow(unsafe_code)]
unsafe extern "C" fn seal(
    connection: *mut c_void,
    callbacks: *const Callbacks,
    plain: Bytes,
    used: *mut usize,
    fault: *mut Fault,
) -> u32 {
    let outcome = on(connection, callbacks, |connection, callbacks| {
        // SAFETY: the core gives bytes that are valid during the call.
        let (count, outcome) = connection.seal(callbacks, unsafe { plain.get() })?;
        // SAFETY: the core gives a valid pointer or NULL.
        if let Some(used) = unsafe { used.as_mut() } {
            *used = count;
        }
        Ok(outcome)
    });
    number(outcome, fault)
}

#[allow(unsafe_code)]
unsafe extern "C" fn close(connection: *mut c_void, callbacks: *const Callbacks, fault: *mut Fault) -> u32 {
    number(on(connection, callbacks, |connection, callbacks| connection.close(callbacks)), fault)
}

#[allow(unsafe_code)]
unsafe extern "C" fn alert(
    connection: *mut c_void,
    callbacks: *const Callbacks,
    description: u8,
    fault: *mut Fault,
) -> u32 {
    number(on(connection, callbacks, |connection, callbacks| connection.alert(callbacks, description)), fault)
}

#[allow(unsafe_code)]
unsafe extern "C" fn facts(connection: *mut c_void, facts: *mut Facts) {
    let found = guard(|| {
        // SAFETY: the handle is one of `connection_new`, used by one thread at a time.
        let connection = unsafe { connection.cast::<Connection>().as_ref() }.ok_or_else(Fault::default)?;
        Ok(connection.facts())
    });
    // SAFETY: the core gives a valid pointer or NULL.
    if let (Ok(found), Some(facts)) = (found, unsafe { facts.as_mut() }) {
        *facts = found;
    }
}
