//! Loads the library of the second engine: once for a path, never unloaded.

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use brokertls_legacy_abi::{ENTRY, Entry, SIZE, Table, VERSION};

use crate::error::{Code, Error, Result};

/// The file of the library.
const FILE: &str = "libbrokertls_legacy.so";

/// The oldest OpenSSL that is served.
const OLDEST_LIBRARY: u64 = 0x3000_0000;

/// Returns the table of the library: of `path` if there is one, otherwise of the file beside this library, otherwise of
/// the one that the loader finds.
///
/// # Errors
/// `LEGACY_UNAVAILABLE`.
pub(super) fn table(path: Option<&Path>) -> Result<&'static Table> {
    static LOADED: Mutex<Option<HashMap<PathBuf, &'static Table>>> = Mutex::new(None);
    let beside = || beside_us().map(|folder| folder.join(FILE)).filter(|file| file.is_file());
    let path = path.map(Path::to_path_buf).or_else(beside).unwrap_or_else(|| PathBuf::from(FILE));
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let loaded = loaded.get_or_insert_default();
    if let Some(table) = loaded.get(&path) {
        return Ok(table);
    }
    let table = load(&path)?;
    loaded.insert(path, table);
    Ok(table)
}

fn unavailable(path: &Path, why: &str) -> Error {
    Error::new(Code::LegacyUnavailable, why).at(path.display())
}

/// The folder of the file that this code is in.
#[allow(unsafe_code)]
fn beside_us() -> Option<PathBuf> {
    // SAFETY: all zero is a valid value: pointers and numbers.
    let mut found: libc::Dl_info = unsafe { std::mem::zeroed() };
    let here: fn() -> Option<PathBuf> = beside_us;
    // SAFETY: the structure is valid, and any address may be asked for.
    if unsafe { libc::dladdr(here as *const c_void, &mut found) } == 0 || found.dli_fname.is_null() {
        return None;
    }
    // SAFETY: dladdr gives a text that lives as long as the file is loaded, which is as long as this code runs.
    let file = unsafe { CStr::from_ptr(found.dli_fname) };
    folder_of(Path::new(std::ffi::OsStr::from_bytes(file.to_bytes())))
}

/// The folder of a file, or that of the program. A program without shared libraries gives the name that it was started
/// by, and the present folder may be anybody's.
fn folder_of(file: &Path) -> Option<PathBuf> {
    let file = if file.is_absolute() { file.to_path_buf() } else { std::env::current_exe().ok()? };
    file.parent().filter(|folder| folder.is_absolute()).map(Path::to_path_buf)
}

/// Functions of each part of OpenSSL. A program may export some of them alone.
const PROBES: [&CStr; 6] =
    [c"SSL_CTX_new", c"EVP_PKEY_new", c"X509_free", c"BIO_new", c"ERR_clear_error", c"CRYPTO_free"];

/// The flags of a load.
///
/// A program that has OpenSSL in itself, such as Node, may export its functions. Without `RTLD_DEEPBIND`, the
/// OpenSSL of the second engine would then call into that of the program. Other programs need it not, and the
/// address sanitizer refuses it.
#[allow(unsafe_code)]
fn flags() -> i32 {
    // SAFETY: the name is a text, and the result is only compared.
    let is_exported = |name: &CStr| !unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }.is_null();
    let local = libc::RTLD_NOW | libc::RTLD_LOCAL;
    if PROBES.into_iter().any(is_exported) { local | libc::RTLD_DEEPBIND } else { local }
}

/// The words of the loader for its last failure on this thread.
#[allow(unsafe_code)]
fn reason() -> String {
    // SAFETY: the text lives until the next call of the loader on this thread, and is copied before.
    let text = unsafe {
        let text = libc::dlerror();
        if text.is_null() { c"" } else { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    };
    if text.is_empty() { "it cannot be loaded".to_owned() } else { text }
}

#[allow(unsafe_code)]
fn load(path: &Path) -> Result<&'static Table> {
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| unavailable(path, "a zero byte in its path"))?;
    // SAFETY: the name is a text. The library starts nothing when it is loaded.
    let library = unsafe { libc::dlopen(name.as_ptr(), flags()) };
    if library.is_null() {
        return Err(unavailable(path, &reason()));
    }
    // SAFETY: the library is loaded, and the name is a text.
    let entry = unsafe { libc::dlsym(library, ENTRY.as_ptr()) };
    if entry.is_null() {
        return Err(unavailable(path, "it is another library"));
    }
    // SAFETY: the function of this name has this type in every version.
    let table = unsafe { std::mem::transmute::<*mut c_void, Entry>(entry)() };
    // SAFETY: the table lives as long as the library, which is never unloaded. Its first two fields are the same in
    // every version.
    let (version, size) = unsafe { (*table.cast::<u32>(), *table.cast::<u32>().add(1)) };
    if version != VERSION || size != SIZE {
        return Err(unavailable(path, "it is of another release"));
    }
    // SAFETY: the version and the size are those of this structure.
    let table: &'static Table = unsafe { &*table };
    // SAFETY: the function takes nothing.
    match unsafe { (table.library_version)() } {
        OLDEST_LIBRARY.. => Ok(table),
        _ => Err(unavailable(path, "its OpenSSL is older than 3.0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn library_is_looked_for_beside_this_one_or_the_program_and_never_in_the_present_folder() {
        assert_eq!(folder_of(Path::new("/usr/lib/libbrokertls.so")), Some(PathBuf::from("/usr/lib")));
        let program = std::env::current_exe().unwrap();
        for name in ["brokertls", "./brokertls", "../bin/brokertls", ""] {
            assert_eq!(folder_of(Path::new(name)).as_deref(), program.parent(), "{name}");
        }
    }
}
