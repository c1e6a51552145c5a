//! `NativeContextBuilder` and `NativeContext`.
#![allow(unsafe_code, reason = "exported functions need an unsafe attribute; nothing else here does")]

use std::sync::{Mutex, PoisonError};

use brokertls::keystore::OpenOptions;
use brokertls::options::{Options, store_type};
use brokertls::policy::{Policy, PolicySpec};
use brokertls::{Code, Context, Error, IdentitySource, Source, TrustSource};
use jni::objects::{JByteArray, JClass, JObject, JString};
use jni::sys::{jint, jlong};
use jni::{Env, EnvUnowned};

use crate::engine::{ENGINES, Engine};
use crate::guard::{Outcome, Raised, guard, guard_bare, keep, object};
use crate::handles::Handles;
use crate::log;
use crate::text::{ByteArrays, Strings, bytes_or_none, java_strings, password, text, text_or_none};

static BUILDERS: Handles<Mutex<Options>> = Handles::new();
static CONTEXTS: Handles<Context> = Handles::new();

/// Changes the options of a builder.
fn with_options<T>(builder: jlong, body: impl FnOnce(&mut Options) -> Outcome<T>) -> Outcome<T> {
    let options = object(&BUILDERS, builder)?;
    let mut options = options.lock().unwrap_or_else(PoisonError::into_inner);
    body(&mut options)
}

/// Bytes with their name, or a path.
fn source(env: &Env<'_>, content: &JByteArray<'_>, label: &JString<'_>) -> Outcome<Source> {
    let label = text(env, label)?;
    Ok(match bytes_or_none(env, content)? {
        Some(content) => Source::memory(label, &content),
        None => Source::file(label),
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_create<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> jlong {
    guard_bare(&mut env, || keep(&BUILDERS, Mutex::new(Options::new())))
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
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_addIdentity<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    content: JByteArray<'local>,
    label: JString<'local>,
    key: JByteArray<'local>,
    key_label: JString<'local>,
    store: JString<'local>,
    alias: JString<'local>,
    store_password: JByteArray<'local>,
    key_password: JByteArray<'local>,
) {
    guard(&mut env, |env| {
        let mut identity = IdentitySource::new(source(env, &content, &label)?);
        if !key_label.as_raw().is_null() {
            identity.key = Some(source(env, &key, &key_label)?);
        } else if !key.as_raw().is_null() {
            return Err(Raised::Argument("a key without a name"));
        }
        identity.alias = text_or_none(env, &alias)?;
        identity.options.store_type = text_or_none(env, &store)?.map(|name| store_type(&name)).transpose()?;
        identity.options.password = password(env, &store_password)?;
        identity.options.key_password = password(env, &key_password)?;
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
    content: JByteArray<'local>,
    label: JString<'local>,
    store: JString<'local>,
    store_password: JByteArray<'local>,
) {
    guard(&mut env, |env| {
        let source = source(env, &content, &label)?;
        let trust = match &source {
            Source::File(path) if path.is_dir() => TrustSource::Directory(path.clone()),
            _ => {
                let mut options = OpenOptions::default();
                options.store_type = text_or_none(env, &store)?.map(|name| store_type(&name)).transpose()?;
                options.password = password(env, &store_password)?;
                TrustSource::Store { source, options }
            }
        };
        with_options(builder, |options| {
            options.builder_mut().trust(trust);
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
            options.builder_mut().log(sink);
            Ok(())
        })
    });
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
extern "system" fn Java_io_brokertls_internal_NativeContext_supportedCipherSuites<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let policy = Policy::from_spec(&PolicySpec::default())?;
        java_strings(env, policy.cipher_suite_names().into_iter().map(Some))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_supportedVersions<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
) -> Strings<'local> {
    guard(&mut env, |env| {
        java_strings(env, oldest_first(&Policy::from_spec(&PolicySpec::default())?).into_iter().map(Some))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_servedCipherSuites<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    names: JString<'local>,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let cipher_suites = Some(text(env, &names)?);
        let policy = Policy::from_spec(&PolicySpec { cipher_suites, ..PolicySpec::default() })?;
        java_strings(env, policy.cipher_suite_names().into_iter().map(Some))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_servedVersions<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    names: JString<'local>,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let versions = Some(text(env, &names)?);
        let policy = Policy::from_spec(&PolicySpec { versions, ..PolicySpec::default() })?;
        java_strings(env, oldest_first(&policy).into_iter().map(Some))
    })
}

fn oldest_first(policy: &Policy) -> Vec<&'static str> {
    let mut names = policy.version_names();
    names.sort_unstable();
    names
}

/// Settings of a connection that differ from its context's cannot be honoured, and are refused rather than left out.
fn refuse_settings(env: &mut Env<'_>, texts: [&JString<'_>; 2], alpn: &ByteArrays<'_>, others: bool) -> Outcome<()> {
    let _ = env;
    if others || !alpn.as_raw().is_null() || texts.iter().any(|text| !text.as_raw().is_null()) {
        let detail = "settings of one connection alone are not served; set them on the context";
        return Err(Error::new(Code::OptionConflict, detail).into());
    }
    Ok(())
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_newClient<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
    host: JString<'local>,
    versions: JString<'local>,
    cipher_suites: JString<'local>,
    alpn: ByteArrays<'local>,
    checks_server_name: jint,
    sends_server_name: bool,
    resumes_only: bool,
    _session_scope: jint,
) -> jlong {
    guard(&mut env, |env| {
        let others = checks_server_name != -1 || !sends_server_name || resumes_only;
        refuse_settings(env, [&versions, &cipher_suites], &alpn, others)?;
        let host = text_or_none(env, &host)?;
        let connection = object(&CONTEXTS, context)?.connect(host.as_deref())?;
        keep(&ENGINES, Engine::new(connection))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeEngine_newServer<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
    versions: JString<'local>,
    cipher_suites: JString<'local>,
    alpn: ByteArrays<'local>,
    client_auth: jint,
    _prefers_own_cipher_order: bool,
    asks_about_hello: bool,
) -> jlong {
    guard(&mut env, |env| {
        let others = client_auth != -1 || asks_about_hello;
        refuse_settings(env, [&versions, &cipher_suites], &alpn, others)?;
        let connection = object(&CONTEXTS, context)?.accept()?;
        keep(&ENGINES, Engine::new(connection))
    })
}
