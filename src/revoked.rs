//! Open connections with peers that were checked for revocation. If a certificate of a peer is revoked later, its
//! connection is reported, and closed if the application wants it.
//!
//! A context has one [`Register`]. A connection enters it when its handshake is complete and leaves it when it is
//! dropped. [`Register::sweep`] checks the paths again. It does not use the network, and holds no lock during
//! callbacks.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;

use crate::certificate::{CertificateFacts, DistinguishedName, describe};
use crate::error::{Code, Error, Result};
use crate::logging::{Level, Log};
use crate::revocation::{Reason, Revoked, links};
use crate::verify::{Fingerprint, PeerVerifier, VerifiedPath};

/// A connected peer with a revoked certificate in its chain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevokedPeer {
    /// [`crate::Connection::id`] of the connection.
    pub connection_id: u64,
    /// [`crate::Connection::user`] of the connection.
    pub user: usize,
    /// The subject of the revoked certificate.
    pub subject: DistinguishedName,
    /// The issuer of the revoked certificate.
    pub issuer: DistinguishedName,
    /// The serial number of the revoked certificate, as in [`CertificateFacts::serial`].
    pub serial: String,
    /// The reason of the revocation.
    pub reason: Reason,
    /// The time of the revocation, in seconds since 1970 in UTC.
    pub revoked_unix_s: u32,
}

/// The action for the connection of a revoked peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokedAction {
    /// The connection continues and is not reported again.
    Keep,
    /// The next [`crate::Connection::wrap`] and `unwrap` after the callback give `CERT_REVOKED`, after the alert for
    /// the peer. A thread that waits for the peer is not woken; the callback can wake it.
    Close,
}

/// Called once for each open connection with a revoked certificate in the peer's chain. It runs on the thread that
/// reloads or maintains the context, without a lock, and may use the context and its connections. A panic closes the
/// connection.
pub type RevokedCallback = Arc<dyn Fn(&RevokedPeer) -> RevokedAction + Send + Sync>;

/// The connections of one context.
///
/// Each path is kept once, so that a thousand connections of one certificate share it. It is dropped with the last of
/// them.
pub(crate) struct Register {
    clock: Arc<dyn TimeProvider>,
    log: Log,
    callback: Option<RevokedCallback>,
    connections: AtomicU64,
    /// Changed only under the lock of `watched`.
    sweeps: AtomicU64,
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    paths: HashMap<Fingerprint, Watch>,
    /// The sources that answered in the last sweep.
    judge: Option<Arc<PeerVerifier>>,
}

/// The connections of one path, by their numbers.
struct Watch {
    path: Arc<VerifiedPath>,
    connections: HashMap<u64, Arc<SweepFinding>>,
}

/// The result of a sweep for one connection.
#[derive(Debug, Default)]
struct SweepFinding {
    user: usize,
    is_told: AtomicBool,
    closed: OnceLock<Error>,
}

impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Register").field("sweeps", &self.sweeps).finish_non_exhaustive()
    }
}

impl Register {
    pub(crate) fn new(clock: Arc<dyn TimeProvider>, log: Log, callback: Option<RevokedCallback>) -> Self {
        let (connections, sweeps) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { clock, log, callback, connections, sweeps, watched: Mutex::default() }
    }

    /// Returns the number of a new connection. The first is 1.
    pub(crate) fn number(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// Returns the number of sweeps. Read it before the generation of a new connection: a later sweep knows more than
    /// that generation.
    pub(crate) fn sweeps(&self) -> u64 {
        self.sweeps.load(Ordering::Acquire)
    }

    /// Enters a connection with a complete handshake. `since` is the number of sweeps when it was made.
    ///
    /// # Errors
    /// `CERT_REVOKED` if a sweep since then would have found it.
    pub(crate) fn enter(
        self: &Arc<Self>,
        (number, user): (u64, usize),
        path: Arc<VerifiedPath>,
        mut since: u64,
    ) -> Result<Registration> {
        let fingerprint = path.fingerprint();
        loop {
            let mut watched = self.lock();
            let sweeps = self.sweeps();
            if sweeps == since {
                let watch =
                    watched.paths.entry(fingerprint).or_insert_with(|| Watch { path, connections: HashMap::new() });
                let finding = Arc::new(SweepFinding { user, ..SweepFinding::default() });
                watch.connections.insert(number, Arc::clone(&finding));
                let path = Arc::clone(&watch.path);
                drop(watched);
                return Ok(Registration { register: Arc::clone(self), number, path, finding });
            }
            let judge = watched.judge.as_ref().map(Arc::clone);
            drop(watched);
            if let Some(judge) = judge {
                let now =
                    self.clock.current_time().ok_or_else(|| Error::new(Code::Internal, "the clock gives no time"))?;
                if let Some((certificate, revoked)) = find(&judge, &path, now, &mut HashMap::new()) {
                    return Err(revoked.error().at(describe(&certificate)));
                }
            }
            since = sweeps;
        }
    }

    /// Checks each certificate of the register once with `judge`, until it `is_over`. Reports each found connection
    /// once in its life, and returns their number. `judge` must use the newest content at each call.
    pub(crate) fn sweep(&self, judge: impl FnOnce() -> Option<Arc<PeerVerifier>>, is_over: &dyn Fn() -> bool) -> usize {
        let Some(now) = self.clock.current_time() else { return 0 };
        let (judge, paths) = {
            let mut watched = self.lock();
            let Some(judge) = judge() else { return 0 };
            watched.judge = Some(Arc::clone(&judge));
            self.sweeps.fetch_add(1, Ordering::Release);
            let paths: Vec<_> = watched.paths.values().filter(|watch| watch.has_untold()).collect();
            (judge, paths.iter().map(|watch| Arc::clone(&watch.path)).collect::<Vec<_>>())
        };
        let mut issuers = HashMap::new();
        let mut told = 0;
        for path in &paths {
            let Some((certificate, revoked)) = find(&judge, path, now, &mut issuers) else { continue };
            let Ok(facts) = CertificateFacts::from_der(&certificate) else { continue };
            let error = revoked.error().at(describe(&certificate));
            for (number, finding) in self.take_untold(path) {
                if is_over() {
                    return told;
                }
                self.tell(number, &finding, &facts, &revoked, &error, is_over);
                told += 1;
            }
        }
        told
    }

    /// Returns the unreported connections of a path, and marks them as reported.
    fn take_untold(&self, path: &VerifiedPath) -> Vec<(u64, Arc<SweepFinding>)> {
        let watched = self.lock();
        let Some(watch) = watched.paths.get(&path.fingerprint()) else { return Vec::new() };
        let untold = watch.connections.iter().filter(|(_, finding)| !finding.is_told.swap(true, Ordering::Relaxed));
        untold.map(|(number, finding)| (*number, Arc::clone(finding))).collect()
    }

    fn tell(
        &self,
        number: u64,
        finding: &SweepFinding,
        facts: &CertificateFacts,
        revoked: &Revoked,
        error: &Error,
        is_over: &dyn Fn() -> bool,
    ) {
        let peer = RevokedPeer {
            connection_id: number,
            user: finding.user,
            subject: facts.subject.clone(),
            issuer: facts.issuer.clone(),
            serial: facts.serial.clone(),
            reason: revoked.reason,
            revoked_unix_s: revoked.revoked_unix_s,
        };
        let action = match &self.callback {
            None => RevokedAction::Keep,
            Some(callback) => catch_unwind(AssertUnwindSafe(|| callback(&peer))).unwrap_or_else(|_| {
                self.log.write_about(number, Level::Error, "the callback for revoked peers has panicked");
                RevokedAction::Close
            }),
        };
        let what = match action {
            RevokedAction::Keep => "continues",
            RevokedAction::Close => {
                // Only the sweep that marked a connection as reported closes it.
                let _ = finding.closed.set(error.clone());
                "is closed"
            }
        };
        // The callback may have dropped the context.
        if !is_over() {
            let line = format!("connection {number} {what}, revoked while connected: {}", error.detail());
            self.log.write_about(number, Level::Warn, &line);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    fn has_untold(&self) -> bool {
        self.connections.values().any(|finding| !finding.is_told.load(Ordering::Relaxed))
    }
}

/// Returns the first revoked certificate of a path. `issuers` keeps the results for issuers, which many paths share.
fn find<'a>(
    judge: &PeerVerifier,
    path: &'a VerifiedPath,
    now: UnixTime,
    issuers: &mut HashMap<(&'a [u8], &'a [u8]), Option<Revoked>>,
) -> Option<(CertificateDer<'a>, Revoked)> {
    let certificates = path.certificates();
    let encodings = path.encodings().zip(path.encodings().skip(1));
    links(&certificates).zip(encodings).take(judge.asked_of(path)).enumerate().find_map(|(at, (link, encodings))| {
        let ask = || judge.revoked(link, now);
        let revoked = match at {
            0 => ask(),
            _ => issuers.entry(encodings).or_insert_with(ask).clone(),
        };
        revoked.map(|revoked| (CertificateDer::from(encodings.0), revoked))
    })
}

/// The registration of a connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct Registration {
    register: Arc<Register>,
    number: u64,
    path: Arc<VerifiedPath>,
    finding: Arc<SweepFinding>,
}

impl Registration {
    /// The path of the peer, shared by all its connections.
    #[cfg(test)]
    fn path(&self) -> &Arc<VerifiedPath> {
        &self.path
    }

    /// The error that ends the connection, if any.
    pub(crate) fn closed(&self) -> Option<&Error> {
        self.finding.closed.get()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let fingerprint = self.path.fingerprint();
        let mut watched = self.register.lock();
        let Some(watch) = watched.paths.get_mut(&fingerprint) else { return };
        watch.connections.remove(&self.number);
        if watch.connections.is_empty() {
            watched.paths.remove(&fingerprint);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use rustls::time_provider::DefaultTimeProvider;

    use super::*;
    use crate::keystore::TrustedCertificate;
    use crate::revocation::{Crls, Revocation, RevocationPolicy};
    use crate::verify::Deviations;

    /// A root with end entities. Its list revokes the first.
    struct Pki {
        judge: Arc<PeerVerifier>,
        paths: Vec<Arc<VerifiedPath>>,
    }

    impl Pki {
        fn new(leaves: u8) -> Self {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut params = rcgen::CertificateParams::default();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            let root = params.self_signed(&key).unwrap().der().clone();
            let issuer = rcgen::Issuer::new(params, key);
            let leaf = |serial: u8| {
                let mut params = rcgen::CertificateParams::new([format!("device-{serial}")]).unwrap();
                params.serial_number = Some(vec![serial].into());
                let key = rcgen::KeyPair::generate().unwrap();
                params.signed_by(&key, &issuer).unwrap().der().clone()
            };
            let path = |serial| Arc::new(VerifiedPath::new(&[leaf(serial), root.clone()]));
            let list = rcgen::CertificateRevocationListParams {
                this_update: rcgen::date_time_ymd(2020, 1, 1),
                next_update: rcgen::date_time_ymd(2040, 1, 1),
                crl_number: vec![1].into(),
                issuing_distribution_point: None,
                revoked_certs: vec![rcgen::RevokedCertParams {
                    serial_number: vec![1].into(),
                    revocation_time: rcgen::date_time_ymd(2020, 1, 1),
                    reason_code: None,
                    invalidity_date: None,
                }],
                key_identifier_method: rcgen::KeyIdMethod::Sha256,
            };
            let mut crls = Crls::default();
            crls.add(list.signed_by(&issuer).unwrap().der(), "ca.crl").unwrap();
            let trusted = TrustedCertificate::new(root.clone(), "ca.pem");
            let verifier = PeerVerifier::new(vec![trusted], Deviations::default()).unwrap();
            let judge = verifier.with_revocation(Revocation::new(RevocationPolicy::default(), crls));
            Self { judge: Arc::new(judge), paths: (1..=leaves).map(path).collect() }
        }

        fn sweep(&self, register: &Register) -> usize {
            register.sweep(|| Some(Arc::clone(&self.judge)), &|| false)
        }
    }

    /// A register, and the numbers of the reported connections.
    fn register() -> (Arc<Register>, Arc<Mutex<Vec<u64>>>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        let callback: RevokedCallback = Arc::new(move |peer| {
            heard.lock().unwrap().push(peer.connection_id);
            RevokedAction::Close
        });
        (Arc::new(Register::new(Arc::new(DefaultTimeProvider), quiet(), Some(callback))), told)
    }

    fn quiet() -> Log {
        Log::new(Some(Arc::new(|_| {})))
    }

    #[test]
    fn ten_thousand_connections_of_one_certificate_keep_one_path_and_leave_nothing() {
        let pki = Pki::new(2);
        let (register, told) = register();
        let places: Vec<_> = (0..10_000u64)
            .map(|at| {
                let path = Arc::new(VerifiedPath::new(&pki.paths[usize::from(at % 2 == 1)].certificates()));
                register.enter((register.number(), 0), path, register.sweeps()).unwrap()
            })
            .collect();
        assert_eq!(register.lock().paths.len(), 2);
        assert!(Arc::ptr_eq(places[0].path(), places[9_998].path()));
        assert_eq!(pki.sweep(&register), 5_000);
        assert_eq!(pki.sweep(&register), 0);
        assert_eq!(told.lock().unwrap().len(), 5_000);
        for (at, place) in places.iter().enumerate() {
            assert_eq!(place.closed().is_some(), at % 2 == 0);
        }
        drop(places);
        assert!(register.lock().paths.is_empty());
        assert_eq!(pki.sweep(&register), 0);
    }

    #[test]
    fn connection_that_enters_after_a_sweep_that_it_missed_is_judged_by_it() {
        let pki = Pki::new(2);
        let (register, told) = register();
        let before = register.sweeps();
        assert_eq!(pki.sweep(&register), 0);
        let error = register.enter((1, 0), Arc::clone(&pki.paths[0]), before).unwrap_err();
        assert_eq!(error.code(), Code::CertRevoked);
        let place = register.enter((2, 0), Arc::clone(&pki.paths[1]), before).unwrap();
        assert!(place.closed().is_none());
        assert!(told.lock().unwrap().is_empty());
    }

    #[test]
    fn sweeps_and_connections_of_many_threads_tell_of_each_connection_once() {
        const THREADS: usize = 8;
        const EACH: usize = 200;
        let pki = Pki::new(4);
        let (register, told) = register();
        let (told_by_sweeps, refused) = thread::scope(|scope| {
            let connect =
                |at: usize| {
                    let (register, pki) = (&register, &pki);
                    move || {
                        let mut refused = 0;
                        let mut places = Vec::new();
                        for step in 0..EACH {
                            let since = register.sweeps();
                            let path = Arc::clone(&pki.paths[(at + step) % pki.paths.len()]);
                            match register.enter((register.number(), 0), path, since) {
                                Ok(place) => places.push(place),
                                Err(_) => refused += 1,
                            }
                            places.drain(..places.len() / 8);
                        }
                        // This sweep finds all others at the latest.
                        let told = pki.sweep(register);
                        assert!(places.iter().all(|place| place.closed().is_none()
                            || place.path().certificates() == pki.paths[0].certificates()));
                        (told, refused)
                    }
                };
            let threads: Vec<_> = (0..THREADS).map(|at| scope.spawn(connect(at))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .fold((0, 0), |sum: (usize, usize), one| (sum.0 + one.0, sum.1 + one.1))
        });
        let mut told = told.lock().unwrap().clone();
        assert_eq!(told.len(), told_by_sweeps);
        assert!(told.len() + refused <= THREADS * EACH / pki.paths.len());
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), told_by_sweeps);
        assert!(register.lock().paths.is_empty());
    }
}
