//! A host that answers as its fields say, and notes each question.

use std::sync::{Arc, Mutex};

use brokertls::host::{HandshakeHost, HelloFacts, IdentityRequest, PeerToJudge};
use brokertls::keystore::{Identity, OpenOptions, open};
use brokertls::{Code, Error, Result};
use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;

use crate::rig::pair::Authority;

/// Answers as its fields say, and records each question.
#[derive(Debug, Default)]
pub(crate) struct Host {
    pub(crate) identity: Option<Arc<Identity>>,
    pub(crate) refuses_identity: Option<Code>,
    pub(crate) refuses_peer: Option<Code>,
    pub(crate) refuses_hello: Option<Code>,
    pub(crate) selects: Option<&'static str>,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Host {
    pub(crate) fn with_identity(authority: &Authority, name: &str) -> Self {
        let pem = authority.issue(&[name], |_| {});
        let store = open("host", pem.as_bytes(), &OpenOptions::default()).unwrap();
        let read = store.identities().unwrap().remove(0);
        let identity = Identity::new(read.chain.clone(), Arc::clone(&read.signing_key), "host").unwrap();
        Self { identity: Some(Arc::new(identity)), ..Self::default() }
    }

    /// Refuses every peer with this code.
    pub(crate) fn refusing_peer(authority: &Authority, code: Code) -> Self {
        Self { refuses_peer: Some(code), ..Self::with_identity(authority, "broker.example") }
    }

    /// Refuses every ClientHello with this code.
    pub(crate) fn refusing_hello(authority: &Authority, code: Code) -> Self {
        Self { refuses_hello: Some(code), ..Self::with_identity(authority, "broker.example") }
    }

    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(refusal: Option<Code>) -> Result<()> {
    refusal.map_or(Ok(()), |code| Err(Error::new(code, "the host says so")))
}

impl HandshakeHost for Host {
    fn client_hello(&self, hello: &HelloFacts<'_>) -> Result<Option<Vec<u8>>> {
        let protocols: Vec<_> = hello.protocols.iter().map(|name| String::from_utf8_lossy(name)).collect();
        self.note(format!("hello {:?} {protocols:?}", hello.server_name));
        answer(self.refuses_hello)?;
        Ok(self.selects.map(|protocol| protocol.as_bytes().to_vec()))
    }

    fn choose_identity(&self, request: &IdentityRequest<'_>) -> Result<Option<Arc<Identity>>> {
        let (kinds, shown) = (&request.key_types, request.peer_chain.len());
        self.note(format!("identity {:?} {:?} {kinds:?} {shown}", request.purpose, request.server_name));
        answer(self.refuses_identity)?;
        Ok(self.identity.clone())
    }

    fn check_peer(&self, peer: &PeerToJudge<'_>) -> Result<()> {
        self.note(format!("peer {:?} {} {}", peer.purpose, peer.version, peer.chain.len()));
        answer(self.refuses_peer)
    }

    fn check_proof(&self, _: &CertificateDer<'_>, _: SignatureScheme, _: &[u8], _: &[u8]) -> Result<()> {
        // The keys of these tests are served, unless a test damages them.
        Err(Error::from(Code::CertProofInvalid))
    }
}
