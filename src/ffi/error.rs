//! The texts of an error and of a status.

use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use crate::error::{Category, Code};

use super::arguments::c_string;
use super::btls_status;
use super::guard::guard;
use super::last_error::btls_error;

/// The subject of a status. Branch on it: later versions add statuses, not categories.
pub type btls_category = i32;

/// No error. The caller does what the status asks for.
pub const BTLS_CATEGORY_PROGRESS: btls_category = 0;
/// The call or the configuration is wrong.
pub const BTLS_CATEGORY_USAGE: btls_category = 1;
/// A file or store of keys or certificates cannot be used.
pub const BTLS_CATEGORY_KEYSTORE: btls_category = 2;
/// The peer's certificate was refused.
pub const BTLS_CATEGORY_CERTIFICATE: btls_category = 3;
/// The peer's revocation status is bad or unknown.
pub const BTLS_CATEGORY_REVOCATION: btls_category = 4;
/// The peer broke the protocol, or nothing in common.
pub const BTLS_CATEGORY_PROTOCOL: btls_category = 5;
/// The operating system reported an error.
pub const BTLS_CATEGORY_IO: btls_category = 7;
/// A defect in the library.
pub const BTLS_CATEGORY_INTERNAL: btls_category = 9;
/// The peer ended the connection with an alert.
pub const BTLS_CATEGORY_ALERT: btls_category = 10;
/// A number that is no status of this version.
pub const BTLS_CATEGORY_UNKNOWN: btls_category = -1;

/// The texts of a row of the table, ended as C wants them.
struct Row {
    code: Code,
    name: CString,
    message: CString,
    hint: CString,
}

/// The row of a status.
fn row(status: btls_status) -> Option<&'static Row> {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    let rows = ROWS.get_or_init(|| {
        let row = |code: &Code| Row {
            code: *code,
            name: c_string(&format!("BTLS_{}", code.name())),
            message: c_string(code.message()),
            hint: c_string(code.hint()),
        };
        Code::ALL.iter().map(row).collect()
    });
    rows.binary_search_by_key(&status, |row| row.code.number()).ok().and_then(|index| rows.get(index))
}

fn category(code: Code) -> btls_category {
    match code.category() {
        Category::Progress => BTLS_CATEGORY_PROGRESS,
        Category::Usage => BTLS_CATEGORY_USAGE,
        Category::Keystore => BTLS_CATEGORY_KEYSTORE,
        Category::Certificate => BTLS_CATEGORY_CERTIFICATE,
        Category::Revocation => BTLS_CATEGORY_REVOCATION,
        Category::Protocol => BTLS_CATEGORY_PROTOCOL,
        Category::Io => BTLS_CATEGORY_IO,
        Category::Internal => BTLS_CATEGORY_INTERNAL,
        Category::Alert => BTLS_CATEGORY_ALERT,
    }
}

/// Returns the name of a status, e.g. "BTLS_CERT_EXPIRED", or "BTLS_UNKNOWN"; constant.
#[unsafe(no_mangle)]
pub extern "C" fn btls_status_name(status: btls_status) -> *const c_char {
    guard(c"BTLS_UNKNOWN".as_ptr(), || row(status).map_or(c"BTLS_UNKNOWN", |row| row.name.as_c_str()).as_ptr())
}

/// Returns the meaning of a status: a clause without a full stop; constant.
///
/// # Details
///
/// An example is "the peer certificate has expired". btls_error_message adds the details of a failed call.
#[unsafe(no_mangle)]
pub extern "C" fn btls_status_message(status: btls_status) -> *const c_char {
    guard(c"".as_ptr(), || row(status).map_or(c"no status of this version", |row| row.message.as_c_str()).as_ptr())
}

/// Returns a sentence that says what to do, or an empty text; constant.
#[unsafe(no_mangle)]
pub extern "C" fn btls_status_hint(status: btls_status) -> *const c_char {
    guard(c"".as_ptr(), || row(status).map_or(c"", |row| row.hint.as_c_str()).as_ptr())
}

/// Returns the category of a status.
#[unsafe(no_mangle)]
pub extern "C" fn btls_status_category(status: btls_status) -> btls_category {
    guard(BTLS_CATEGORY_UNKNOWN, || row(status).map_or(BTLS_CATEGORY_UNKNOWN, |row| category(row.code)))
}

/// Returns the status of an error, or BTLS_OK for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_error_code(error: Option<&btls_error>) -> btls_status {
    guard(Code::Panic.number(), || error.map_or(0, btls_error::code))
}

/// Returns the name of the status, e.g. "BTLS_CERT_EXPIRED". The text is constant.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_error_name(error: Option<&btls_error>) -> *const c_char {
    guard(c"".as_ptr(), || row(error.map_or(0, btls_error::code)).map_or(c"", |row| row.name.as_c_str()).as_ptr())
}

/// Returns the meaning of the status, then the file, alias or certificate and its fault.
///
/// # Details
///
/// The text is a clause without a full stop. It is empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_error_message(error: Option<&btls_error>) -> *const c_char {
    guard(c"".as_ptr(), || error.map_or(c"", btls_error::message).as_ptr())
}

/// Returns a sentence that says what to do; empty if there is no advice, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_error_hint(error: Option<&btls_error>) -> *const c_char {
    guard(c"".as_ptr(), || error.map_or(c"", btls_error::hint).as_ptr())
}

/// Returns the TLS alert that was received, or the one that goes with the status, or -1.
///
/// # Details
///
/// The numbers are those of RFC 8446 section 6. It is the received alert if the status is above 1000, and otherwise the
/// alert that TLS 1.3 has for the status. TLS 1.2 has fewer: the peer is sent handshake_failure (40) instead of
/// certificate_required (116).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_error_alert(error: Option<&btls_error>) -> i32 {
    guard(-1, || error.map_or(-1, btls_error::alert))
}

/// Returns the category of an error, or BTLS_CATEGORY_PROGRESS for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_error_category(error: Option<&btls_error>) -> btls_category {
    guard(BTLS_CATEGORY_INTERNAL, || error.map_or(BTLS_CATEGORY_PROGRESS, |error| category(error.error.code())))
}

/// Frees an error that the caller owns. A builder and a connection free theirs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_error_free(error: Option<Box<btls_error>>) {
    guard((), || drop(error));
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    fn text(pointer: *const c_char) -> &'static str {
        // SAFETY: the functions under test give constant texts.
        unsafe { CStr::from_ptr(pointer) }.to_str().unwrap()
    }

    #[test]
    fn every_code_has_its_name_message_and_category() {
        for code in Code::ALL {
            assert_eq!(text(btls_status_name(code.number())), format!("BTLS_{}", code.name()));
            assert_eq!(text(btls_status_message(code.number())), code.message());
            assert_eq!(text(btls_status_hint(code.number())), code.hint());
            assert_eq!(btls_status_category(code.number()), (code.number() / 100).min(BTLS_CATEGORY_ALERT));
        }
    }

    #[test]
    fn number_of_no_code_is_named_unknown() {
        for number in [-1, 5, 999, 1256, i32::MIN, i32::MAX] {
            assert_eq!(text(btls_status_name(number)), "BTLS_UNKNOWN");
            assert_eq!(btls_status_category(number), BTLS_CATEGORY_UNKNOWN);
        }
    }

    #[test]
    fn alert_is_the_one_sent_or_the_one_received() {
        let alert = |code: Code| btls_error::new(code.into()).alert();
        assert_eq!(alert(Code::CertExpired), 45);
        assert_eq!(alert(Code::AlertUnknownCa), 48);
        assert_eq!(alert(Code::AlertOther), -1);
        assert_eq!(alert(Code::Truncated), -1);
    }
}
