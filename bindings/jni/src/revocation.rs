//! The revocation methods of `NativeContextBuilder` and `NativeContext`: lists, responses, maintenance and sources.
#![allow(unsafe_code, reason = "exported functions need an unsafe attribute; nothing else here does")]

use brokertls::revocation::SourceFacts;
use brokertls::{ContextBuilder, CrlSource, Source};
use jni::objects::{JClass, JObject, JObjectArray, JString, JValue};
use jni::strings::JNIString;
use jni::sys::jlong;
use jni::{Env, EnvUnowned, jni_sig};

use crate::context::{CONTEXTS, with_options};
use crate::failure::clean;
use crate::file::source;
use crate::guard::{Outcome, Raised, guard, guard_bare, object};
use crate::package::class_name;
use crate::text::text;

/// The number for a missing time.
const NEVER: i64 = i64::MIN;

/// Adds bytes or a file that Java reads to a builder. The label is their name in messages.
fn add_source(
    env: &mut Env<'_>,
    builder: jlong,
    content: &JObject<'_>,
    label: &JString<'_>,
    add: impl FnOnce(&mut ContextBuilder, Source),
) -> Outcome<()> {
    if content.as_raw().is_null() {
        return Err(Raised::Argument("no content"));
    }
    let label = text(env, label)?;
    let source = source(env, content, label)?;
    with_options(builder, |options| {
        add(options.builder_mut(), source);
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_addCrl<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    content: JObject<'local>,
    label: JString<'local>,
) {
    guard(&mut env, |env| {
        add_source(env, builder, &content, &label, |builder, source| {
            builder.crl(CrlSource::Source(source));
        })
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContextBuilder_addOcspResponse<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    builder: jlong,
    content: JObject<'local>,
    label: JString<'local>,
) {
    guard(&mut env, |env| {
        add_source(env, builder, &content, &label, |builder, source| {
            builder.ocsp_response(source);
        })
    });
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_maintain<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) -> jlong {
    guard_bare(&mut env, || {
        let rest = object(&CONTEXTS, context)?.maintain();
        Ok(jlong::try_from(rest.as_millis()).unwrap_or(jlong::MAX))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_revocationUnknownAccepted<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) -> jlong {
    guard_bare(&mut env, || {
        let accepted = object(&CONTEXTS, context)?.revocation_unknown_accepted();
        Ok(jlong::try_from(accepted).unwrap_or(jlong::MAX))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_revocationSources<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) -> JObjectArray<'local> {
    guard(&mut env, |env| {
        let sources = object(&CONTEXTS, context)?.revocation_sources();
        let class = env.find_class(JNIString::from(class_name("RevocationSource")))?;
        let array = env.new_object_array(i32::try_from(sources.len()).unwrap_or(i32::MAX), &class, JObject::null())?;
        for (index, facts) in sources.iter().enumerate() {
            let source = java_source(env, &class, facts)?;
            array.set_element(env, index, &source)?;
            env.delete_local_ref(source);
        }
        Ok(array)
    })
}

/// Makes a `RevocationSource`.
fn java_source<'local>(env: &mut Env<'local>, class: &JClass<'_>, facts: &SourceFacts) -> Outcome<JObject<'local>> {
    let place = JString::from_str(env, clean(&facts.place))?;
    let last_error = match &facts.last_error {
        Some(error) => JString::from_str(env, clean(error))?,
        None => JString::null(),
    };
    let number = |number: u64| JValue::Long(jlong::try_from(number).unwrap_or(jlong::MAX));
    let arguments = [
        JValue::Int(facts.kind as i32),
        JValue::Object(&place),
        JValue::Long(facts.last_success_unix_s.unwrap_or(NEVER)),
        JValue::Long(facts.next_refresh_unix_s.unwrap_or(NEVER)),
        number(facts.entries as u64),
        number(facts.failures),
        JValue::Object(&last_error),
    ];
    let signature = jni_sig!("(ILjava/lang/String;JJJJLjava/lang/String;)V");
    let source = env.new_object(class, signature, &arguments)?;
    env.delete_local_ref(place);
    env.delete_local_ref(last_error);
    Ok(source)
}
