//! `NativeConversion`: conversion of a store in one call.
#![allow(unsafe_code, reason = "exported functions need an unsafe attribute; nothing else here does")]

use std::path::Path;

use brokertls::convert::{CONVERT_OPTIONS, Conversion, Converted};
use brokertls::keystore::Password;
use jni::EnvUnowned;
use jni::objects::{JClass, JObject, JString};
use zeroize::Zeroizing;

use crate::file::source as source_of;
use crate::guard::{Raised, guard};
use crate::password::password;
use crate::text::{ByteArrays, Strings, java_byte_arrays_or_null, java_strings, text, text_or_none, texts};

/// Returns the names of the options and their descriptions, in turn.
#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeConversion_options<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let all: Vec<&str> = CONVERT_OPTIONS.iter().flat_map(|row| [row.name, row.help]).collect();
        java_strings(env, all.into_iter().map(Some))
    })
}

/// Converts a file, or `content`, a `byte[]` or a `NativeFile`, which messages call `source`. Without a destination,
/// the result has the content. The passwords are those of the input and of the output, which may be null, and then
/// those of keys.
#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeConversion_convert<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    options: Strings<'local>,
    passwords: ByteArrays<'local>,
    source: JString<'local>,
    content: JObject<'local>,
    destination: JString<'local>,
) -> ByteArrays<'local> {
    guard(&mut env, |env| {
        let mut conversion = Conversion::new();
        for pair in texts(env, &options)?.chunks(2) {
            let [name, value] = pair else { return Err(Raised::Argument("options without a value")) };
            conversion.set(name, value)?;
        }
        for index in 0..passwords.len(env)? {
            let given = passwords.get_element(env, index)?;
            let given = password(env, &given, &JObject::null())?;
            match (index, given) {
                (_, Password::None) => continue,
                (0, given) => conversion.password(given),
                (1, given) => conversion.out_password(given),
                (_, given) => conversion.key_password(given),
            };
        }
        let label = text(env, &source)?;
        let source = source_of(env, &content, label)?;
        let destination = text_or_none(env, &destination)?;
        let converted = match &destination {
            Some(path) => conversion.convert_to_file(&source, Path::new(path))?,
            None => conversion.convert(&source)?,
        };
        // A file that was written has the content.
        let content = if destination.is_some() { &[][..] } else { converted.content.reveal() };
        java_byte_arrays_or_null(env, fields(content, &converted).into_iter())
    })
}

/// The content, the entries with their number before them, and the warnings with theirs.
fn fields(content: &[u8], converted: &Converted) -> Vec<Option<Zeroizing<Vec<u8>>>> {
    let bytes = |bytes: &[u8]| Some(Zeroizing::new(bytes.to_vec()));
    let text = |text: &str| bytes(text.as_bytes());
    let number = |number: usize| text(&number.to_string());
    let mut fields = vec![bytes(content), number(converted.entries.len())];
    for entry in &converted.entries {
        fields.extend([
            entry.alias.as_deref().and_then(text),
            text(entry.kind()),
            number(entry.certificates),
            text(&entry.line()),
        ]);
    }
    fields.push(number(converted.warnings.len()));
    fields.extend(converted.warnings.iter().map(|warning| text(warning)));
    fields
}
