//! The life of a context: its end and the calls that delay it, callbacks that use it and end it, reloads at the same
//! time.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::thread;

use brokertls::{
    ClientAuth, Context, ContextBuilder, CrlSource, IdentitySource, Level, LogSink, RevokedAction, Source, Stream,
};

use crate::rig::pair::{Authority, Pair, context};
use crate::rig::web::eventually;

/// Nothing listens here: each renewal of a staple fails at once, and is logged.
const CLOSED: &str = "http://127.0.0.1:1/";

/// A server with maintenance that logs one line for each of these identities.
fn failing_server(authority: &Authority, names: &[&str], log: LogSink) -> Context {
    context(|builder| {
        for name in names {
            builder.identity(authority.identity(&[name]));
        }
        builder.staple_issuer(Source::memory("ca.pem", authority.pem().as_bytes()));
        builder.staple(true).staple_responder(CLOSED).log(log)
    })
}

/// A file of this test's own, removed when dropped.
struct File(PathBuf);

impl File {
    fn new(name: &str, content: &str) -> Self {
        let path = std::env::temp_dir().join(format!("brokertls-{name}-{}", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    fn replace(&self, content: &str) {
        fs::write(&self.0, content).unwrap();
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Does with a context what a callback may think of; another context is made and dropped meanwhile.
fn use_in_every_way(context: &Context, client: &Context) {
    context.reload().unwrap();
    context.maintain();
    context.sweep_revoked();
    context.start_maintenance().unwrap();
    context.limit_server_sessions(60);
    context.forget_sessions("broker", "");
    assert!(!context.cipher_suites().is_empty());
    context.warnings();
    context.not_served();
    context.revocation_sources();
    drop(context.clone());
    Pair::connect(context, client, "broker");
    let mut stream = Stream::new(context.accept().unwrap());
    stream.set_callbacks(Box::new(|_| Ok(0)), Box::new(|bytes| Ok(bytes.len()))).unwrap();
    stream.handshake().unwrap_err();
    let other = ContextBuilder::new().identity(Authority::new("other").identity(&["other"])).build().unwrap();
    other.start_maintenance().unwrap();
    drop(other);
}

/// A place for a context that its own callbacks use; emptied at the end, for the context keeps the place.
type Slot = Arc<Mutex<Option<Context>>>;

/// Runs once, and not again from within itself.
fn once_with(slot: &Slot, uses: &AtomicUsize, client: &Context) {
    let context = slot.lock().unwrap().clone();
    if let Some(context) = context
        && uses.fetch_add(1, Ordering::SeqCst) == 0
    {
        use_in_every_way(&context, client);
    }
}

#[test]
fn log_of_maintenance_may_use_its_context_in_every_way() {
    let authority = Authority::new("ca");
    let client = context(|builder| builder.trust(authority.trust()));
    let (slot, uses): (Slot, _) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
    let (inner, inner_uses, client) = (Arc::clone(&slot), Arc::clone(&uses), client);
    let log: LogSink = Arc::new(move |_| once_with(&inner, &inner_uses, &client));
    let server = failing_server(&authority, &["broker", "other"], log);
    *slot.lock().unwrap() = Some(server.clone());
    server.maintain();
    assert!(uses.load(Ordering::SeqCst) >= 2, "and the second identity's line came after it");
    slot.lock().unwrap().take();
}

#[test]
fn log_of_a_reload_and_of_a_failed_one_may_use_the_context_in_every_way() {
    let authority = Authority::new("ca");
    let file = File::new("life-reload", &authority.issue(&["broker"], |_| {}));
    for is_good in [true, false] {
        let client = context(|builder| builder.trust(authority.trust()));
        let (slot, uses): (Slot, _) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
        let (inner, inner_uses, pem) = (Arc::clone(&slot), Arc::clone(&uses), authority.issue(&["broker"], |_| {}));
        let path = file.0.clone();
        let log: LogSink = Arc::new(move |_| {
            if inner.lock().unwrap().is_some() {
                fs::write(&path, &pem).unwrap();
            }
            once_with(&inner, &inner_uses, &client);
        });
        let server = context(|builder| {
            // A setting that is logged whenever the files are read.
            builder.identity(IdentitySource::new(Source::file(&file.0))).trust(authority.trust());
            builder.client_auth(ClientAuth::Want).insecure_skip_server_name(true).log(log)
        });
        *slot.lock().unwrap() = Some(server.clone());
        if !is_good {
            file.replace("no certificate");
        }
        assert_eq!(server.reload().is_ok(), is_good);
        assert!(uses.load(Ordering::SeqCst) >= 1);
        slot.lock().unwrap().take();
    }
}

#[test]
fn verify_callback_may_use_its_context_in_every_way() {
    let authority = Authority::new("ca");
    let (slot, uses): (Slot, _) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
    let (inner, inner_uses) = (Arc::clone(&slot), Arc::clone(&uses));
    let plain = context(|builder| builder.trust(authority.trust()));
    let server = context(|builder| {
        builder.identity(authority.identity(&["broker"])).trust(authority.trust()).client_auth(ClientAuth::Want);
        builder.verify_callback(
            Arc::new(move |_| {
                once_with(&inner, &inner_uses, &plain);
                Ok(())
            }),
            false,
        )
    });
    *slot.lock().unwrap() = Some(server.clone());
    for version in ["TLSv1.2", "TLSv1.3"] {
        let client = context(|builder| {
            builder.trust(authority.trust()).identity(authority.identity(&["device"])).versions(version)
        });
        uses.store(0, Ordering::SeqCst);
        let pair = Pair::connect(&server, &client, "broker");
        assert_eq!(uses.load(Ordering::SeqCst), 1, "{version}");
        assert_eq!(pair.server.server_name(), Some("broker"), "what was known of the connection still is");
        assert_eq!(pair.server.local_chain().len(), 1);
    }
    slot.lock().unwrap().take();
}

#[test]
fn callback_that_connects_elsewhere_does_not_make_its_peer_forget_that_it_is_revoked() {
    let authority = Authority::new("ca");
    let list = File::new("life-list", &authority.crl(&[]));
    let told = Arc::new(Mutex::new(Vec::new()));
    let (inner, heard) = (context(|builder| builder.trust(authority.trust())), Arc::clone(&told));
    let other = context(|builder| builder.identity(authority.identity(&["elsewhere"])));
    let server = context(|builder| {
        builder.identity(authority.identity(&["broker"])).trust(authority.trust()).client_auth(ClientAuth::Need);
        builder.crl(CrlSource::Source(Source::file(&list.0)));
        builder.on_revoked(Arc::new(move |peer| {
            heard.lock().unwrap().push(peer.connection_id);
            RevokedAction::Close
        }));
        let connects = move || {
            Pair::connect(&other, &inner, "elsewhere");
            Ok(())
        };
        builder.verify_callback(Arc::new(move |_| connects()), false)
    });
    let pem = authority.issue(&["device"], |params| params.serial_number = Some(rcgen::SerialNumber::from_slice(&[7])));
    let identity = IdentitySource::new(Source::memory("device.pem", pem.as_bytes()));
    let client = context(|builder| builder.trust(authority.trust()).identity(identity));
    let pair = Pair::connect(&server, &client, "broker");
    list.replace(&authority.crl(&[&[7]]));
    server.reload().unwrap();
    assert_eq!(*told.lock().unwrap(), [pair.server.id()]);
}

/// A log that holds its first line in the callback: it reports the line, and waits to be let go.
fn gate() -> (LogSink, Receiver<()>, Sender<()>, Arc<AtomicUsize>) {
    let ((here, is_here), (go, may_go)) = (channel(), channel());
    let lines = Arc::new(AtomicUsize::new(0));
    let (counted, may_go) = (Arc::clone(&lines), Mutex::new(may_go));
    let log: LogSink = Arc::new(move |line| {
        if line.text.starts_with("staple") && counted.load(Ordering::SeqCst) == 0 {
            here.send(()).unwrap();
            may_go.lock().unwrap().recv().unwrap();
            (0..1000).for_each(|_| thread::yield_now());
        }
        counted.fetch_add(1, Ordering::SeqCst);
    });
    (log, is_here, go, lines)
}

#[test]
fn end_of_a_context_waits_for_the_callback_of_its_maintenance_which_is_the_last() {
    let authority = Authority::new("ca");
    let (log, is_here, go, lines) = gate();
    let server = failing_server(&authority, &["broker", "other"], log);
    server.start_maintenance().unwrap();
    is_here.recv().unwrap();
    let ending = thread::spawn(move || {
        drop(server.clone());
        drop(server);
    });
    go.send(()).unwrap();
    ending.join().unwrap();
    let at_the_end = lines.load(Ordering::SeqCst);
    assert!(at_the_end >= 1, "the callback has returned");
    (0..1000).for_each(|_| thread::yield_now());
    assert_eq!(lines.load(Ordering::SeqCst), at_the_end);
}

#[test]
fn callback_of_maintenance_may_end_its_context_and_is_the_last() {
    let authority = Authority::new("ca");
    let lines = Arc::new(AtomicUsize::new(0));
    let (counted, slot) = (Arc::clone(&lines), Arc::new(Mutex::new(None::<Context>)));
    let inner = Arc::clone(&slot);
    let alive = Arc::new(());
    let (ended, kept): (Weak<()>, _) = (Arc::downgrade(&alive), alive);
    let (ready, is_ready) = channel();
    let is_ready = Mutex::new(is_ready);
    let log: LogSink = Arc::new(move |line| {
        let _ = &kept;
        if line.text.starts_with("staple") {
            if counted.fetch_add(1, Ordering::SeqCst) == 0 {
                is_ready.lock().unwrap().recv().unwrap();
            }
            drop(inner.lock().unwrap().take());
        }
    });
    let server = failing_server(&authority, &["broker", "other", "third"], log);
    server.start_maintenance().unwrap();
    *slot.lock().unwrap() = Some(server);
    ready.send(()).unwrap();
    eventually("the context is gone", || ended.upgrade().is_none());
    assert_eq!(lines.load(Ordering::SeqCst), 1, "two more identities had something to log");
}

#[test]
fn callback_of_maintenance_may_end_another_context_that_is_maintained() {
    let authority = Authority::new("ca");
    let (log, is_here, go, _) = gate();
    let other = failing_server(&authority, &["other"], log);
    other.start_maintenance().unwrap();
    is_here.recv().unwrap();
    let (slot, ended) = (Mutex::new(Some(other)), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&ended);
    let go = Mutex::new(go);
    let log: LogSink = Arc::new(move |line| {
        if line.text.starts_with("staple") {
            let _ = go.lock().unwrap().send(());
            drop(slot.lock().unwrap().take());
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let server = failing_server(&authority, &["broker"], log);
    server.start_maintenance().unwrap();
    eventually("the other has ended", || ended.load(Ordering::SeqCst) > 0);
}

#[test]
fn end_of_a_context_leaves_its_connections_their_callbacks() {
    let authority = Authority::new("ca");
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let server = context(|builder| {
        builder.identity(authority.identity(&["broker"])).trust(authority.trust()).client_auth(ClientAuth::Need);
        builder.verify_callback(
            Arc::new(move |_| {
                counted.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }),
            false,
        )
    });
    let client = context(|builder| builder.trust(authority.trust()).identity(authority.identity(&["device"])));
    server.start_maintenance().unwrap();
    let mut pair = Pair::new(&server, &client, "broker");
    drop((server, client));
    let ended = pair.run();
    ended.server.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// The common name of the certificate that a server shows.
fn shown(server: &Context, authority: &Authority) -> String {
    let client = context(|builder| builder.trust(authority.trust()).insecure_skip_server_name(true));
    let pair = Pair::connect(server, &client, "broker");
    brokertls::certificate::CertificateFacts::from_der(&pair.client.peer_chain()[0])
        .unwrap()
        .common_name()
        .unwrap()
        .to_owned()
}

#[test]
fn slow_reload_does_not_replace_what_a_later_one_has_read() {
    let authority = Authority::new("ca");
    let file = File::new("life-slow", &authority.issue(&["first"], |_| {}));
    let ((here, is_here), (go, may_go)) = (channel(), channel::<()>());
    let (slow, may_go) = (Arc::new(Mutex::new(None)), Mutex::new(may_go));
    let slow_thread = Arc::clone(&slow);
    // Reads are followed by a warning; that of the slow thread waits.
    let log: LogSink = Arc::new(move |line| {
        let is_slow = *slow_thread.lock().unwrap() == Some(thread::current().id());
        if line.level == Level::Warn && is_slow {
            here.send(()).unwrap();
            may_go.lock().unwrap().recv().unwrap();
        }
    });
    let server = context(|builder| {
        builder.identity(IdentitySource::new(Source::file(&file.0))).insecure_skip_server_name(true).log(log)
    });
    let reloaded = server.clone();
    let slow_reload = thread::spawn(move || {
        *slow.lock().unwrap() = Some(thread::current().id());
        reloaded.reload()
    });
    is_here.recv().unwrap();
    file.replace(&authority.issue(&["second"], |_| {}));
    server.reload().unwrap();
    assert_eq!(shown(&server, &authority), "second");
    go.send(()).unwrap();
    slow_reload.join().unwrap().unwrap();
    assert_eq!(shown(&server, &authority), "second", "and not the older file again");
}

#[test]
fn many_reloads_at_once_end_with_the_newest_file() {
    let authority = Authority::new("ca");
    let file = File::new("life-many", &authority.issue(&["name-0"], |_| {}));
    let pems: Vec<String> = (1..20).map(|number| authority.issue(&[&format!("name-{number}")], |_| {})).collect();
    let server = context(|builder| builder.identity(IdentitySource::new(Source::file(&file.0))));
    let next = file.0.with_extension("next");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..20).for_each(|_| server.reload().unwrap()));
        }
        for (number, pem) in (1..).zip(&pems) {
            fs::write(&next, pem).unwrap();
            fs::rename(&next, &file.0).unwrap();
            server.reload().unwrap();
            assert_eq!(shown(&server, &authority), format!("name-{number}"));
        }
    });
}
