//! `NativePsks`: the source of pre-shared keys, asked in handshakes.

use std::sync::Arc;

use brokertls::{Psk, PskCallback, PskRequest};
use jni::objects::{JByteArray, JObject, JValue};
use jni::refs::Global;
use jni::{Env, JavaVM, jni_sig, jni_str};

use crate::guard::Outcome;
use crate::text::bytes;

/// The reason for the log if Java gives no answer. Java logs its exception.
const NO_ANSWER: &str = "the source of pre-shared keys in Java has failed";

/// Returns a callback into Java, on the thread that runs the task of the handshake.
pub(crate) fn callback(env: &Env<'_>, asked: &JObject<'_>) -> Outcome<PskCallback> {
    let asked: Global<JObject<'static>> = env.new_global_ref(asked)?;
    Ok(Arc::new(move |request: &PskRequest<'_>| {
        let vm = JavaVM::singleton().map_err(|_| NO_ANSWER.to_owned())?;
        let answer = vm.attach_current_thread(|env| {
            let answer = env.with_local_frame(8, |env| ask(env, &asked, request.identity));
            env.exception_clear();
            answer
        });
        match answer {
            Err(_) => Err(NO_ANSWER.to_owned()),
            Ok(None) => Ok(None),
            Ok(Some(key)) => key.map(Some),
        }
    }))
}

/// The key of an identity, or the reason for the log why there is none; nothing for an unknown identity.
type Answer = Option<Result<Psk, String>>;

fn ask(env: &mut Env<'_>, asked: &JObject<'_>, identity: &[u8]) -> jni::errors::Result<Answer> {
    let identity = env.byte_array_from_slice(identity)?;
    let arguments = [JValue::Object(&identity)];
    let answer = env.call_method(asked, jni_str!("secret"), jni_sig!("([B)[B"), &arguments)?.l()?;
    if answer.is_null() {
        return Ok(None);
    }
    let answer = env.cast_local::<JByteArray<'_>>(answer)?;
    let length = answer.len(env)?;
    let copied = bytes(env, &answer);
    // Wipes the array of Java, which is a copy for this call.
    answer.set_region(env, 0, &vec![0; length])?;
    Ok(Some(match copied {
        Ok(secret) => Psk::new(secret.as_slice()).map_err(|error| error.message()),
        // An identity that is known here must not count as unknown.
        Err(_) => Err(NO_ANSWER.to_owned()),
    }))
}
