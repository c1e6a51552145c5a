//! The connections of `NativeEngine` with their `EngineSettings`, and the names that these take.
#![allow(unsafe_code, reason = "exported functions need an unsafe attribute; nothing else here does")]

use brokertls::{ClientAuth, ConnectionSettings};
use jni::objects::{JClass, JString};
use jni::sys::{jint, jlong};
use jni::{Env, EnvUnowned};

use crate::asleep::keep_engine;
use crate::context::CONTEXTS;
use crate::guard::{Outcome, guard, object};
use crate::text::{ByteArrays, Strings, byte_arrays, java_strings, text_or_none, texts};

/// The settings that clients and servers share.
struct Shared<'local> {
    versions: JString<'local>,
    cipher_suites: JString<'local>,
    groups: JString<'local>,
    signature_schemes: JString<'local>,
    alpn: ByteArrays<'local>,
    max_record_bytes: jint,
    session_scope: JString<'local>,
}

impl Shared<'_> {
    fn settings(&self, env: &mut Env<'_>) -> Outcome<ConnectionSettings> {
        Ok(ConnectionSettings {
            versions: text_or_none(env, &self.versions)?,
            cipher_suites: text_or_none(env, &self.cipher_suites)?,
            groups: text_or_none(env, &self.groups)?,
            signature_schemes: text_or_none(env, &self.signature_schemes)?,
            alpn: (!self.alpn.as_raw().is_null()).then(|| byte_arrays(env, &self.alpn)).transpose()?,
            max_record_bytes: usize::try_from(self.max_record_bytes).ok().filter(|most| *most > 0),
            session_scope: text_or_none(env, &self.session_scope)?,
            uses_tasks: true,
            ..ConnectionSettings::default()
        })
    }
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_newClient<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
    host: JString<'local>,
    versions: JString<'local>,
    cipher_suites: JString<'local>,
    groups: JString<'local>,
    signature_schemes: JString<'local>,
    alpn: ByteArrays<'local>,
    max_record_bytes: jint,
    session_scope: JString<'local>,
    checks_server_name: jint,
    sends_server_name: bool,
    resumes_only: bool,
) -> jlong {
    guard(&mut env, |env| {
        let shared =
            Shared { versions, cipher_suites, groups, signature_schemes, alpn, max_record_bytes, session_scope };
        let mut settings = shared.settings(env)?;
        settings.checks_server_name = match checks_server_name {
            -1 => None,
            0 => Some(false),
            _ => Some(true),
        };
        settings.sends_server_name = sends_server_name;
        settings.resumes_only = resumes_only;
        let host = text_or_none(env, &host)?;
        let context = object(&CONTEXTS, context)?;
        keep_engine(&context, context.connect_with(host.as_deref(), &settings)?)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_newServer<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
    versions: JString<'local>,
    cipher_suites: JString<'local>,
    groups: JString<'local>,
    signature_schemes: JString<'local>,
    alpn: ByteArrays<'local>,
    max_record_bytes: jint,
    session_scope: JString<'local>,
    client_auth: jint,
    prefers_own_cipher_order: bool,
    asks_about_hello: bool,
) -> jlong {
    guard(&mut env, |env| {
        let shared =
            Shared { versions, cipher_suites, groups, signature_schemes, alpn, max_record_bytes, session_scope };
        let mut settings = shared.settings(env)?;
        settings.client_auth = match client_auth {
            -1 => None,
            0 => Some(ClientAuth::None),
            1 => Some(ClientAuth::Want),
            _ => Some(ClientAuth::Need),
        };
        settings.prefers_own_cipher_order = Some(prefers_own_cipher_order);
        settings.asks_about_hello = asks_about_hello;
        let context = object(&CONTEXTS, context)?;
        keep_engine(&context, context.accept_with(&settings)?)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_groups<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let names = object(&CONTEXTS, context)?.groups();
        java_strings(env, names.into_iter().map(Some))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_servedGroups<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
    names: Strings<'local>,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let served = object(&CONTEXTS, context)?.served_groups(&texts(env, &names)?)?;
        java_strings(env, served.iter().map(|name| Some(name.as_str())))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_servedSignatureSchemes<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
    names: Strings<'local>,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let served = object(&CONTEXTS, context)?.served_signature_schemes(&texts(env, &names)?)?;
        java_strings(env, served.iter().map(|name| Some(name.as_str())))
    })
}
