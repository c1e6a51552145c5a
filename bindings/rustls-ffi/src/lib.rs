//! The functions of the C API and of rustls-ffi in one library, and those that lead from a context to connections of
//! rustls-ffi.
//!
//! A configuration of rustls-ffi is a counted pointer to one of rustls. Both are of the same version here, so that the
//! configuration of a context is one for rustls-ffi too.
#![allow(unsafe_code, reason = "entry points take raw pointers; every block says why it is sound")]
#![allow(non_camel_case_types, reason = "the names are those of the C header")]

mod failure;
mod result;

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use brokertls::bridge::RustlsFetch;
use brokertls::ffi::beside::{btls_context, btls_error, give_error, with_context};
use brokertls::{Code, Context, Error, Result};
use rustls_ffi::client::rustls_client_config;
use rustls_ffi::connection::rustls_connection;
use rustls_ffi::server::rustls_server_config;

/// A status of the C API.
type btls_status = i32;

/// A place that the caller lets us write to; none for NULL.
type Out<'a, T> = Option<&'a mut MaybeUninit<T>>;

/// Hands a reference to a configuration over to the caller.
fn give<T, Config>(out: Out<'_, *const T>, make: impl FnOnce() -> Result<Arc<Config>>) -> Result<()> {
    let out = out.ok_or_else(|| Error::new(Code::NullPointer, "config"))?;
    out.write(Arc::into_raw(make()?).cast());
    Ok(())
}

/// Gives the configuration of a server for connections of rustls-ffi.
///
/// # Safety
/// As the header says, here and below: pointers are valid or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_rustls_server_config(
    context: *const btls_context,
    config: Out<'_, *const rustls_server_config>,
) -> btls_status {
    let make = |context: &Context| give(config, || context.rustls_server_config(RustlsFetch::Refused));
    // SAFETY: the header asks for it.
    unsafe { with_context(context, make) }
}

/// Gives the configuration of a server that checks revocation by what is known.
///
/// # Safety
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_rustls_server_config_known_only(
    context: *const btls_context,
    config: Out<'_, *const rustls_server_config>,
) -> btls_status {
    let make = |context: &Context| give(config, || context.rustls_server_config(RustlsFetch::KnownOnly));
    // SAFETY: the header asks for it.
    unsafe { with_context(context, make) }
}

/// Gives the configuration of a client for connections of rustls-ffi.
///
/// # Safety
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_rustls_client_config(
    context: *const btls_context,
    config: Out<'_, *const rustls_client_config>,
) -> btls_status {
    let make = |context: &Context| give(config, || context.rustls_client_config(RustlsFetch::Refused));
    // SAFETY: the header asks for it.
    unsafe { with_context(context, make) }
}

/// Gives the configuration of a client that checks revocation by what is known.
///
/// # Safety
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_rustls_client_config_known_only(
    context: *const btls_context,
    config: Out<'_, *const rustls_client_config>,
) -> btls_status {
    let make = |context: &Context| give(config, || context.rustls_client_config(RustlsFetch::KnownOnly));
    // SAFETY: the header asks for it.
    unsafe { with_context(context, make) }
}

/// Gives the number of the generation in use.
///
/// # Safety
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_context_generation(
    context: *const btls_context,
    generation: Out<'_, u64>,
) -> btls_status {
    let read = |context: &Context| {
        generation.ok_or_else(|| Error::new(Code::NullPointer, "generation"))?.write(context.generation_number());
        Ok(())
    };
    // SAFETY: the header asks for it.
    unsafe { with_context(context, read) }
}

/// Gives the error of a connection that has failed.
///
/// # Safety
/// As above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_rustls_error(
    connection: *mut rustls_connection,
    error: Out<'_, *mut btls_error>,
) -> btls_status {
    let told = || give_error(failure::of(connection).as_ref(), error);
    catch_unwind(AssertUnwindSafe(told)).unwrap_or_else(|panic| {
        // Dropping it could panic again.
        std::mem::forget(panic);
        Code::Panic.number()
    })
}
