//! What a handshake asks of Java: the environment and the host of the task that runs on this thread.
#![allow(unsafe_code, reason = "the environment of the task is kept for its length as a pointer")]

use std::cell::Cell;

use jni::EnvUnowned;
use jni::objects::JObject;
use jni::sys::{JNIEnv, jobject};

thread_local! {
    static CURRENT: Cell<Option<(*mut JNIEnv, jobject)>> = const { Cell::new(None) };
}

/// While it lives, this thread's handshakes ask this host.
pub(crate) struct Asked(Option<(*mut JNIEnv, jobject)>);

impl Asked {
    pub(crate) fn new(env: &EnvUnowned<'_>, host: &JObject<'_>) -> Self {
        let host = (!host.as_raw().is_null()).then(|| (env.as_raw(), host.as_raw()));
        Self(CURRENT.replace(host))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}
