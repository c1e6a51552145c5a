//! An OCSP responder that says that one certificate is good, and then hangs.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use brokertls_bench::pki::Pki;
use openssl::hash::MessageDigest;
use openssl::sha::sha1;
use openssl::sign::Signer;

use crate::list::{BIT_STRING, ECDSA_SHA256, SEQUENCE, element};

const OCTET_STRING: u8 = 0x04;
const GENERALIZED_TIME: u8 = 0x18;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_1: u8 = 0xa1;
/// The AlgorithmIdentifier of SHA-1, by which certificates are named.
const SHA1: &[u8] = &[0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00];
/// id-pkix-ocsp-basic, and the status of a response that is one.
const BASIC: &[u8] = &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
const SUCCESSFUL: &[u8] = &[0x0a, 1, 0];
const GOOD: &[u8] = &[0x80, 0];

/// Ends with the process.
pub struct Responder {
    port: u16,
    hangs: Arc<AtomicBool>,
}

impl Responder {
    /// Answers each request with the status good for the certificate of `pki`.
    pub fn new(pki: &Pki) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let hangs = Arc::new(AtomicBool::new(false));
        let body = response(pki);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        let answer = Arc::new([head.into_bytes(), body].concat());
        let shared = Arc::clone(&hangs);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (hangs, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                thread::spawn(move || serve(stream.unwrap(), &hangs, &answer));
            }
        });
        Self { port, hangs }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// From now on takes connections and requests, and says nothing.
    pub fn hang(&self) {
        self.hangs.store(true, Ordering::Relaxed);
    }
}

fn serve(mut stream: TcpStream, hangs: &AtomicBool, answer: &[u8]) {
    let mut request = [0; 4096];
    let mut length = 0;
    while !request[..length].ends_with(b"\r\n\r\n") {
        match stream.read(&mut request[length..]) {
            Ok(count @ 1..) => length += count,
            _ => return,
        }
    }
    match hangs.load(Ordering::Relaxed) {
        // Until the other side gives up.
        true => drop(io::copy(&mut stream, &mut io::sink())),
        false => stream.write_all(answer).unwrap(),
    }
}

/// The statement of the CA about the certificate (RFC 6960 section 4.2.1).
fn response(pki: &Pki) -> Vec<u8> {
    let name = pki.ca.subject_name().to_der().unwrap();
    // The content of a SubjectPublicKeyInfo's BIT STRING: for P-256 the uncompressed point, which comes last.
    let key = pki.ca.public_key().unwrap().public_key_to_der().unwrap();
    let point = &key[key.len() - 65..];
    let serial = pki.certificate.serial_number().to_bn().unwrap().to_vec();
    let id = [
        SHA1,
        &element(OCTET_STRING, &[&sha1(&name)]),
        &element(OCTET_STRING, &[&sha1(point)]),
        &element(0x02, &[&serial]),
    ];
    let [this_update, next_update] =
        [b"20250102030405Z", b"20450102030405Z"].map(|time| element(GENERALIZED_TIME, &[time]));
    let single = [&element(SEQUENCE, &id)[..], GOOD, &this_update, &element(CONTEXT_0, &[&next_update])];
    let data = [&element(CONTEXT_1, &[&name])[..], &this_update, &element(SEQUENCE, &[&element(SEQUENCE, &single)])];
    let data = element(SEQUENCE, &data);
    let signature = Signer::new(MessageDigest::sha256(), &pki.ca_key).unwrap().sign_oneshot_to_vec(&data).unwrap();
    let basic = element(SEQUENCE, &[&data, ECDSA_SHA256, &element(BIT_STRING, &[&[0], &signature])]);
    let bytes = element(SEQUENCE, &[BASIC, &element(OCTET_STRING, &[&basic])]);
    element(SEQUENCE, &[SUCCESSFUL, &element(CONTEXT_0, &[&bytes])])
}
