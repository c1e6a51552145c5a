//! Loads the library of the second engine: once for a path, never unloaded.

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::slice;
use std::sync::{Mutex, OnceLock, PoisonError};

use brokertls_legacy_abi::{ENTRY, Entry, SIZE, Table, VERSION};

use crate::error::{Code, Error, Result};

/// The file of the library.
const FILE: &str = "libbrokertls_legacy.so";

/// The oldest OpenSSL that is served.
const OLDEST_LIBRARY: u64 = 0x3000_0000;

/// The library that a package brings along, such as that of Java in its jar.
static BROUGHT: OnceLock<&'static Table> = OnceLock::new();

/// Returns the table of the library: of `path` if there is one, otherwise of the one that was brought along. Without
/// both, it is that of the first file of [`places`], or the one that the loader finds.
///
/// # Errors
/// `LEGACY_UNAVAILABLE`.
pub(super) fn table(path: Option<&Path>) -> Result<&'static Table> {
    match (path, BROUGHT.get()) {
        (Some(path), _) => known(path.to_path_buf()),
        (None, Some(table)) => Ok(table),
        (None, None) => known(places().into_iter().find(|file| file.is_file()).unwrap_or_else(|| PathBuf::from(FILE))),
    }
}

/// Makes this file the library of every context that names none. It may be deleted afterwards.
///
/// # Errors
/// `LEGACY_UNAVAILABLE`.
pub(crate) fn bring(path: &Path) -> Result<()> {
    let table = known(path.to_path_buf())?;
    BROUGHT.get_or_init(|| table);
    Ok(())
}

/// Returns true if a library was brought along.
pub(crate) fn is_brought() -> bool {
    BROUGHT.get().is_some()
}

/// Returns the table of the library at a path, which is loaded once.
fn known(path: PathBuf) -> Result<&'static Table> {
    static LOADED: Mutex<Option<HashMap<PathBuf, &'static Table>>> = Mutex::new(None);
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let loaded = loaded.get_or_insert_default();
    if let Some(table) = loaded.get(&path) {
        return Ok(table);
    }
    let table = load(&path)?;
    loaded.insert(path, table);
    Ok(table)
}

/// The files to look for: beside the library that this code is in. If the code is in a program, beside that, and in the
/// folder `lib` beside the folder of the program, where `make install` puts the library of the command.
fn places() -> Vec<PathBuf> {
    let code: fn() -> Vec<PathBuf> = places;
    // Its address is in the program, which the loader knows by the name of the call alone. The caller chooses that.
    let program = object_of(ptr::without_provenance(auxiliary(libc::AT_PHDR)));
    let files = match object_of(code as *const c_void) {
        Some((base, library)) if program.is_some_and(|(of_program, _)| of_program != base) => {
            library.parent().map(|folder| folder.join(FILE)).into_iter().collect()
        }
        _ => places_of_program(&std::env::current_exe().unwrap_or_default()),
    };
    // A relative path leads elsewhere from another working directory.
    files.into_iter().filter(|file| file.is_absolute()).collect()
}

fn places_of_program(program: &Path) -> Vec<PathBuf> {
    let folder = program.parent();
    let lib = folder.and_then(Path::parent).map(|above| above.join("lib"));
    folder.map(Path::to_path_buf).into_iter().chain(lib).map(|folder| folder.join(FILE)).collect()
}

/// A value that the kernel gives to the program, or 0.
#[allow(unsafe_code)]
fn auxiliary(kind: libc::c_ulong) -> usize {
    // SAFETY: the function takes any number.
    let value = unsafe { libc::getauxval(kind) };
    usize::try_from(value).unwrap_or_default()
}

/// Returns true if the system's loader has started the program: its headers name one. In other programs, a load of a
/// library can crash.
#[allow(unsafe_code)]
fn has_loader() -> bool {
    let (first, count) = (auxiliary(libc::AT_PHDR), auxiliary(libc::AT_PHNUM));
    if first == 0 {
        return false;
    }
    // SAFETY: the kernel gives the address and the number of the program's headers, which stay as they are.
    let headers = unsafe { slice::from_raw_parts(ptr::with_exposed_provenance::<libc::Elf64_Phdr>(first), count) };
    headers.iter().any(|header| header.p_type == libc::PT_INTERP)
}

/// The program or library at an address: its first address, and its file as the loader names it.
#[allow(unsafe_code)]
fn object_of(address: *const c_void) -> Option<(usize, PathBuf)> {
    // SAFETY: all zero is a valid value: pointers and numbers.
    let mut found: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: the structure is valid, and any address may be asked for.
    if unsafe { libc::dladdr(address, &mut found) } == 0 || found.dli_fname.is_null() {
        return None;
    }
    // SAFETY: dladdr gives a text that lives as long as the file is loaded: that of the program, or of this code.
    let file = unsafe { CStr::from_ptr(found.dli_fname) };
    Some((found.dli_fbase.addr(), PathBuf::from(std::ffi::OsStr::from_bytes(file.to_bytes()))))
}

fn unavailable(path: &Path, why: &str) -> Error {
    Error::new(Code::LegacyUnavailable, why).at(path.display())
}

/// Functions of each part of OpenSSL. A program may export some of them alone.
const PROBES: [&CStr; 6] =
    [c"SSL_CTX_new", c"EVP_PKEY_new", c"X509_free", c"BIO_new", c"ERR_clear_error", c"CRYPTO_free"];

/// glibc's flag of a load by which a library calls into its own libraries before those of the program. musl has none.
const DEEPBIND: Option<i32> = {
    #[cfg(target_env = "gnu")]
    let flag = Some(libc::RTLD_DEEPBIND);
    #[cfg(not(target_env = "gnu"))]
    let flag = None;
    flag
};

/// The flags of a load.
///
/// A program that has OpenSSL in itself, such as Node, may export its functions. Without [`DEEPBIND`], the OpenSSL of
/// the second engine would then call into that of the program. Other programs need it not, and the address sanitizer
/// refuses it. OpenSSL's own shared libraries have versions at their functions, so that each caller finds those of its
/// release.
fn flags() -> i32 {
    let is_exported = |name: &CStr| {
        let function = function_of(libc::RTLD_DEFAULT, name);
        !function.is_null() && !object_of(function).is_some_and(|(_, file)| has_versions(&file))
    };
    let local = libc::RTLD_NOW | libc::RTLD_LOCAL;
    if PROBES.into_iter().any(is_exported) { local | DEEPBIND.unwrap_or_default() } else { local }
}

/// Returns true if the program's function of this name has taken the place of that of a library, for a loader that
/// knows neither [`DEEPBIND`] nor versions.
fn is_taken_by_the_program(library: *mut c_void, name: &CStr) -> bool {
    let function = function_of(libc::RTLD_DEFAULT, name);
    !function.is_null() && function != function_of(library, name)
}

/// Returns a function of a library or of what it was linked with, or null.
#[allow(unsafe_code)]
fn function_of(library: *mut c_void, name: &CStr) -> *mut c_void {
    // SAFETY: the library is loaded and never unloaded, and the name is a text.
    unsafe { libc::dlsym(library, name.as_ptr()) }
}

/// Returns true for the name of a shared library of OpenSSL 3 or 4.
fn has_versions(file: &Path) -> bool {
    const NAMES: [&str; 4] = ["libssl.so.3", "libcrypto.so.3", "libssl.so.4", "libcrypto.so.4"];
    file.file_name().is_some_and(|name| NAMES.into_iter().any(|known| name == known))
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
    if !has_loader() {
        return Err(unavailable(path, "the program is linked with -static, and such a program loads no libraries"));
    }
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| unavailable(path, "a zero byte in its path"))?;
    // SAFETY: the name is a text. The library starts nothing when it is loaded.
    let library = unsafe { libc::dlopen(name.as_ptr(), flags()) };
    if library.is_null() {
        return Err(unavailable(path, &reason()));
    }
    if DEEPBIND.is_none() && PROBES.into_iter().any(|name| is_taken_by_the_program(library, name)) {
        return Err(unavailable(path, "the program exports another OpenSSL, and musl cannot keep the two apart"));
    }
    let entry = function_of(library, ENTRY);
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
    fn library_is_looked_for_beside_a_program_and_in_lib_beside_its_folder() {
        let expected = ["/opt/x/bin/libbrokertls_legacy.so", "/opt/x/lib/libbrokertls_legacy.so"];
        assert_eq!(places_of_program(Path::new("/opt/x/bin/brokertls")), expected.map(PathBuf::from));
        assert!(places_of_program(Path::new("")).is_empty());
    }

    #[test]
    fn places_of_code_in_a_program_are_those_of_its_file_and_not_of_the_name_it_was_called_by() {
        let program = std::env::current_exe().unwrap();
        assert_eq!(places(), places_of_program(&program));
        assert!(places().iter().all(|place| place.is_absolute()));
    }

    #[test]
    fn libraries_of_openssl_have_versions_and_programs_that_contain_it_have_none() {
        for (file, expected) in [
            ("/usr/lib/x86_64-linux-gnu/libssl.so.3", true),
            ("/opt/openssl4/lib64/libcrypto.so.4", true),
            ("/usr/lib/libssl.so.1.1", false),
            ("/opt/boringssl/libssl.so", false),
            ("/usr/bin/node", false),
            ("", false),
        ] {
            assert_eq!(has_versions(Path::new(file)), expected, "{file}");
        }
    }

    #[test]
    #[allow(unsafe_code)]
    fn function_of_the_program_is_told_from_that_of_a_library() {
        let load = |name: &CStr| {
            // SAFETY: the name is a text, and the library starts nothing.
            unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) }
        };
        let (own, foreign) = (load(c"libc.so.6"), load(c"libssl.so.3"));
        assert!(!own.is_null() && !foreign.is_null(), "{}", reason());
        // Both have it from the C library.
        assert!(!is_taken_by_the_program(foreign, c"malloc"));
        // The program has none.
        assert!(!is_taken_by_the_program(foreign, c"SSL_CTX_new") && !function_of(foreign, c"SSL_CTX_new").is_null());
        // The program has one, and it is not that of the library.
        assert!(is_taken_by_the_program(own, c"_Unwind_Resume"));
    }

    #[test]
    fn library_that_is_not_there_is_not_brought_along() {
        let error = bring(Path::new("/nonexistent/libbrokertls_legacy.so")).unwrap_err();
        assert_eq!(error.code(), Code::LegacyUnavailable);
        assert!(!is_brought());
    }
}
