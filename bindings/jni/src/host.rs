//! `HandshakeHost`: the callbacks of a handshake into Java, on the thread of its task.
//!
//! The methods in Java must not throw. An exception is cleared and refuses the peer. Only the number 0 accepts it.
#![allow(
    unsafe_code,
    reason = "a thread keeps the environment and the host of its task as pointers while the task runs"
)]

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};

use brokertls::host::{HandshakeHost, HelloFacts, IdentityRequest, PeerToJudge, Settled};
use brokertls::keystore::Identity;
use brokertls::verify::PeerCertificate;
use brokertls::{Code, Error, Result};
use jni::ids::JMethodID;
use jni::objects::{JByteArray, JIntArray, JObject, JString, JValue, JValueOwned};
use jni::signature::{JavaType, Primitive};
use jni::strings::JNIString;
use jni::sys::{JNIEnv, jobject};
use jni::{Env, EnvUnowned, Outcome as Contained, jni_sig, jni_str};
use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;

use crate::failure;
use crate::guard::{Outcome, Raised};
use crate::identity::IDENTITIES;
use crate::package::class_name;
use crate::text::{
    ByteArrays, Strings, bytes, java_byte_arrays, java_bytes, java_strings, latin1, set_name, text_or_none,
};

thread_local! {
    static CURRENT: Cell<Option<(*mut JNIEnv, jobject)>> = const { Cell::new(None) };
}

const AS_CONFIGURED: i32 = 0;
const PROTOCOL_SELECTED: i32 = 1;

/// Sets the host for handshakes on this thread while it lives.
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

/// The host of the task that runs on the thread.
#[derive(Debug)]
pub(crate) struct TaskHost;

/// The largest number of local references of one callback. Elements of arrays are deleted at once.
const LOCAL_REFERENCES: usize = 16;

/// The methods of `HandshakeHost`, looked up once for each class loader that loads this library.
#[derive(Clone, Copy)]
struct Questions {
    client_hello: JMethodID,
    selected_protocol: JMethodID,
    choose_identity: JMethodID,
    chooses_again: JMethodID,
    check_peer: JMethodID,
    check_peer_again: JMethodID,
    check_proof: JMethodID,
    approve_peer: JMethodID,
    refusal: JMethodID,
}

static QUESTIONS: Mutex<Option<Questions>> = Mutex::new(None);

/// Forgets the methods, when another class loader loads this library.
pub(crate) fn forget() {
    *QUESTIONS.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

impl Questions {
    fn of(env: &mut Env<'_>) -> Outcome<Self> {
        if let Some(known) = *QUESTIONS.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(known);
        }
        let class = env.find_class(JNIString::from(class_name("internal/HandshakeHost")))?;
        let hello = jni_sig!("(Ljava/lang/String;[[B[I[Ljava/lang/String;)I");
        let identity = jni_sig!("(Ljava/lang/String;[Ljava/lang/String;[I[[B[Ljava/lang/String;[[B)J");
        let again = jni_sig!("([Ljava/lang/String;[I[[BLjava/lang/String;[B[[B)Z");
        let peer = jni_sig!("([[B[Ljava/lang/String;[I[B[[B)I");
        let found = Self {
            client_hello: env.get_method_id(&class, jni_str!("clientHello"), hello)?,
            selected_protocol: env.get_method_id(&class, jni_str!("selectedProtocol"), jni_sig!("()[B"))?,
            choose_identity: env.get_method_id(&class, jni_str!("chooseIdentity"), identity)?,
            chooses_again: env.get_method_id(&class, jni_str!("choosesAgain"), again)?,
            check_peer: env.get_method_id(&class, jni_str!("checkPeer"), &peer)?,
            check_peer_again: env.get_method_id(&class, jni_str!("checkPeerAgain"), &peer)?,
            check_proof: env.get_method_id(&class, jni_str!("checkProof"), jni_sig!("([BI[B[B)I"))?,
            approve_peer: env.get_method_id(&class, jni_str!("approvePeer"), jni_sig!("([[B)I"))?,
            refusal: env.get_method_id(&class, jni_str!("refusal"), jni_sig!("()Ljava/lang/String;"))?,
        };
        *QUESTIONS.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        Ok(found)
    }
}

const INT: JavaType = JavaType::Primitive(Primitive::Int);
const BOOLEAN: JavaType = JavaType::Primitive(Primitive::Boolean);
const LONG: JavaType = JavaType::Primitive(Primitive::Long);

/// Calls a method of the host, with the types of the signature in [`Questions::of`].
fn call<'local>(
    env: &mut Env<'local>,
    host: &JObject<'_>,
    question: fn(&Questions) -> JMethodID,
    answer: JavaType,
    arguments: &[JValue<'_>],
) -> Outcome<JValueOwned<'local>> {
    let method = question(&Questions::of(env)?);
    let arguments: Vec<_> = arguments.iter().map(JValue::as_jni).collect();
    // SAFETY: `runTask` declares the host as a `HandshakeHost`, and the method is one of that class with this
    // signature.
    Ok(unsafe { env.call_method_unchecked(host, method, answer, &arguments) }?)
}

fn ask<T>(body: impl FnOnce(&mut Env<'_>, &JObject<'_>) -> Outcome<T>) -> Result<T> {
    let Some((env, host)) = CURRENT.get() else {
        return Err(Error::new(Code::Internal, "no host for the task"));
    };
    // SAFETY: `Asked` set it from the arguments of the native call that runs on this thread.
    let mut unowned = unsafe { EnvUnowned::from_raw(env) };
    let outcome = unowned.with_env(|env| {
        let answer = env.with_local_frame(LOCAL_REFERENCES, |env| {
            // SAFETY: `Asked` set it too; it is a local reference of the native method's frame, which outlives this
            // one.
            let host = unsafe { JObject::from_raw(env, host) };
            body(env, &host)
        });
        env.exception_clear();
        answer
    });
    match outcome.into_outcome() {
        Contained::Ok(answer) => Ok(answer),
        Contained::Err(Raised::Failure(error)) => Err(error),
        Contained::Err(_) => Err(Error::new(Code::Internal, "the handshake host failed")),
        Contained::Panic(payload) => Err(crate::guard::panic_error(&*payload)),
    }
}

/// Returns the error for a number of the host that refuses.
fn refusal(env: &mut Env<'_>, host: &JObject<'_>, number: i32) -> Raised {
    let text = call(env, host, |questions| questions.refusal, JavaType::Object, &[]);
    let text = text.ok().and_then(|text| text.l().ok()).and_then(|text| env.cast_local::<JString<'_>>(text).ok());
    let detail = text.and_then(|text| text_or_none(env, &text).ok().flatten());
    Raised::Failure(Error::new(failure::code(number), detail.unwrap_or_default()))
}

fn verdict(env: &mut Env<'_>, host: &JObject<'_>, number: i32) -> Outcome<()> {
    if number == 0 { Ok(()) } else { Err(refusal(env, host, number)) }
}

fn string_or_null<'local>(env: &mut Env<'local>, text: Option<&str>) -> Outcome<JString<'local>> {
    Ok(text.map_or(Ok(JString::null()), |text| JString::from_str(env, text))?)
}

fn scheme_numbers<'local>(env: &mut Env<'local>, schemes: &[SignatureScheme]) -> Outcome<JIntArray<'local>> {
    let numbers: Vec<i32> = schemes.iter().map(|scheme| i32::from(u16::from(*scheme))).collect();
    let array = JIntArray::new(env, numbers.len())?;
    array.set_region(env, 0, &numbers)?;
    Ok(array)
}

/// The version, the settled suite and the settled protocol; null for one that is open.
fn settled_texts<'local>(
    env: &mut Env<'local>,
    version: Option<&'static str>,
    settled: &Settled,
) -> Outcome<Strings<'local>> {
    let texts = Strings::new(env, 3, JString::null())?;
    for (index, name) in [version, settled.cipher_suite].into_iter().enumerate() {
        if let Some(name) = name {
            set_name(env, &texts, index, name)?;
        }
    }
    if let Some(protocol) = &settled.protocol {
        let protocol = JString::from_str(env, latin1(protocol))?;
        texts.set_element(env, 2, &protocol)?;
    }
    Ok(texts)
}

/// A request for an identity as Java objects.
struct Asking<'local> {
    key_types: Strings<'local>,
    schemes: JIntArray<'local>,
    issuers: ByteArrays<'local>,
    peer: ByteArrays<'local>,
}

impl<'local> Asking<'local> {
    fn new(env: &mut Env<'local>, request: &IdentityRequest<'_>) -> Outcome<Self> {
        let in_certificates = &request.settled.certificate_schemes;
        let schemes = if in_certificates.is_empty() { request.signature_schemes } else { in_certificates };
        let schemes = scheme_numbers(env, schemes)?;
        let key_types = java_strings(env, request.key_types.iter().map(Some))?;
        let issuers = java_byte_arrays(env, request.issuers.iter())?;
        Ok(Self { key_types, schemes, issuers, peer: java_byte_arrays(env, request.peer_chain.iter())? })
    }

    fn arguments(&self) -> [JValue<'_>; 4] {
        let Self { key_types, schemes, issuers, peer } = self;
        [JValue::Object(key_types), JValue::Object(schemes), JValue::Object(issuers), JValue::Object(peer)]
    }
}

/// Calls a method about a peer.
fn ask_about(peer: &PeerToJudge<'_>, question: fn(&Questions) -> JMethodID) -> Result<()> {
    ask(|env, host| {
        let chain = java_byte_arrays(env, peer.chain.iter())?;
        let settled = settled_texts(env, Some(peer.version), peer.settled)?;
        let staple = java_bytes(env, peer.staple)?;
        let own = java_byte_arrays(env, peer.own_chain.iter())?;
        let schemes = scheme_numbers(env, &peer.settled.certificate_schemes)?;
        let arguments = [
            JValue::Object(&chain),
            JValue::Object(&settled),
            JValue::Object(&schemes),
            JValue::Object(&staple),
            JValue::Object(&own),
        ];
        let number = call(env, host, question, INT, &arguments)?.i()?;
        verdict(env, host, number)
    })
}

impl TaskHost {
    /// Calls the verify callback for an accepted peer. Returns `Err` with the reason to refuse it.
    pub(crate) fn approve_peer(peer: &PeerCertificate<'_>) -> std::result::Result<(), String> {
        let answer = ask(|env, host| {
            let chain = java_byte_arrays(env, peer.chain.iter())?;
            let arguments = [JValue::Object(&chain)];
            let number = call(env, host, |questions| questions.approve_peer, INT, &arguments)?.i()?;
            verdict(env, host, number)
        });
        answer.map_err(|refusal| refusal.detail().to_owned())
    }
}

impl HandshakeHost for TaskHost {
    fn client_hello(&self, hello: &HelloFacts<'_>) -> Result<Option<Vec<u8>>> {
        ask(|env, host| {
            let name = string_or_null(env, hello.server_name)?;
            let protocols = java_byte_arrays(env, hello.protocols.iter())?;
            let schemes = scheme_numbers(env, &hello.settled.certificate_schemes)?;
            let settled = settled_texts(env, hello.settled.version, hello.settled)?;
            let arguments =
                [JValue::Object(&name), JValue::Object(&protocols), JValue::Object(&schemes), JValue::Object(&settled)];
            match call(env, host, |questions| questions.client_hello, INT, &arguments)?.i()? {
                AS_CONFIGURED => Ok(None),
                PROTOCOL_SELECTED => {
                    let chosen = call(env, host, |questions| questions.selected_protocol, JavaType::Array, &[])?.l()?;
                    let chosen = env.cast_local::<JByteArray<'_>>(chosen)?;
                    Ok(Some(bytes(env, &chosen)?.to_vec()))
                }
                number => Err(refusal(env, host, number)),
            }
        })
    }

    fn choose_identity(&self, request: &IdentityRequest<'_>) -> Result<Option<Arc<Identity>>> {
        ask(|env, host| {
            let name = string_or_null(env, request.server_name)?;
            let asked = Asking::new(env, request)?;
            let settled = settled_texts(env, request.version, request.settled)?;
            let [key_types, schemes, issuers, peer] = asked.arguments();
            let arguments = [JValue::Object(&name), key_types, schemes, issuers, JValue::Object(&settled), peer];
            match call(env, host, |questions| questions.choose_identity, LONG, &arguments)?.j()? {
                0 => Ok(None),
                refused @ ..0 => Err(refusal(env, host, i32::try_from(-refused).unwrap_or_default())),
                handle => Ok(Some(Arc::clone(&*IDENTITIES.share(handle)?))),
            }
        })
    }

    fn still_shows(&self, request: &IdentityRequest<'_>, end_entity: Option<&CertificateDer<'_>>) -> bool {
        let answer = ask(|env, host| {
            let asked = Asking::new(env, request)?;
            let version = string_or_null(env, request.version)?;
            let shown = end_entity.map_or_else(|| Ok(JByteArray::null()), |end_entity| java_bytes(env, end_entity))?;
            let [key_types, schemes, issuers, peer] = asked.arguments();
            let arguments = [key_types, schemes, issuers, JValue::Object(&version), JValue::Object(&shown), peer];
            Ok(call(env, host, |questions| questions.chooses_again, BOOLEAN, &arguments)?.z()?)
        });
        answer.unwrap_or_default()
    }

    fn check_peer(&self, peer: &PeerToJudge<'_>) -> Result<()> {
        ask_about(peer, |questions| questions.check_peer)
    }

    fn check_peer_again(&self, peer: &PeerToJudge<'_>) -> Result<()> {
        ask_about(peer, |questions| questions.check_peer_again)
    }

    fn check_proof(
        &self,
        end_entity: &CertificateDer<'_>,
        scheme: SignatureScheme,
        message: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        ask(|env, host| {
            let end_entity = java_bytes(env, end_entity)?;
            let (message, proof) = (java_bytes(env, message)?, java_bytes(env, signature)?);
            let arguments = [
                JValue::Object(&end_entity),
                JValue::Int(i32::from(u16::from(scheme))),
                JValue::Object(&message),
                JValue::Object(&proof),
            ];
            let number = call(env, host, |questions| questions.check_proof, INT, &arguments)?.i()?;
            verdict(env, host, number)
        })
    }
}
