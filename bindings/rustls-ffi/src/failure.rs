//! The error of a connection of rustls-ffi.

use brokertls::bridge::take_refusal;
use brokertls::{Code, Error};
use rustls_ffi::connection::rustls_connection;
use rustls_ffi::rustls_result;

use crate::result::{error_of, is_of};

/// The error of a connection that has failed; none if it has not. A failed connection gives its result again.
pub(crate) fn of(connection: *mut rustls_connection) -> Option<Error> {
    if connection.is_null() {
        return Some(Error::new(Code::NullPointer, "connection"));
    }
    let result = rustls_connection::rustls_connection_process_new_packets(connection);
    if matches!(result, rustls_result::Ok) {
        return None;
    }
    let refusal = take_refusal().filter(|refusal| is_of(&refusal.given, result as u32));
    Some(refusal.map_or_else(|| error_of(result), |refusal| refusal.error))
}
