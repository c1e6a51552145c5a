//! `NativeNames`: the names of a certificate, as one array of byte strings; `OriginalHost`: that of an address.
#![allow(unsafe_code, reason = "exported functions need an unsafe attribute; nothing else here does")]

use brokertls::certificate::{AlternativeName, CertificateFacts, DistinguishedName};
use jni::objects::{JByteArray, JClass, JObject, JString};
use jni::{Env, EnvUnowned, jni_sig, jni_str};
use rustls::pki_types::CertificateDer;

use crate::guard::guard;
use crate::text::{ByteArrays, bytes, java_byte_arrays_or_null};

/// A field: bytes, or null.
type Field = Option<Vec<u8>>;

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeNames_read<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    certificate: JByteArray<'local>,
) -> ByteArrays<'local> {
    guard(&mut env, |env| {
        let der = bytes(env, &certificate)?;
        let facts = CertificateFacts::from_der(&CertificateDer::from(der.as_slice()))?;
        java_byte_arrays_or_null(env, fields(&facts).into_iter())
    })
}

/// Returns the name that an `InetAddress` was made with, from its private fields; null if there is none.
#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_OriginalHost_name<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    address: JObject<'local>,
) -> JString<'local> {
    guard(&mut env, |env| {
        let name = original_name(env, &address);
        // A JVM with other fields tells no name. The address is verified then.
        env.exception_clear();
        Ok(name.unwrap_or_else(|_| JString::null()))
    })
}

fn original_name<'local>(env: &mut Env<'local>, address: &JObject<'_>) -> jni::errors::Result<JString<'local>> {
    let holder = jni_sig!("Ljava/net/InetAddress$InetAddressHolder;");
    let holder = env.get_field(address, jni_str!("holder"), holder)?.l()?;
    let name = env.get_field(&holder, jni_str!("originalHostName"), jni_sig!("Ljava/lang/String;"))?.l()?;
    env.cast_local::<JString<'_>>(name)
}

/// Returns the fields in the order in which NativeNames reads them: subject, issuer and serial number, then the
/// alternative names.
fn fields(facts: &CertificateFacts) -> Vec<Field> {
    let mut fields = Vec::new();
    push_name(&mut fields, &facts.subject);
    push_name(&mut fields, &facts.issuer);
    fields.push(text(&facts.serial));
    fields.push(number(facts.subject_alternative_names.len()));
    for name in &facts.subject_alternative_names {
        push_alternative(&mut fields, name);
    }
    fields
}

fn push_name(fields: &mut Vec<Field>, name: &DistinguishedName) {
    fields.push(text(name.as_str()));
    fields.push(Some(name.der().to_vec()));
    fields.push(number(name.attributes().len()));
    for attribute in name.attributes() {
        fields.push(text(&attribute.oid));
        fields.push(attribute.text.as_deref().and_then(text));
        fields.push(Some(attribute.der.clone()));
        fields.push(number(attribute.relative_name));
    }
}

fn push_alternative(fields: &mut Vec<Field>, name: &AlternativeName) {
    fields.push(text(name.kind.name()));
    fields.push(name.value.as_deref().and_then(text));
    fields.push(name.oid.as_deref().and_then(text));
    fields.push(Some(name.der.clone()));
    fields.push(text(&name.to_string()));
}

fn text(text: &str) -> Field {
    Some(text.as_bytes().to_vec())
}

fn number(number: usize) -> Field {
    text(&number.to_string())
}
