//! `NativePasswords`: the source of passwords for each build and reload.

use std::sync::Arc;

use brokertls::keystore::{Password, PasswordCallback, PasswordRequest, PasswordUse, Secret};
use jni::objects::{JByteArray, JObject, JString, JValue};
use jni::refs::Global;
use jni::{Env, JavaVM, jni_sig, jni_str};

use crate::guard::Outcome;
use crate::text::{bytes, bytes_or_none};

/// Returns the given password, or else a callback to its source, or else none.
pub(crate) fn password(env: &Env<'_>, given: &JByteArray<'_>, asked: &JObject<'_>) -> Outcome<Password> {
    Ok(match bytes_or_none(env, given)? {
        Some(bytes) => Password::Bytes(Secret::new(bytes.as_slice())),
        None if asked.as_raw().is_null() => Password::None,
        None => Password::Callback(callback(env, asked)?),
    })
}

/// Returns a callback into Java, on the thread that builds or reloads. An exception counts as no password.
fn callback(env: &Env<'_>, asked: &JObject<'_>) -> Outcome<PasswordCallback> {
    let asked: Global<JObject<'static>> = env.new_global_ref(asked)?;
    Ok(Arc::new(move |request: &PasswordRequest<'_>| {
        let vm = JavaVM::singleton().ok()?;
        let answer = vm.attach_current_thread(|env| {
            let answer = env.with_local_frame(8, |env| ask(env, &asked, request));
            env.exception_clear();
            Ok::<_, jni::errors::Error>(answer.ok().flatten())
        });
        answer.ok().flatten()
    }))
}

fn ask(env: &mut Env<'_>, asked: &JObject<'_>, request: &PasswordRequest<'_>) -> jni::errors::Result<Option<Secret>> {
    let label = JString::from_str(env, request.label.replace('\0', "\u{fffd}"))?;
    let alias = match request.alias {
        Some(alias) => JString::from_str(env, alias.replace('\0', "\u{fffd}"))?,
        None => JString::null(),
    };
    let arguments =
        [JValue::Bool(matches!(request.usage, PasswordUse::Key)), JValue::Object(&label), JValue::Object(&alias)];
    let signature = jni_sig!("(ZLjava/lang/String;Ljava/lang/String;)[B");
    let answer = env.call_method(asked, jni_str!("password"), signature, &arguments)?.l()?;
    if answer.is_null() {
        return Ok(None);
    }
    let answer = env.cast_local::<JByteArray<'_>>(answer)?;
    let length = answer.len(env)?;
    let given = bytes(env, &answer).ok().map(|bytes| Secret::new(bytes.as_slice()));
    // Wipes the array of Java, which is the only copy there.
    answer.set_region(env, 0, &vec![0; length])?;
    Ok(given)
}
