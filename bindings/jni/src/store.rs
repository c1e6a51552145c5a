//! `NativeStore`: an open store for a Java KeyStore.
//!
//! The keys and certificates of a PEM file are paired here. Keys are returned as PKCS#8, the only encoding that Java
//! reads.
#![allow(unsafe_code, reason = "exported functions need an unsafe attribute; nothing else here does")]

use std::collections::{HashMap, HashSet};

use brokertls::keystore::{self, Entry, EntryKind, OpenOptions, Secret, Store, StoreType};
use brokertls::options::store_type;
use brokertls::{Code, Error};
use jni::EnvUnowned;
use jni::objects::{JByteArray, JClass, JObject, JString};
use jni::sys::{jint, jlong};
use rustls::pki_types::CertificateDer;

use crate::guard::{Outcome, Raised, guard, guard_bare, keep, object};
use crate::handles::Handles;
use crate::password::password;
use crate::text::{ByteArrays, Strings, bytes, bytes_or_none, java_byte_arrays, java_bytes, java_strings};
use crate::text::{text, text_or_none};

static STORES: Handles<JavaStore> = Handles::new();

const KEY: jint = 0;
const CERTIFICATE: jint = 1;

/// A store, and its entries that Java can use.
struct JavaStore {
    store: Store,
    entries: Vec<JavaEntry>,
}

struct JavaEntry {
    alias: String,
    chain: Vec<CertificateDer<'static>>,
    /// The index of a key in the store.
    key: Option<usize>,
}

impl JavaStore {
    fn new(store: Store) -> brokertls::Result<Self> {
        let is_text = matches!(store.store_type(), StoreType::Pem | StoreType::Der);
        let found = if is_text { paired(&store)? } else { entries(&store) };
        let (mut taken, mut numbers) = (HashSet::new(), HashMap::new());
        let mut unnamed = 0_usize;
        let entries = found.into_iter().map(|(name, chain, key)| {
            let base = name.unwrap_or_else(|| {
                unnamed += 1;
                unnamed.to_string()
            });
            // Java compares aliases without case.
            let mut alias = base.clone();
            // The number after the last one in use, because a store can have one name a thousand times.
            let number = numbers.entry(base.to_lowercase()).or_insert(2_usize);
            while !taken.insert(alias.to_lowercase()) {
                alias = format!("{base}-{number}");
                *number += 1;
            }
            JavaEntry { alias, chain, key }
        });
        let entries = entries.collect();
        Ok(Self { store, entries })
    }

    fn entry(&self, index: jint) -> Outcome<&JavaEntry> {
        let index = usize::try_from(index).ok();
        index.and_then(|index| self.entries.get(index)).ok_or(Raised::Argument("no entry of this number"))
    }
}

type Found = (Option<String>, Vec<CertificateDer<'static>>, Option<usize>);

/// Returns the entries of a key store: keys with their chains, and trusted certificates.
fn entries(store: &Store) -> Vec<Found> {
    let all = store.entries();
    let marked = all.iter().any(|entry| matches!(entry.kind, EntryKind::Key | EntryKind::Trusted));
    let mut unnamed_keys = 0_usize;
    let usable = all.iter().enumerate().filter_map(|(index, entry)| match entry.kind {
        EntryKind::Key => {
            unnamed_keys += usize::from(entry.alias.is_none());
            let name = entry.alias.clone().unwrap_or_else(|| unnamed_keys.to_string());
            let chain = chain_of(store, entry, &name);
            (!chain.is_empty()).then(|| (entry.alias.clone(), chain, Some(index)))
        }
        EntryKind::Trusted => Some((entry.alias.clone(), entry.chain.clone(), None)),
        EntryKind::Certificate if !marked => Some((entry.alias.clone(), entry.chain.clone(), None)),
        _ => None,
    });
    usable.collect()
}

/// Returns the chain of a key. A PKCS#12 store need not name it; then the key itself identifies it, if it can be
/// decrypted.
fn chain_of(store: &Store, entry: &Entry, name: &str) -> Vec<CertificateDer<'static>> {
    if store.store_type() != StoreType::Pkcs12 || !entry.chain.is_empty() {
        return entry.chain.clone();
    }
    store.identity(name).map(|identity| identity.chain.clone()).unwrap_or_default()
}

/// Returns the keys of a text file with their certificates, then the other certificates.
fn paired(store: &Store) -> brokertls::Result<Vec<Found>> {
    let all = store.entries();
    let certificates = || all.iter().filter_map(|entry| entry.chain.first());
    let keys: Vec<usize> = (0..all.len()).filter(|index| all[*index].kind == EntryKind::Key).collect();
    let mut found: Vec<Found> = Vec::new();
    if !keys.is_empty() && certificates().next().is_some() {
        match store.identities_by_entry() {
            Ok(identities) => {
                found.extend(identities.iter().map(|(key, identity)| (None, identity.chain.clone(), Some(*key))));
            }
            // Java passes the password later, for the key. In a file with one key, all certificates are its own.
            Err(error) if error.code() == Code::KeyPasswordMissing && keys.len() == 1 => {
                found.push((None, certificates().cloned().collect(), keys.first().copied()));
            }
            Err(error) => return Err(error),
        }
    }
    let used: HashSet<CertificateDer<'static>> = found.iter().flat_map(|(_, chain, _)| chain.iter().cloned()).collect();
    let loose = certificates().filter(|der| !used.contains(*der)).map(|der| (None, vec![der.clone()], None));
    found.extend(loose);
    Ok(found)
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeStore_open<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    content: JByteArray<'local>,
    label: JString<'local>,
    kind: JString<'local>,
    store_password: JByteArray<'local>,
) -> jlong {
    guard(&mut env, |env| {
        let options = OpenOptions {
            store_type: text_or_none(env, &kind)?.map(|name| store_type(&name)).transpose()?,
            password: password(env, &store_password, &JObject::null())?,
            ..OpenOptions::default()
        };
        let store = keystore::open(&text(env, &label)?, &bytes(env, &content)?, &options)?;
        keep(&STORES, JavaStore::new(store)?)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeStore_aliases<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
) -> Strings<'local> {
    guard(&mut env, |env| {
        let store = object(&STORES, store)?;
        java_strings(env, store.entries.iter().map(|entry| Some(&entry.alias)))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeStore_kind<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    entry: jint,
) -> jint {
    guard_bare(&mut env, || {
        let store = object(&STORES, store)?;
        Ok(if store.entry(entry)?.key.is_some() { KEY } else { CERTIFICATE })
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeStore_chain<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    entry: jint,
) -> ByteArrays<'local> {
    guard(&mut env, |env| {
        let store = object(&STORES, store)?;
        java_byte_arrays(env, store.entry(entry)?.chain.iter())
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeStore_key<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
    entry: jint,
    key_password: JByteArray<'local>,
) -> JByteArray<'local> {
    guard(&mut env, |env| {
        let store = object(&STORES, store)?;
        let place = store.entry(entry)?.key.ok_or_else(|| Error::from(Code::NoPrivateKey))?;
        let key_password = bytes_or_none(env, &key_password)?.map(|password| Secret::new(password.as_slice()));
        let entry = store.store.entries().get(place).ok_or_else(|| Error::from(Code::NoPrivateKey))?;
        let key = store.store.private_key(entry, key_password.as_ref())?;
        java_bytes(env, &keystore::pkcs8(&key)?)
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeStore_free<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    store: jlong,
) {
    guard_bare(&mut env, || {
        STORES.remove(store);
        Ok(())
    });
}
