//! The context: shared between threads, counted by reference.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use crate::context::Context;
use crate::error::{Code, Error, Result};

use super::arguments::{optional_text, required};
use super::guard::guard;
use super::last_error::{btls_error, hand_over};
use super::list::{Entry, btls_list};
use super::{DONE, btls_status};

/// The settings, identities and trust of a broker or listener. Any number of threads may use it.
pub struct btls_context {
    context: Context,
    /// The references that callers hold. The count of the `Arc` includes the call that ends the context.
    references: AtomicUsize,
    errors: Mutex<Errors>,
}

/// The last error of each thread that failed lately. A thread never reads the error of another.
#[derive(Default)]
struct Errors(Vec<(ThreadId, Error)>);

impl Errors {
    /// The largest number of threads with an error that they have not read.
    const MOST: usize = 64;

    fn set(&mut self, error: Error) {
        let thread = thread::current().id();
        self.0.retain(|(other, _)| *other != thread);
        if self.0.len() >= Self::MOST {
            self.0.remove(0);
        }
        self.0.push((thread, error));
    }

    fn of_this_thread(&self) -> Option<Error> {
        let thread = thread::current().id();
        self.0.iter().find(|(other, _)| *other == thread).map(|(_, error)| error.clone())
    }
}

impl btls_context {
    /// Hands one reference over to the caller.
    pub(super) fn leak(context: Context) -> *mut Self {
        Arc::into_raw(Arc::new(Self { context, references: AtomicUsize::new(1), errors: Mutex::default() })).cast_mut()
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    fn errors(&self) -> std::sync::MutexGuard<'_, Errors> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a call on a context; its error is kept there.
pub(super) fn guard_context(
    context: Option<&btls_context>,
    body: impl FnOnce(&Context) -> Result<btls_status>,
) -> btls_status {
    guard(Code::Panic.number(), || {
        let Some(context) = context else { return Code::NullPointer.number() };
        body(&context.context).unwrap_or_else(|error| {
            let status = error.code().number();
            context.errors().set(error);
            status
        })
    })
}

/// Takes another reference and returns the same pointer.
///
/// # Details
///
/// Connections keep the parts of a context that they need.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_ref(context: *mut btls_context) -> *mut btls_context {
    guard(ptr::null_mut(), || {
        if !context.is_null() {
            // SAFETY: the pointer came from `Arc::into_raw`, and the caller holds a reference, or is a callback that
            // the end of the context waits for.
            unsafe {
                Arc::increment_strong_count(context);
                (*context).references.fetch_add(1, Ordering::AcqRel);
            }
        }
        context
    })
}

/// Gives a reference back. The last one ends the context and waits for the thread of btls_context_start_maintenance,
/// which takes as long as a fetch in progress. The caller must not hold a lock that a callback takes.
///
/// # Details
///
/// The option "fetch-timeout-s" bounds a fetch. After the last reference, only connections that still exist call
/// callbacks, on the threads of their callers. When these are freed too, the library uses no `user` pointer any more. A
/// callback may give back the last reference: on the thread of maintenance, the call does not wait for itself, and no
/// other callback follows. In a child process (fork), the thread of the parent is not waited for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_free(context: *mut btls_context) {
    guard((), || {
        if !context.is_null() {
            // SAFETY: the pointer came from `Arc::into_raw`, and the caller gives up one reference.
            let context = unsafe { Arc::from_raw(context) };
            if context.references.fetch_sub(1, Ordering::AcqRel) == 1 {
                // Before the object goes: the callback that is waited for may use it.
                context.context.end_maintenance();
            }
        }
    });
}

/// Reads every source again, for new connections. On a failure, the context keeps what it had.
///
/// # Details
///
/// The call may wait: it reads files and may ask for passwords. Other threads make and use connections meanwhile. If
/// several threads reload at once, the newest content stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_reload(context: *mut btls_context) -> btls_status {
    guard_context(
        // SAFETY: the header asks for NULL or a context of which the caller holds a reference.
        unsafe { context.as_ref() },
        |context| {
            context.reload()?;
            DONE
        },
    )
}

/// Does the due work: fetches staples, lists and OCSP responses before they expire, and reports revoked peers. Gives
/// the milliseconds until the next call, at most 60,000.
///
/// # Details
///
/// A context with the option "fetch", "staple" or "sleep-after-s" needs it. The latter drops the keys of idle
/// connections, as btls_conn_sleep does. Staples are fetched by this function only. Without it,
/// handshakes wait for expired lists and responses. The call takes as long as its fetches, so do not make it on the
/// thread of an event loop. A failed fetch is not an error of the call; btls_context_revocation_sources reports it.
/// Earlier calls do no harm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_maintain(
    context: *mut btls_context,
    next_ms: Option<&mut MaybeUninit<u64>>,
) -> btls_status {
    guard_context(
        // SAFETY: the header asks for NULL or a context of which the caller holds a reference.
        unsafe { context.as_ref() },
        |context| {
            let out = required(next_ms, "next_ms")?;
            out.write(u64::try_from(context.maintain().as_millis()).unwrap_or(u64::MAX));
            DONE
        },
    )
}

/// Starts a thread that calls btls_context_maintain until the context ends, if there is none yet.
///
/// # Details
///
/// The thread calls it when it is due, until the last reference is given back. A second call of this function does
/// nothing.
///
/// Returns BTLS_INTERNAL if the system has no thread. Threads do not survive fork(2): a process that becomes a daemon
/// calls the function after that, even if it has called it before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_start_maintenance(context: *mut btls_context) -> btls_status {
    guard_context(
        // SAFETY: the header asks for NULL or a context of which the caller holds a reference.
        unsafe { context.as_ref() },
        |context| {
            context.start_maintenance()?;
            DONE
        },
    )
}

/// Returns a copy of the thread's last error on this context, or NULL. Free with btls_error_free.
///
/// # Details
///
/// The errors of the 64 threads that failed last are kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_error(context: Option<&btls_context>) -> *mut btls_error {
    guard(ptr::null_mut(), || {
        let error = context.and_then(|context| context.errors().of_this_thread());
        error.as_ref().map_or(ptr::null_mut(), hand_over)
    })
}

/// Gives the warnings of the last load. Free the list with btls_list_free.
///
/// # Details
///
/// Warnings are about own certificates that have expired, names that are not supported, and insecure settings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_warnings(
    context: Option<&btls_context>,
    warnings: Option<&mut MaybeUninit<*mut btls_list>>,
) -> btls_status {
    guard_context(context, |context| {
        let out = required(warnings, "warnings")?;
        let entries = context.warnings().iter().map(|warning| Entry::new(warning)).collect();
        out.write(btls_list::leak(entries));
        DONE
    })
}

/// Returns the number of peers with a part of the second engine, by its name ("TLSv1").
///
/// # Details
///
/// It counts from the build of the context on, reloads included. The names are "legacy-engine" for each client and
/// server of that engine, "pre-shared key", "TLSv1", "TLSv1.1", and those of the option legacy-allow, such as
/// "legacy-3des". It is 0 for any other name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_legacy_uses(context: Option<&btls_context>, name: *const c_char) -> u64 {
    guard(0, || {
        // SAFETY: the header asks for NULL or a text.
        let name = unsafe { optional_text("name", name) }.ok().flatten();
        let uses = context.map(|context| context.context().legacy_uses()).unwrap_or_default();
        uses.into_iter().find(|(known, _)| Some(*known) == name).map_or(0, |(_, count)| count)
    })
}

/// Gives the IANA names of the active cipher suites in order. Free with btls_list_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_cipher_suites(
    context: Option<&btls_context>,
    names: Option<&mut MaybeUninit<*mut btls_list>>,
) -> btls_status {
    guard_context(context, |context| {
        let out = required(names, "names")?;
        out.write(btls_list::leak(context.cipher_suites().into_iter().map(Entry::new).collect()));
        DONE
    })
}

/// Gives the configured names that are not supported, with reasons. Free with btls_list_free.
///
/// # Details
///
/// They are names of protocol versions, cipher suites and groups. The reason is the note of each.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_not_served(
    context: Option<&btls_context>,
    names: Option<&mut MaybeUninit<*mut btls_list>>,
) -> btls_status {
    guard_context(context, |context| {
        let out = required(names, "names")?;
        let lines = context.not_served();
        out.write(btls_list::leak(lines.iter().map(|line| Entry::with_note(&line.name, &line.reason)).collect()));
        DONE
    })
}
