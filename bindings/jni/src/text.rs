//! Strings and arrays between Java and Rust.

use std::sync::{PoisonError, RwLock};

use jni::Env;
use jni::objects::{JByteArray, JIntArray, JObjectArray, JString};
use jni::refs::Global;
use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use crate::guard::Outcome;

/// A Java `byte[][]`.
pub(crate) type ByteArrays<'local> = JObjectArray<'local, JByteArray<'local>>;
/// A Java `String[]`.
pub(crate) type Strings<'local> = JObjectArray<'local, JString<'local>>;

pub(crate) fn text(env: &Env<'_>, string: &JString<'_>) -> Outcome<String> {
    Ok(string.try_to_string(env)?)
}

pub(crate) fn text_or_none(env: &Env<'_>, string: &JString<'_>) -> Outcome<Option<String>> {
    (!string.as_raw().is_null()).then(|| text(env, string)).transpose()
}

/// Copies the elements of a `String[]`.
pub(crate) fn texts(env: &mut Env<'_>, strings: &Strings<'_>) -> Outcome<Vec<String>> {
    let length = strings.len(env)?;
    let mut found = Vec::with_capacity(length);
    for index in 0..length {
        let element = strings.get_element(env, index)?;
        found.push(text(env, &element)?);
        env.delete_local_ref(element);
    }
    Ok(found)
}

/// Copies the bytes; the copy is wiped when dropped, because most arrays hold stores, keys or passwords.
pub(crate) fn bytes(env: &Env<'_>, array: &JByteArray<'_>) -> Outcome<Zeroizing<Vec<u8>>> {
    Ok(Zeroizing::new(env.convert_byte_array(array)?))
}

pub(crate) fn bytes_or_none(env: &Env<'_>, array: &JByteArray<'_>) -> Outcome<Option<Zeroizing<Vec<u8>>>> {
    (!array.as_raw().is_null()).then(|| bytes(env, array)).transpose()
}

/// Copies the elements of a `byte[][]`.
pub(crate) fn byte_arrays(env: &mut Env<'_>, arrays: &ByteArrays<'_>) -> Outcome<Vec<Vec<u8>>> {
    let length = arrays.len(env)?;
    let mut found = Vec::with_capacity(length);
    for index in 0..length {
        let element = arrays.get_element(env, index)?;
        found.push(env.convert_byte_array(&element)?);
        env.delete_local_ref(element);
    }
    Ok(found)
}

pub(crate) fn certificates(env: &mut Env<'_>, arrays: &ByteArrays<'_>) -> Outcome<Vec<CertificateDer<'static>>> {
    Ok(byte_arrays(env, arrays)?.into_iter().map(CertificateDer::from).collect())
}

pub(crate) fn ints(env: &Env<'_>, array: &JIntArray<'_>) -> Outcome<Vec<i32>> {
    let mut found = vec![0; array.len(env)?];
    array.get_region(env, 0, &mut found)?;
    Ok(found)
}

pub(crate) fn java_bytes<'local>(env: &mut Env<'local>, bytes: &[u8]) -> Outcome<JByteArray<'local>> {
    Ok(env.byte_array_from_slice(bytes)?)
}

pub(crate) fn java_byte_arrays<'local>(
    env: &mut Env<'local>,
    all: impl ExactSizeIterator<Item = impl AsRef<[u8]>>,
) -> Outcome<ByteArrays<'local>> {
    let array = ByteArrays::new(env, all.len(), JByteArray::null())?;
    for (index, bytes) in all.enumerate() {
        let bytes = env.byte_array_from_slice(bytes.as_ref())?;
        array.set_element(env, index, &bytes)?;
        env.delete_local_ref(bytes);
    }
    Ok(array)
}

/// Makes a `byte[][]`; `None` becomes null.
pub(crate) fn java_byte_arrays_or_null<'local>(
    env: &mut Env<'local>,
    all: impl ExactSizeIterator<Item = Option<impl AsRef<[u8]>>>,
) -> Outcome<ByteArrays<'local>> {
    let array = ByteArrays::new(env, all.len(), JByteArray::null())?;
    for (index, bytes) in all.enumerate() {
        let Some(bytes) = bytes else { continue };
        let bytes = env.byte_array_from_slice(bytes.as_ref())?;
        array.set_element(env, index, &bytes)?;
        env.delete_local_ref(bytes);
    }
    Ok(array)
}

/// Makes a `String[]`; `None` becomes null.
pub(crate) fn java_strings<'local>(
    env: &mut Env<'local>,
    all: impl ExactSizeIterator<Item = Option<impl AsRef<str>>>,
) -> Outcome<Strings<'local>> {
    let array = Strings::new(env, all.len(), JString::null())?;
    for (index, text) in all.enumerate() {
        let Some(text) = text else { continue };
        let text = JString::from_str(env, text.as_ref())?;
        array.set_element(env, index, &text)?;
        env.delete_local_ref(text);
    }
    Ok(array)
}

/// The Java strings of names that the program has from its start, made once.
static NAMES: RwLock<Vec<(&'static str, Global<JString<'static>>)>> = RwLock::new(Vec::new());

/// Puts a name into a `String[]`: the same object each time.
pub(crate) fn set_name(env: &mut Env<'_>, array: &Strings<'_>, index: usize, name: &'static str) -> Outcome<()> {
    let names = NAMES.read().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, known)) = names.iter().find(|(known, _)| *known == name) {
        return Ok(array.set_element(env, index, known)?);
    }
    drop(names);
    let made = JString::from_str(env, name)?;
    array.set_element(env, index, &made)?;
    let made = env.new_global_ref(made)?;
    let mut names = NAMES.write().unwrap_or_else(PoisonError::into_inner);
    if names.iter().all(|(known, _)| *known != name) {
        names.push((name, made));
    }
    Ok(())
}

/// Returns a text with one character for each byte.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
