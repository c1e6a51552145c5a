//! `NativeFile`: a file that Java reads, for each build and reload.

use std::io;

use brokertls::Source;
use jni::objects::{JByteArray, JObject, JThrowable, JValue};
use jni::refs::Global;
use jni::{Env, JavaVM, jni_sig, jni_str};
use zeroize::Zeroizing;

use crate::guard::Outcome;
use crate::text::bytes;

/// Makes a source of a `byte[]`, or of a `NativeFile`, with a name, or of a path.
pub(crate) fn source(env: &mut Env<'_>, content: &JObject<'_>, label: String) -> Outcome<Source> {
    if content.as_raw().is_null() {
        return Ok(Source::file(label));
    }
    if env.is_instance_of(content, jni_str!("[B"))? {
        let array = env.new_local_ref(content)?;
        let array = env.cast_local::<JByteArray<'_>>(array)?;
        return Ok(Source::memory(label, &bytes(env, &array)?));
    }
    let file: Global<JObject<'static>> = env.new_global_ref(content)?;
    Ok(Source::reader(label, move |limit| read(&file, limit)))
}

/// Calls Java, on the thread that builds or reloads.
fn read(file: &JObject<'_>, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let vm = JavaVM::singleton().map_err(io::Error::other)?;
    let read = vm.attach_current_thread(|env| {
        let read = env.with_local_frame(8, |env| ask(env, file, limit));
        env.exception_clear();
        read
    });
    read.map_err(io::Error::other)?
}

fn ask(env: &mut Env<'_>, file: &JObject<'_>, limit: usize) -> jni::errors::Result<io::Result<Zeroizing<Vec<u8>>>> {
    let limit = JValue::Int(i32::try_from(limit).unwrap_or(i32::MAX));
    let answer = env.call_method(file, jni_str!("read"), jni_sig!("(I)[B"), &[limit]);
    if let Some(thrown) = env.exception_occurred() {
        env.exception_clear();
        return Ok(Err(io::Error::other(message(env, &thrown))));
    }
    let answer = env.cast_local::<JByteArray<'_>>(answer?.l()?)?;
    let length = answer.len(env)?;
    let content = env.convert_byte_array(&answer).map(Zeroizing::new)?;
    // Wipes the array of Java, which can hold a private key.
    answer.set_region(env, 0, &vec![0; length])?;
    Ok(Ok(content))
}

fn message(env: &mut Env<'_>, thrown: &JThrowable<'_>) -> String {
    let text = thrown.get_message(env).and_then(|message| message.try_to_string(env));
    env.exception_clear();
    text.unwrap_or_else(|_| "the file cannot be read".to_owned())
}
