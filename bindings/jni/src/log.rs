//! `NativeLog`: the log of a context, from any thread that uses it.

use std::cell::RefCell;
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
    let log: Arc<Global<JObject<'static>>> = Arc::new(env.new_global_ref(log)?);
    Ok(Arc::new(move |line: &LogLine<'_>| {
        let level = line.level as i32;
        let text = line.text.replace('\0', "\u{fffd}");
        let log = Arc::clone(&log);
        let is_held_back = HELD_BACK.with_borrow_mut(|lines| match lines {
            Some(lines) => {
                lines.push((log, level, text));
                None
            }
            None => Some((log, level, text)),
        });
        if let Some((log, level, text)) = is_held_back {
            write(&log, level, &text);
        }
    }))
}

/// A line that is not written yet: the log, the level and the text.
type Line = (Arc<Global<JObject<'static>>>, i32, String);

thread_local! {
    static HELD_BACK: RefCell<Option<Vec<Line>>> = const { RefCell::new(None) };
}

/// Keeps the lines of this thread while it lives, for Java must not be called while arrays are pinned. Then writes
/// them.
pub(crate) struct HeldBack(());

impl HeldBack {
    pub(crate) fn begin() -> Self {
        HELD_BACK.set(Some(Vec::new()));
        Self(())
    }
}

impl Drop for HeldBack {
    fn drop(&mut self) {
        for (log, level, text) in HELD_BACK.take().into_iter().flatten() {
            write(&log, level, &text);
        }
    }
}

fn write(log: &Global<JObject<'static>>, level: i32, text: &str) {
    let Ok(vm) = JavaVM::singleton() else { return };
    // A Java thread is attached already, and the local frame frees its references. A thread that fetches is detached
    // again, because a JVM does not end before its attached threads.
    let _ = vm.attach_current_thread_for_scope(|env| {
        if env.exception_check() {
            return Ok::<(), jni::errors::Error>(());
        }
        let written = env.with_local_frame(8, |env| {
            let text = JString::from_str(env, text)?;
            let arguments = [JValue::Int(level), JValue::Object(&text)];
            env.call_method(log, jni_str!("write"), jni_sig!("(ILjava/lang/String;)V"), &arguments)?;
            Ok::<(), jni::errors::Error>(())
        });
        env.exception_clear();
        written
    });
}
