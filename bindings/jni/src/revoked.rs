//! `NativeRevokedListener`: reports about open connections with revoked peers.
#![allow(unsafe_code, reason = "exported functions need an unsafe attribute; nothing else here does")]

use std::sync::Arc;

use brokertls::{RevokedAction, RevokedCallback, RevokedPeer};
use jni::objects::{JClass, JObject, JString, JValue};
use jni::refs::Global;
use jni::sys::jlong;
use jni::{Env, EnvUnowned, JavaVM, jni_sig, jni_str};

use crate::context::with_options;
use crate::failure::clean;
use crate::guard::{Outcome, Raised, guard};

/// The largest number of local references of one call.
const LOCAL_REFERENCES: usize = 8;

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_onRevoked<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    listener: JObject<'local>,
) {
    guard(&mut env, |env| {
        let callback = callback(env, &listener)?;
        with_options(builder, |options| {
            options.builder_mut().on_revoked(callback);
            Ok(())
        })
    });
}

/// Returns a callback that calls the listener. The listener must not throw; an exception closes the connection.
fn callback(env: &Env<'_>, listener: &JObject<'_>) -> Outcome<RevokedCallback> {
    if listener.as_raw().is_null() {
        return Err(Raised::Argument("no listener"));
    }
    let listener: Global<JObject<'static>> = env.new_global_ref(listener)?;
    Ok(Arc::new(move |peer: &RevokedPeer| {
        let Ok(vm) = JavaVM::singleton() else { return RevokedAction::Close };
        // The thread is a Java thread that reloads or maintains a context.
        let closes = vm.attach_current_thread_for_scope(|env| {
            let closes = env.with_local_frame(LOCAL_REFERENCES, |env| report(env, &listener, peer));
            env.exception_clear();
            closes
        });
        if matches!(closes, Ok(false)) { RevokedAction::Keep } else { RevokedAction::Close }
    }))
}

fn report(env: &mut Env<'_>, listener: &JObject<'_>, peer: &RevokedPeer) -> jni::errors::Result<bool> {
    let subject = JString::from_str(env, clean(peer.subject.as_str()))?;
    let issuer = JString::from_str(env, clean(peer.issuer.as_str()))?;
    let serial = JString::from_str(env, clean(&peer.serial))?;
    let arguments = [
        JValue::Long(peer.connection_id.cast_signed()),
        JValue::Object(&subject),
        JValue::Object(&issuer),
        JValue::Object(&serial),
        JValue::Int(peer.reason.number().into()),
        JValue::Long(peer.revoked_unix_s.into()),
    ];
    let signature = jni_sig!("(JLjava/lang/String;Ljava/lang/String;Ljava/lang/String;IJ)Z");
    env.call_method(listener, jni_str!("revoked"), signature, &arguments)?.z()
}
