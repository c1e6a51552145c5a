//! Which library this is.

use std::ffi::{CStr, c_char};

use super::guard::guard;

/// The number of the ABI, the same as in the library's SONAME. It changes when a program has to be compiled anew.
const ABI: u32 = 0;

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("the version holds a NUL"),
};

/// The number of the ABI that this library has, the same as in its SONAME.
///
/// May be called from any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn btls_abi_version() -> u32 {
    guard(0, || ABI)
}

/// The version of this library as text, e.g. "0.1.0".
///
/// The text is constant: it is never freed. May be called from any thread at any time.
#[unsafe(no_mangle)]
pub extern "C" fn btls_version() -> *const c_char {
    guard(std::ptr::null(), || VERSION.as_ptr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_that_of_the_package() {
        assert_eq!(VERSION.to_str(), Ok(env!("CARGO_PKG_VERSION")));
    }
}
