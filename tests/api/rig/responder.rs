//! The real responder, `openssl ocsp`: as a process to be asked, and for answers in a file.

use std::path::{Path, PathBuf};
use std::process::Command;

use brokertls::revocation::CertIdHash;
use brokertls::revocation::ocsp::request;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::process::Running;
use crate::rig::pair::Authority;

/// A folder with what a responder goes by; removed when it is dropped.
pub(crate) struct Office(PathBuf);

/// The serial numbers that are good, and those that are revoked. Others are not known.
pub(crate) struct Register<'a> {
    pub(crate) good: &'a [&'a [u8]],
    pub(crate) revoked: &'a [&'a [u8]],
}

impl Office {
    /// The responder's folder of a test, for what this authority has issued; it signs as `signer`.
    pub(crate) fn new(test: &str, authority: &Authority, signer: &Authority) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("office-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
        std::fs::write(folder.join("signer.pem"), signer.pem() + &signer.key_pem()).unwrap();
        Self(folder)
    }

    /// Has it go by this register from now on; a responder that runs sees it after its next question.
    pub(crate) fn register(&self, register: &Register<'_>) {
        // Subjects must differ.
        let line = |serial: &[u8], state: &str| {
            let serial: String = serial.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("{state}\t{serial}\tunknown\t/CN={serial}\n")
        };
        let good = register.good.iter().map(|serial| line(serial, "V\t400101000000Z\t"));
        let revoked = "R\t400101000000Z\t250102030405Z,keyCompromise";
        let revoked = register.revoked.iter().map(|serial| line(serial, revoked));
        std::fs::write(self.0.join("index.new"), good.chain(revoked).collect::<String>()).unwrap();
        std::fs::rename(self.0.join("index.new"), self.0.join("index.txt")).unwrap();
    }

    fn command(&self, more: &str) -> Command {
        let fixed = "ocsp -index index.txt -CA ca.pem -rsigner signer.pem -rkey signer.pem";
        let mut command = Command::new("openssl");
        command.args(fixed.split(' ')).args(more.split(' ')).current_dir(&self.0);
        command
    }

    /// Starts the responder and returns its URL too. Its answers are valid for so many minutes.
    pub(crate) fn open(&self, minutes: u32) -> (Running, String) {
        let running = Running::start(&mut self.command(&format!("-nmin {minutes} -port 0")));
        let url = url_of(&running);
        (running, url)
    }

    /// The answer about a certificate in PEM, as of now and with `more` arguments.
    pub(crate) fn answer(&self, certificate: &str, more: &str) -> Vec<u8> {
        self.write_question(certificate);
        finish(self.command(&format!("-reqin asked.der -respout answer.der {more}")));
        std::fs::read(self.0.join("answer.der")).unwrap()
    }

    /// Asks a responder that runs, and is not interested in the answer.
    pub(crate) fn ask(&self, url: &str, certificate: &str) {
        self.write_question(certificate);
        let mut command = Command::new("openssl");
        command.args(["ocsp", "-reqin", "asked.der", "-respout", "answer.der", "-noverify", "-url", url]);
        command.current_dir(&self.0);
        finish(command);
    }

    fn write_question(&self, certificate: &str) {
        let read = |pem: &[u8]| CertificateDer::from_pem_slice(pem).unwrap();
        let issuer = read(&std::fs::read(self.0.join("ca.pem")).unwrap());
        let asked = request(&read(certificate.as_bytes()), &issuer, CertIdHash::Sha1, None).unwrap();
        std::fs::write(self.0.join("asked.der"), asked).unwrap();
    }
}

/// The URL of a responder that was started with a port of the system's choice.
pub(crate) fn url_of(running: &Running) -> String {
    // ACCEPT [::]:PORT PID=NUMBER, which may stand in the middle of a line of the other output.
    assert!(running.prints(" PID="), "{}", running.printed());
    let printed = running.printed();
    let address = printed.split("ACCEPT ").nth(1).and_then(|after| after.split(' ').next()).unwrap();
    format!("http://127.0.0.1:{}", address.rsplit(':').next().unwrap())
}

fn finish(mut command: Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Drop for Office {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
