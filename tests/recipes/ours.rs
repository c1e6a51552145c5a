//! Our side of a recipe: a context's connection over a TCP socket of the loopback interface, and what it learns of its
//! peer.

use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use brokertls::certificate::CertificateFacts;
use brokertls::verify::Deviation;
use brokertls::{Code, Connection, Context, Error, Result, Status, Stream};

use crate::process::{PATIENCE, Running};

/// The first message of every client of a recipe.
pub(crate) const CLIENT_SAYS: &str = "hello from the client\n";
/// The answer of every server of a recipe.
pub(crate) const SERVER_SAYS: &str = "hello from the server\n";

/// Facts of a connection on our side after a whole conversation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Protocol version.
    pub(crate) version: String,
    /// Cipher suite, by its IANA name.
    pub(crate) suite: String,
    /// Subject of the peer's certificate; empty if it had none.
    pub(crate) subject: String,
    /// The number of certificates that the peer sent.
    pub(crate) chain_length: usize,
    /// Application protocol.
    pub(crate) alpn: String,
    /// Server name that the client sent.
    pub(crate) server_name: String,
    /// Deviations that were needed.
    pub(crate) deviations: Vec<Deviation>,
}

/// Both ends' account of one connection.
pub(crate) struct Meeting {
    /// Ours.
    pub(crate) ours: Result<Seen>,
    /// All that the peer printed.
    pub(crate) theirs: String,
    /// Text that the peer prints of a conversation that ended well.
    pub(crate) marks: &'static [&'static str],
    /// True if the peer prints the cipher suite.
    pub(crate) names_suite: bool,
}

impl Meeting {
    /// The end of the output of the peer, which names its error.
    pub(crate) fn last_words(&self) -> &str {
        const SHOWN: usize = 3000;
        let start = self.theirs.char_indices().rev().nth(SHOWN).map_or(0, |(start, _)| start);
        &self.theirs[start..]
    }

    /// Fails unless the peer printed this.
    #[track_caller]
    pub(crate) fn assert_printed(&self, words: &str) {
        assert!(self.theirs.contains(words), "the peer did not print {words:?}:\n{}", self.last_words());
    }

    /// The error of our side, which has this code and a hint.
    #[track_caller]
    pub(crate) fn failed(&self, code: Code) -> &Error {
        let error = self.ours.as_ref().expect_err("the conversation went well");
        assert_eq!(error.code(), code, "{error}\nthe peer:\n{}", self.last_words());
        assert!(!error.hint().is_empty(), "{error}");
        error
    }

    /// Facts of a conversation that ended well on both sides, in this version.
    #[track_caller]
    pub(crate) fn went_well(&self, version: &str) -> Seen {
        let seen = self.ours.clone().unwrap_or_else(|error| panic!("{error}\nthe peer:\n{}", self.last_words()));
        self.marks.iter().for_each(|mark| self.assert_printed(mark));
        assert_eq!(seen.version, version);
        let is_tls13_suite = !seen.suite.contains("_WITH_");
        assert_eq!(is_tls13_suite, version == "TLSv1.3", "{}", seen.suite);
        if self.names_suite {
            let names = [seen.suite.clone(), openssl_name(&seen.suite)];
            assert!(names.iter().any(|name| self.theirs.contains(name)), "{names:?}:\n{}", self.last_words());
        }
        seen
    }
}

/// The name in OpenSSL of a suite of TLS 1.2.
fn openssl_name(suite: &str) -> String {
    let suite = suite.trim_start_matches("TLS_").replace("_WITH_", "_").replace("AES_", "AES");
    suite.replace("CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305").replace('_', "-")
}

/// A connection that waits, with a limit, instead of coming back.
pub(crate) struct Talk {
    stream: Stream,
    /// Kept open for the stream, which borrows its number.
    socket: TcpStream,
}

impl Talk {
    fn new(connection: Connection, socket: TcpStream) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        let mut stream = Stream::new(connection);
        stream.set_descriptors(socket.as_raw_fd(), socket.as_raw_fd()).unwrap();
        Self { stream, socket }
    }

    /// Completes the handshake.
    pub(crate) fn handshake(&mut self) -> Result<()> {
        assert_eq!(self.stream.handshake()?, Status::Done(()), "the peer has stalled");
        Ok(())
    }

    /// Sends all of it.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        assert_eq!(self.stream.write(bytes)?, Status::Done(bytes.len()), "the peer has stalled");
        Ok(())
    }

    /// Reads until `is_enough` of what has come, or the peer closes.
    pub(crate) fn read_until(&mut self, is_enough: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        let mut heard = Vec::new();
        let mut buffer = [0; 1024];
        while !is_enough(&heard) {
            match self.stream.read(&mut buffer)? {
                Status::Done(count) => heard.extend_from_slice(&buffer[..count]),
                Status::Closed => break,
                wait => panic!("the peer has stalled ({wait:?}) after {:?}", String::from_utf8_lossy(&heard)),
            }
        }
        Ok(heard)
    }

    /// Reads one line and compares it.
    pub(crate) fn hear(&mut self, line: &str) -> Result<()> {
        let heard = self.read_until(|heard| heard.ends_with(b"\n"))?;
        assert_eq!(String::from_utf8_lossy(&heard), line);
        Ok(())
    }

    /// Sends close_notify and waits for the peer's.
    pub(crate) fn close(&mut self) -> Result<()> {
        assert_eq!(self.stream.close_write()?, Status::Done(()), "the peer has stalled");
        self.hear_close()
    }

    /// Waits for the peer's close_notify; nothing else may come before it.
    pub(crate) fn hear_close(&mut self) -> Result<()> {
        assert_eq!(self.read_until(|heard| !heard.is_empty())?, b"");
        Ok(())
    }

    /// Runs a whole conversation. After a failure the peer gets the time to read why: a socket that is closed with
    /// bytes unread takes back what it has sent.
    fn run(mut self, conversation: impl FnOnce(&mut Self) -> Result<()>) -> Result<Seen> {
        let outcome = self.handshake().and_then(|()| conversation(&mut self));
        if outcome.is_err() {
            let _ = self.socket.shutdown(Shutdown::Write);
            let _ = std::io::copy(&mut self.socket, &mut std::io::sink());
        }
        outcome.map(|()| self.seen())
    }

    /// Facts of the connection.
    pub(crate) fn seen(&self) -> Seen {
        let connection = self.stream.connection();
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let peer =
            connection.peer_chain().first().map(|der| CertificateFacts::from_der(der).unwrap().subject.to_string());
        Seen {
            version: text(connection.version()),
            suite: text(connection.cipher_suite()),
            subject: peer.unwrap_or_default(),
            chain_length: connection.peer_chain().len(),
            alpn: String::from_utf8_lossy(connection.alpn().unwrap_or_default()).into_owned(),
            server_name: text(connection.server_name()),
            deviations: connection.deviations().to_vec(),
        }
    }
}

/// A listening socket on a port of the system's choice.
pub(crate) fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Serves the one connection that `peer` makes.
pub(crate) fn serve(
    context: &Context,
    listener: &TcpListener,
    peer: &Running,
    conversation: impl FnOnce(&mut Talk) -> Result<()>,
) -> Result<Seen> {
    Talk::new(context.accept().unwrap(), peer.accepted_by(listener)).run(conversation)
}

/// Serves as a recipe's server does: hears a line, answers, closes.
pub(crate) fn serve_lines(context: &Context, listener: &TcpListener, peer: &Running) -> Result<Seen> {
    serve(context, listener, peer, |talk| {
        talk.hear(CLIENT_SAYS)?;
        talk.write(SERVER_SAYS.as_bytes())?;
        talk.close()
    })
}

/// Connects to a port of this machine; `host`, if given, is the name that the certificate must hold.
pub(crate) fn connect(
    context: &Context,
    host: Option<&str>,
    port: u16,
    conversation: impl FnOnce(&mut Talk) -> Result<()>,
) -> Result<Seen> {
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    Talk::new(context.connect(host).unwrap(), socket).run(conversation)
}

/// Connects as a recipe's client does: sends a line, hears the answer, closes.
pub(crate) fn connect_lines(context: &Context, host: Option<&str>, port: u16) -> Result<Seen> {
    connect(context, host, port, |talk| {
        talk.write(CLIENT_SAYS.as_bytes())?;
        talk.hear(SERVER_SAYS)?;
        talk.close()
    })
}
