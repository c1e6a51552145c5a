//! Keys from a callback of the application.

use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use brokertls::{Code, ConnectionSettings, ContextBuilder, MAX_RECORD_BYTES, Next, Psk, PskCallback, PskRequest};

use super::super::world::{World, library};
use super::{DEVICE, KEYS, SECRET, keys_alone};

const SUITE: &str = "-tls1_2 -cipher PSK-AES128-GCM-SHA256";

/// The questions, each with the thread that asked it.
type Asked = Arc<Mutex<Vec<(String, ThreadId)>>>;

/// A callback that knows `myclient1`, and fails for `broken`.
fn directory() -> (PskCallback, Asked) {
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    let callback: PskCallback = Arc::new(move |request: &PskRequest<'_>| {
        let identity = String::from_utf8_lossy(request.identity).into_owned();
        log.lock().unwrap().push((identity.clone(), thread::current().id()));
        match identity.as_str() {
            "myclient1" => Ok(Some(Psk::new(&u128::from_str_radix(SECRET, 16).unwrap().to_be_bytes()).unwrap())),
            "broken" => Err("the directory does not answer".to_owned()),
            _ => Ok(None),
        }
    });
    (callback, asked)
}

fn builder(callback: PskCallback, may_block: bool) -> ContextBuilder {
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).psk_callback(callback, may_block);
    builder
}

#[test]
fn callback_gives_the_key_of_each_version_and_is_asked_once_a_handshake() {
    let world = World::new("psk-callback");
    let (callback, asked) = directory();
    let context = builder(callback, false).build().unwrap();
    for version in [SUITE, "-tls1_3"] {
        asked.lock().unwrap().clear();
        let met = world.meet(&context, &format!("{version} {DEVICE}"));
        assert_eq!(met.went_well().psk_identity, "myclient1");
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
}

#[test]
fn unknown_identity_of_a_callback_is_refused_like_a_wrong_secret() {
    let world = World::new("psk-callback-unknown");
    let (callback, _) = directory();
    let context = builder(callback, false).build().unwrap();
    for (version, alert) in [(SUITE, 20), ("-tls1_3", 51)] {
        let unknown = world.meet(&context, &format!("{version} -psk_identity stranger -psk {SECRET}"));
        assert_eq!(unknown.failed(Code::PskRefused, alert).detail(), "\"stranger\": the identity is not known");
        let wrong = world.meet(&context, &format!("{version} -psk_identity myclient1 -psk 00"));
        assert_eq!(wrong.failed(Code::PskRefused, alert).detail(), "\"myclient1\": its secret is another one");
    }
}

#[test]
fn callback_that_fails_ends_the_handshake_with_internal_error() {
    let world = World::new("psk-callback-broken");
    let (callback, _) = directory();
    let context = builder(callback, false).build().unwrap();
    for version in [SUITE, "-tls1_3"] {
        let met = world.meet(&context, &format!("{version} -psk_identity broken -psk {SECRET}"));
        assert_eq!(met.failed(Code::PskUnavailable, 80).detail(), "the directory does not answer");
        assert_eq!(met.facts.psk_identity, "");
    }
}

#[test]
fn key_of_the_file_is_found_without_the_callback() {
    let world = World::new("psk-callback-file");
    let (callback, asked) = directory();
    let context = keys_alone(KEYS).psk_callback(callback, false).build().unwrap();
    let met = world.meet(&context, &format!("{SUITE} {DEVICE}"));
    assert_eq!(met.went_well().psk_identity, "myclient1");
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn callback_that_may_block_runs_on_the_thread_of_the_task() {
    let world = World::new("psk-callback-task");
    let (callback, asked) = directory();
    let context = builder(callback, true).build().unwrap();
    // With a stream, the tasks run between its calls.
    let met = world.meet(&context, &format!("{SUITE} {DEVICE}"));
    assert_eq!(met.went_well().psk_identity, "myclient1");
    asked.lock().unwrap().clear();
    // A hello of TLS 1.3 in hand shows on which thread the question is asked.
    let mut connection = context.accept_with(&ConnectionSettings::default()).unwrap();
    let mut hello = world.hello(&format!("-tls1_3 {DEVICE}"));
    let taken = connection.unwrap(&mut hello, &mut vec![0; MAX_RECORD_BYTES]).unwrap();
    assert_eq!(taken.next, Next::NeedTask);
    assert!(asked.lock().unwrap().is_empty());
    let (mut connection, worker) = thread::spawn(move || {
        connection.run_task();
        (connection, thread::current().id())
    })
    .join()
    .unwrap();
    assert_eq!(*asked.lock().unwrap(), [("myclient1".to_owned(), worker)]);
    assert!(connection.has_outgoing() && connection.wrap(&[], &mut vec![0; MAX_RECORD_BYTES]).unwrap().produced > 0);
}

#[test]
fn panic_of_the_callback_reaches_the_caller() {
    let world = World::new("psk-callback-panic");
    let callback: PskCallback = Arc::new(|_: &PskRequest<'_>| panic!("the directory is gone"));
    let context = builder(callback, true).build().unwrap();
    let mut connection = context.accept().unwrap();
    let mut hello = world.hello(&format!("-tls1_3 {DEVICE}"));
    connection.unwrap(&mut hello, &mut vec![0; MAX_RECORD_BYTES]).unwrap();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| connection.run_task()));
    assert_eq!(outcome.unwrap_err().downcast_ref::<&str>(), Some(&"the directory is gone"));
}
