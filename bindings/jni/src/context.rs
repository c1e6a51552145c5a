//! `NativeContextBuilder` and `NativeContext`.
#![allow(unsafe_code, reason = "exported functions need an unsafe attribute; nothing else here does")]

use std::sync::{Arc, Mutex, PoisonError};

use brokertls::options::{OPTIONS, Options, store_type};
use brokertls::policy::{
    served_cipher_suites_beside, served_versions_beside, supported_cipher_suites, supported_versions,
};
use brokertls::{ClientAuth, Context, IdentitySource, Psk, Source, TrustSource};
use jni::EnvUnowned;
use jni::objects::{JByteArray, JClass, JObject, JString};
use jni::sys::{jint, jlong};

use crate::file::source;
use crate::guard::{Outcome, Raised, guard, guard_bare, keep, object};
use crate::handles::Handles;
use crate::host::TaskHost;
use crate::identity::IDENTITIES;
use crate::log;
use crate::password::password;
use crate::psk;
use crate::text::{ByteArrays, Strings, byte_arrays, bytes, java_byte_arrays, java_strings, text, text_or_none, texts};

static BUILDERS: Handles<Mutex<Options>> = Handles::new();
pub(crate) static CONTEXTS: Handles<Context> = Handles::new();

/// Changes the options of a builder.
pub(crate) fn with_options<T>(builder: jlong, body: impl FnOnce(&mut Options) -> Outcome<T>) -> Outcome<T> {
    let options = object(&BUILDERS, builder)?;
    let mut options = options.lock().unwrap_or_else(PoisonError::into_inner);
    body(&mut options)
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_create<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> jlong {
    guard_bare(&mut env, || {
        let mut options = Options::new();
        options.builder_mut().hello_host(Arc::new(TaskHost));
        keep(&BUILDERS, Mutex::new(options))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_set<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    option: JString<'local>,
    value: JString<'local>,
) {
    guard(&mut env, |env| {
        let (option, value) = (text(env, &option)?, text(env, &value)?);
        with_options(builder, |options| Ok(options.set(&option, &value)?))
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_optionNames<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> Strings<'local> {
    guard(&mut env, |env| java_strings(env, OPTIONS.iter().map(|row| Some(row.name))))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_addIdentity<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    content: JObject<'local>,
    label: JString<'local>,
    key: JObject<'local>,
    key_label: JString<'local>,
    store: JString<'local>,
    alias: JString<'local>,
    store_password: JByteArray<'local>,
    key_password: JByteArray<'local>,
    passwords: JObject<'local>,
) {
    guard(&mut env, |env| {
        let label = text(env, &label)?;
        let mut identity = IdentitySource::new(source(env, &content, label)?);
        if !key_label.as_raw().is_null() {
            let label = text(env, &key_label)?;
            identity.key = Some(source(env, &key, label)?);
        } else if !key.as_raw().is_null() {
            return Err(Raised::Argument("a key without a name"));
        }
        identity.alias = text_or_none(env, &alias)?;
        identity.options = with_options(builder, |options| Ok(options.open_options()))?;
        identity.options.store_type = text_or_none(env, &store)?.map(|name| store_type(&name)).transpose()?;
        identity.options.password = password(env, &store_password, &passwords)?;
        // Without a key password, the password of the store is also that of the key.
        let is_given = !store_password.as_raw().is_null();
        let asked_for_key = if is_given { JObject::null() } else { passwords };
        identity.options.key_password = password(env, &key_password, &asked_for_key)?;
        with_options(builder, |options| {
            options.builder_mut().identity(identity);
            Ok(())
        })
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_addTrust<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    content: JObject<'local>,
    label: JString<'local>,
    store: JString<'local>,
    store_password: JByteArray<'local>,
    passwords: JObject<'local>,
) {
    guard(&mut env, |env| {
        let label = text(env, &label)?;
        let source = source(env, &content, label)?;
        let mut options = with_options(builder, |options| Ok(options.open_options()))?;
        options.store_type = text_or_none(env, &store)?.map(|name| store_type(&name)).transpose()?;
        options.password = password(env, &store_password, &passwords)?;
        let trust = match &source {
            Source::File(path) if path.is_dir() => TrustSource::Directory { path: path.clone(), options },
            _ => TrustSource::Store { source, options },
        };
        with_options(builder, |options| {
            options.builder_mut().trust(trust);
            Ok(())
        })
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_setPskFile<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    content: JObject<'local>,
    label: JString<'local>,
) {
    guard(&mut env, |env| {
        let label = text(env, &label)?;
        let source = source(env, &content, label)?;
        with_options(builder, |options| {
            options.builder_mut().psk_file(source);
            Ok(())
        })
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_addApplicationProtocol<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    protocol: JByteArray<'local>,
) {
    guard(&mut env, |env| {
        let protocol = bytes(env, &protocol)?;
        with_options(builder, |options| {
            options.builder_mut().alpn(&protocol)?;
            Ok(())
        })
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_addPsk<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    identity: JByteArray<'local>,
    secret: JByteArray<'local>,
) {
    guard(&mut env, |env| {
        let identity = bytes(env, &identity)?;
        let key = Psk::new(&bytes(env, &secret)?)?;
        with_options(builder, |options| {
            options.builder_mut().psk(&identity, key);
            Ok(())
        })
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_askForPsks<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    psks: JObject<'local>,
) {
    guard(&mut env, |env| {
        let callback = psk::callback(env, &psks)?;
        with_options(builder, |options| {
            options.builder_mut().psk_callback(callback, true);
            Ok(())
        })
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_logTo<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    log: JObject<'local>,
) {
    guard(&mut env, |env| {
        let sink = log::sink(env, &log)?;
        with_options(builder, |options| {
            // The Java engines log the failures that they throw.
            options.builder_mut().log(sink).host_logs_refusals();
            Ok(())
        })
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_looksForLegacyLibrary<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
) -> bool {
    guard_bare(&mut env, || with_options(builder, |options| Ok(options.builder_mut().looks_for_legacy_library())))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_build<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
) -> jlong {
    guard_bare(&mut env, || keep(&CONTEXTS, with_options(builder, |options| Ok(options.build()?))?))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_free<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
) {
    guard_bare(&mut env, || {
        BUILDERS.remove(builder);
        Ok(())
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_mayBlock<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) -> bool {
    guard_bare(&mut env, || Ok(object(&CONTEXTS, context)?.may_block()))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_reload<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) {
    guard_bare(&mut env, || Ok(object(&CONTEXTS, context)?.reload()?));
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_warnings<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let warnings = object(&CONTEXTS, context)?.warnings();
        java_strings(env, warnings.into_iter().map(Some))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_legacyNames<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let uses = object(&CONTEXTS, context)?.legacy_uses();
        java_strings(env, uses.into_iter().map(|(name, _)| Some(name.to_owned())))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_legacyUses<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
    name: JString<'local>,
) -> jlong {
    guard(&mut env, |env| {
        let name = text(env, &name)?;
        let uses = object(&CONTEXTS, context)?.legacy_uses();
        let count = uses.into_iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| count);
        Ok(jlong::try_from(count).unwrap_or(jlong::MAX))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_refusalLine<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
    refusal: JString<'local>,
) -> JString<'local> {
    guard(&mut env, |env| match object(&CONTEXTS, context)?.refusal_line(&text(env, &refusal)?) {
        Some(line) => Ok(JString::from_str(env, line)?),
        None => Ok(JString::default()),
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_cipherSuites<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let names = object(&CONTEXTS, context)?.cipher_suites();
        java_strings(env, names.into_iter().map(Some))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_free<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) {
    guard_bare(&mut env, || {
        CONTEXTS.remove(context);
        Ok(())
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_addShared<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    identity: jlong,
) {
    guard_bare(&mut env, || {
        let identity = Arc::clone(&*object(&IDENTITIES, identity)?);
        with_options(builder, |options| {
            options.builder_mut().identity(IdentitySource::ready(identity));
            Ok(())
        })
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_useHostIdentities<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
) {
    guard_bare(&mut env, || {
        with_options(builder, |options| {
            options.builder_mut().host_identities(Arc::new(TaskHost));
            Ok(())
        })
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_useHostTrust<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    issuers: ByteArrays<'local>,
) {
    guard(&mut env, |env| {
        let issuers = byte_arrays(env, &issuers)?;
        with_options(builder, |options| {
            options.builder_mut().host_trust(Arc::new(TaskHost), issuers);
            Ok(())
        })
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_useHostCheck<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
) {
    guard_bare(&mut env, || {
        with_options(builder, |options| {
            options.builder_mut().verify_callback(Arc::new(TaskHost::approve_peer), true);
            Ok(())
        })
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_versions<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let names = object(&CONTEXTS, context)?.versions();
        java_strings(env, names.into_iter().rev().map(Some))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_applicationProtocols<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) -> ByteArrays<'local> {
    guard(&mut env, |env| {
        let context = object(&CONTEXTS, context)?;
        java_byte_arrays(env, context.alpn().iter())
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_clientAuth<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) -> jint {
    guard_bare(&mut env, || {
        Ok(match object(&CONTEXTS, context)?.client_auth() {
            ClientAuth::None => 0,
            ClientAuth::Want => 1,
            ClientAuth::Need => 2,
        })
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_checksServerName<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) -> bool {
    guard_bare(&mut env, || Ok(object(&CONTEXTS, context)?.checks_server_name()))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_limitSessions<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
    client_sessions: jint,
    client_timeout_s: jint,
    server_timeout_s: jint,
) {
    guard_bare(&mut env, || {
        let servers = usize::try_from(client_sessions).ok();
        let timeouts = u32::try_from(client_timeout_s).ok().zip(u32::try_from(server_timeout_s).ok());
        let Some((servers, (client_timeout_s, server_timeout_s))) = servers.zip(timeouts) else {
            return Err(Raised::Argument("a negative limit"));
        };
        let context = object(&CONTEXTS, context)?;
        context.limit_client_sessions(servers, client_timeout_s);
        context.limit_server_sessions(server_timeout_s);
        Ok(())
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_endSession<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
    origin: jlong,
) {
    guard_bare(&mut env, || {
        object(&CONTEXTS, context)?.end_session(origin.cast_unsigned());
        Ok(())
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_failSession<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
    origin: jlong,
) {
    guard_bare(&mut env, || {
        object(&CONTEXTS, context)?.fail_session(origin.cast_unsigned());
        Ok(())
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_forgetSessions<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
    host: JString<'local>,
    session_scope: JString<'local>,
) {
    guard(&mut env, |env| {
        let (host, scope) = (text(env, &host)?, text(env, &session_scope)?);
        object(&CONTEXTS, context)?.forget_sessions(&host, &scope);
        Ok(())
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_supportedCipherSuites<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> Strings<'local> {
    guard(&mut env, |env| java_strings(env, supported_cipher_suites().into_iter().map(Some)))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_supportedVersions<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> Strings<'local> {
    guard(&mut env, |env| java_strings(env, supported_versions().into_iter().rev().map(Some)))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_servedCipherSuites<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    names: JString<'local>,
    more: Strings<'local>,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let names = served_cipher_suites_beside(&text(env, &names)?, &texts(env, &more)?)?;
        java_strings(env, names.into_iter().map(Some))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_servedVersions<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    names: JString<'local>,
    more: Strings<'local>,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let names = served_versions_beside(&text(env, &names)?, &texts(env, &more)?)?;
        java_strings(env, names.into_iter().rev().map(Some))
    })
}
