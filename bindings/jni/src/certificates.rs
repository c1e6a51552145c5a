//! `NativeContext.certificates`: the certificates of a context.
#![allow(unsafe_code, reason = "exported functions need an unsafe attribute; nothing else here does")]

use brokertls::ContextCertificate;
use jni::EnvUnowned;
use jni::objects::JClass;
use jni::sys::jlong;

use crate::context::CONTEXTS;
use crate::failure::clean;
use crate::guard::{guard, object};
use crate::text::{Strings, java_strings};

/// Returns the texts that `TlsCertificate` reads, in its order.
fn texts(one: ContextCertificate) -> [Option<String>; 9] {
    let ContextCertificate { is_trusted, place, facts, .. } = one;
    let kind = if is_trusted { "trust" } else { "own" };
    let numbers = [facts.not_before_unix_s, facts.not_after_unix_s].map(|seconds| seconds.to_string());
    let [not_before, not_after] = numbers;
    let names = [facts.subject.to_string(), facts.issuer.to_string()].map(|name| clean(&name));
    let [subject, issuer] = names;
    let texts = [
        kind.to_owned(),
        clean(&place),
        subject,
        issuer,
        facts.serial,
        facts.key,
        facts.sha256_fingerprint,
        not_before,
        not_after,
    ];
    texts.map(Some)
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeContext_certificates<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    context: jlong,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let certificates = object(&CONTEXTS, context)?.certificates();
        let all: Vec<_> = certificates.into_iter().flat_map(texts).collect();
        java_strings(env, all.into_iter())
    })
}
