//! `NativeRevoked`: the listener for connected peers that are revoked.
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

/// References of Java that one call makes at most.
const LOCAL_REFERENCES: usize = 8;

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_tellOfRevoked<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    told: JObject<'local>,
) {
    guard(&mut env, |env| {
        let callback = callback(env, &told)?;
        with_options(builder, |options| {
            options.builder_mut().on_revoked(callback);
            Ok(())
        })
    });
}

/// A callback that asks a `NativeRevoked`. The connection is closed if that throws, against its promise.
fn callback(env: &Env<'_>, told: &JObject<'_>) -> Outcome<RevokedCallback> {
    if told.as_raw().is_null() {
        return Err(Raised::Argument("no listener"));
    }
    let told: Global<JObject<'static>> = env.new_global_ref(told)?;
    Ok(Arc::new(move |peer: &RevokedPeer| {
        let Ok(vm) = JavaVM::singleton() else { return RevokedAction::Close };
        // The thread is one of Java's: it reloads or maintains a context.
        let closes = vm.attach_current_thread_for_scope(|env| {
            let closes = env.with_local_frame(LOCAL_REFERENCES, |env| ask(env, &told, peer));
            env.exception_clear();
            closes
        });
        if matches!(closes, Ok(false)) { RevokedAction::Keep } else { RevokedAction::Close }
    }))
}

fn ask(env: &mut Env<'_>, told: &JObject<'_>, peer: &RevokedPeer) -> jni::errors::Result<bool> {
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
    env.call_method(told, jni_str!("isClosed"), signature, &arguments)?.z()
}
