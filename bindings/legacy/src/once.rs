//! Values of OpenSSL that the process makes once, at their first use, and that can fail to be made.

use std::sync::OnceLock;

use openssl::error::ErrorStack;

/// Returns the value, made unless it is there. If two threads make it at once, one is kept.
///
/// # Errors
/// That of `make`. The next call makes it again.
pub(crate) fn made_once<T>(
    place: &'static OnceLock<T>,
    make: impl FnOnce() -> Result<T, ErrorStack>,
) -> Result<&'static T, ErrorStack> {
    match place.get() {
        Some(value) => Ok(value),
        None => {
            let made = make()?;
            Ok(place.get_or_init(|| made))
        }
    }
}
