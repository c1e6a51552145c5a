//! Engines that sleep: by a call, or by themselves in the maintenance of their context.
#![allow(unsafe_code, reason = "exported functions need an unsafe attribute; nothing else here does")]

use brokertls::{Connection, Context};
use jni::EnvUnowned;
use jni::objects::JClass;
use jni::sys::jlong;

use crate::engine::{ENGINES, Engine};
use crate::guard::{Outcome, guard_bare, keep};

/// Keeps an engine for Java, and lets the context put it to sleep if it does so. Returns its handle.
pub(crate) fn keep_engine(context: &Context, mut connection: Connection) -> Outcome<jlong> {
    let number = connection.id();
    connection.keep_session_facts();
    let handle = keep(&ENGINES, Engine::new(connection))?;
    if let Some(place) = context.watch_idle(number, handle.cast_unsigned(), visit) {
        ENGINES.claim(handle)?.place = Some(Box::new(place));
    }
    Ok(handle)
}

/// Looks at an engine between two calls on it.
fn visit(handle: u64, look: &mut dyn FnMut(&mut Connection)) {
    ENGINES.visit(handle.cast_signed(), |engine| engine.with_connection(look));
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_sleep<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    engine: jlong,
) {
    guard_bare(&mut env, || {
        ENGINES.claim(engine)?.with_connection(Connection::sleep);
        Ok(())
    });
}
