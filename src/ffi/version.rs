//! The version of the library.

use std::ffi::{CStr, c_char};

use super::guard::guard;

/// The ABI of this header. A program is compiled again if btls_abi_version is another one.
pub const BTLS_ABI_VERSION: u32 = 0;

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("the version holds a NUL"),
};

/// Returns the ABI number of the library: the number in its SONAME.
#[unsafe(no_mangle)]
pub extern "C" fn btls_abi_version() -> u32 {
    guard(0, || BTLS_ABI_VERSION)
}

/// Returns the version of the library, e.g. "0.1.0". The text is constant.
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
