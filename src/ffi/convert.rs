//! Conversion of stores.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use crate::config::Source;
use crate::convert::{CONVERT_OPTIONS, Conversion, Converted};
use crate::keystore::Secret;

use super::arguments::{bytes, path, required, text};
use super::guard::{Exclusive, Handle, Object, guard, guard_error, guard_free, guard_object, guard_status, object};
use super::last_error::btls_error;
use super::list::{Entry, btls_list};
use super::{DONE, btls_status};

/// The settings of a conversion, and its last result. One thread at a time uses it.
pub struct btls_conversion(Exclusive<Held>);

/// The guarded value.
pub struct Held {
    settings: Conversion,
    content: Secret,
}

impl Object for btls_conversion {
    type Value = Held;

    fn cell(&self) -> &Exclusive<Held> {
        &self.0
    }
}

/// Makes a conversion without settings. NULL only after a defect in the library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conversion_new() -> *mut btls_conversion {
    guard(std::ptr::null_mut(), || {
        let held = Held { settings: Conversion::new(), content: Secret::default() };
        Handle::leak(btls_conversion(Exclusive::new(held)))
    })
}

/// Frees a conversion, and wipes its passwords and its content.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conversion_free(conversion: *mut btls_conversion) {
    guard_free(object!(conversion));
}

/// Returns the error of the last failed call on this conversion, valid until the next one, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conversion_error(conversion: *const btls_conversion) -> *const btls_error {
    guard_error(object!(conversion))
}

/// Sets an option by its name, as the flag of `brokertls convert`: "to", "alias", "out-password". Returns
/// BTLS_UNKNOWN_OPTION with the nearest names.
///
/// # Details
///
/// "alias" given again selects another entry as well, and "key-password" given again adds a password that is tried.
/// Every other option given again replaces its value. Passwords have the forms pass:TEXT, env:VARIABLE and file:PATH.
/// The forms stdin and fd:NUMBER are of the command alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conversion_set(
    conversion: *mut btls_conversion,
    option: *const c_char,
    value: *const c_char,
) -> btls_status {
    guard_object(object!(conversion), |held| {
        // SAFETY: the header asks for NULL or text.
        let (option, value) = unsafe { (text("option", option)?, text("value", value)?) };
        held.settings.set(option, value)?;
        DONE
    })
}

/// Gives the names of the options of a conversion, with descriptions as notes. Free with btls_list_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conversion_options(options: Option<&mut MaybeUninit<*mut btls_list>>) -> btls_status {
    guard_status(|| {
        let out = required(options, "options")?;
        out.write(btls_list::leak(CONVERT_OPTIONS.iter().map(|row| Entry::with_note(row.name, row.help)).collect()));
        DONE
    })
}

/// Converts the file `source` into the new file `destination`, which only its owner can read. It is written whole or
/// not at all.
///
/// `entries` has a line for each entry that was written, and `warnings` what is not in the output. Both may be NULL.
/// Free each with btls_list_free.
///
/// # Details
///
/// Without the option "to", the ending of the name of `destination` is its format. An existing file is replaced only
/// with the option "force", and a symbolic link never.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_store_convert(
    conversion: *mut btls_conversion,
    source: *const c_char,
    destination: *const c_char,
    entries: Option<&mut MaybeUninit<*mut btls_list>>,
    warnings: Option<&mut MaybeUninit<*mut btls_list>>,
) -> btls_status {
    guard_object(object!(conversion), |held| {
        // SAFETY: the header asks for NULL or text.
        let (source, destination) = unsafe { (path("source", source)?, path("destination", destination)?) };
        let converted = held.settings.convert_to_file(&Source::file(source), destination)?;
        report(&converted, entries, warnings);
        DONE
    })
}

/// Converts bytes, which messages call `label`. `content` is valid until the next conversion with the object, or until
/// it is freed, and is wiped then.
///
/// The option "to" must be set. `entries` and `warnings` are as in btls_store_convert.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_store_convert_memory(
    conversion: *mut btls_conversion,
    label: *const c_char,
    data: *const c_void,
    length: usize,
    content: Option<&mut MaybeUninit<*const c_void>>,
    content_length: Option<&mut MaybeUninit<usize>>,
    entries: Option<&mut MaybeUninit<*mut btls_list>>,
    warnings: Option<&mut MaybeUninit<*mut btls_list>>,
) -> btls_status {
    guard_object(object!(conversion), |held| {
        let (content, content_length) = (required(content, "content")?, required(content_length, "content_length")?);
        // SAFETY: the header asks for text and as many bytes as the call says.
        let (label, data) = unsafe { (text("label", label)?, bytes("data", data, length)?) };
        let converted = held.settings.convert(&Source::memory(label, data))?;
        report(&converted, entries, warnings);
        held.content = converted.content;
        content.write(held.content.reveal().as_ptr().cast());
        content_length.write(held.content.reveal().len());
        DONE
    })
}

/// Gives the lists that the caller wants.
fn report(
    converted: &Converted,
    entries: Option<&mut MaybeUninit<*mut btls_list>>,
    warnings: Option<&mut MaybeUninit<*mut btls_list>>,
) {
    if let Some(out) = entries {
        let lines = converted.entries.iter();
        let named = lines.map(|entry| Entry::with_note(entry.alias.as_deref().unwrap_or_default(), &entry.line()));
        out.write(btls_list::leak(named.collect()));
    }
    if let Some(out) = warnings {
        out.write(btls_list::leak(converted.warnings.iter().map(|warning| Entry::new(warning)).collect()));
    }
}
