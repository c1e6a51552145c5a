//! `NativeLog`: the log of a context, from any thread that uses it.

use std::sync::Arc;

use brokertls::{LogLine, LogSink};
use jni::objects::{JObject, JString, JValue};
use jni::refs::Global;
use jni::{Env, JavaVM, jni_sig, jni_str};

use crate::guard::{Outcome, Raised};

/// Returns a sink that writes to a `NativeLog`. An exception is dropped, because a log must not end connections.
pub(crate) fn sink(env: &Env<'_>, log: &JObject<'_>) -> Outcome<LogSink> {
    if log.as_raw().is_null() {
        return Err(Raised::Argument("no log"));
    }
    let log: Global<JObject<'static>> = env.new_global_ref(log)?;
    Ok(Arc::new(move |line: &LogLine<'_>| {
        let Ok(vm) = JavaVM::singleton() else { return };
        // A Java thread is attached already, and the local frame frees its references. A thread that fetches is
        // detached again, because a JVM does not end before its attached threads.
        let _ = vm.attach_current_thread_for_scope(|env| {
            if env.exception_check() {
                return Ok::<(), jni::errors::Error>(());
            }
            let written = env.with_local_frame(8, |env| {
                let text = JString::from_str(env, line.text.replace('\0', "\u{fffd}"))?;
                let arguments = [JValue::Int(line.level as i32), JValue::Object(&text)];
                env.call_method(&log, jni_str!("write"), jni_sig!("(ILjava/lang/String;)V"), &arguments)?;
                Ok::<(), jni::errors::Error>(())
            });
            env.exception_clear();
            written
        });
    }))
}
