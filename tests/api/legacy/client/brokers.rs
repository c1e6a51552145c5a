//! Brokers and servers of others with a pre-shared key: mosquitto, Node and Erlang.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::Command;

use brokertls::{Code, ConnectionSettings, Error, Status, Stream};

use super::super::world::{Seen, World, shake_hands};
use super::{SECRET, meet_program, with_key};
use crate::process::{PATIENCE, Running};

/// A broker on a free port. It cannot choose one itself, so another program may take the port first; then again.
fn mosquitto(world: &World) -> (Running, u16) {
    std::fs::write(world.file("device.psk"), format!("device:{SECRET}\n")).unwrap();
    for _ in 0..10 {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let settings = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\npsk_hint site\npsk_file {}\n",
            world.file("device.psk").display()
        );
        std::fs::write(world.file("mosquitto.conf"), settings).unwrap();
        let mut command = Command::new("mosquitto");
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        command.args(["-v", "-c", "mosquitto.conf"]).current_dir(world.file("")).env("PATH", path);
        let peer = Running::start(&mut command);
        if peer.prints(" running") {
            return (peer, port);
        }
    }
    panic!("no port was free for the broker");
}

/// Connects by MQTT, and hears that the broker accepts it.
fn join(stream: &mut Stream) -> Result<Seen, Error> {
    const HELLO: &[u8] = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04ours";
    shake_hands(stream)?;
    assert_eq!(stream.write(HELLO)?, Status::Done(HELLO.len()));
    let mut answer = [0; 4];
    assert_eq!(stream.read(&mut answer)?, Status::Done(4));
    assert_eq!(answer, [0x20, 2, 0, 0]);
    Ok(Seen::of(stream.connection()))
}

#[test]
fn mosquitto_with_a_file_of_keys_takes_the_client_with_its_key_and_refuses_another() {
    let world = World::new("client-mosquitto");
    let (_broker, port) = mosquitto(&world);
    let join = |context: &brokertls::Context| {
        let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = Stream::new(context.connect(None).unwrap());
        stream.set_descriptors(socket.as_raw_fd(), socket.as_raw_fd()).unwrap();
        join(&mut stream)
    };
    let seen = join(&with_key().build().unwrap()).unwrap();
    assert_eq!(seen.psk_identity, "device");
    let old = join(&with_key().versions("tlsv1.2").build().unwrap()).unwrap();
    assert_eq!((old.version.as_str(), old.psk_identity.as_str()), ("TLSv1.2", "device"));
    let mut builder = super::without_key();
    let context = builder.versions("tlsv1.2").psk(b"device", brokertls::Psk::new(&[7; 16]).unwrap());
    let error = join(&context.psk_identity(b"device").build().unwrap()).unwrap_err();
    assert_eq!(error.code(), Code::AlertBadRecordMac, "{error}");
}

/// Node's server, which prints its port, sends what it is told, and prints what it hears.
const NODE: &str = r"
const [identity, secret, version] = process.argv.slice(1);
const server = require('tls').createServer({
    minVersion: version, maxVersion: version, ciphers: 'PSK:TLS_AES_128_GCM_SHA256', pskIdentityHint: 'site',
    pskCallback: (socket, name) => name === identity ? Buffer.from(secret, 'hex') : null,
}, (socket) => {
    socket.on('data', (data) => process.stdout.write(data));
    socket.on('end', () => process.exit());
    socket.write('ping\n');
});
server.on('tlsClientError', (error) => { console.log(error.code); process.exit(); });
server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
";

#[test]
fn node_with_a_psk_callback_takes_the_client_with_its_key_and_refuses_another() {
    let context = with_key().build().unwrap();
    let settings = ConnectionSettings::default();
    for version in ["TLSv1.2", "TLSv1.3"] {
        let start = |identity: &str, secret: &str| {
            let mut command = Command::new("node");
            let peer = Running::start(command.env_remove("NODE_OPTIONS").args(["-e", NODE, identity, secret, version]));
            let port = peer.port(0, "port ");
            (peer, port)
        };
        let (peer, port) = start("device", SECRET);
        let met = meet_program(&context, &settings, peer, port);
        let seen = met.went_well();
        assert_eq!((seen.version.as_str(), seen.psk_identity.as_str()), (version, "device"));
        let (peer, port) = start("device", "00ff");
        let met = meet_program(&context, &settings, peer, port);
        let code = if version == "TLSv1.2" { Code::AlertBadRecordMac } else { Code::AlertIllegalParameter };
        met.failed(code);
        let (peer, port) = start("another", SECRET);
        let met = meet_program(&context, &settings, peer, port);
        let is_old = version == "TLSv1.2";
        met.failed(if is_old { Code::AlertUnknownPskIdentity } else { Code::AlertHandshakeFailure });
    }
}

/// Erlang's server, which prints its port, sends a line, and prints the answer.
const ERLANG: &str = r#"
    {ok, _} = application:ensure_all_started(ssl),
    [Secret | Names] = init:get_plain_arguments(),
    Key = binary:encode_unsigned(list_to_integer(Secret, 16)),
    Find = fun(psk, <<"device">>, State) -> {ok, State}; (_, _, _) -> error end,
    Suites = [ssl:str_to_suite(Name) || Name <- Names],
    Options = [{versions, ['tlsv1.2']}, {active, false}, {log_level, none}, {ip, {127, 0, 0, 1}},
        {ciphers, Suites}, {psk_identity, "site"}, {user_lookup_fun, {Find, Key}}],
    {ok, Listener} = ssl:listen(0, Options),
    {ok, {_, Port}} = ssl:sockname(Listener),
    io:format("port ~b~n", [Port]),
    {ok, Waiting} = ssl:transport_accept(Listener),
    case ssl:handshake(Waiting, 20000) of
        {ok, Socket} ->
            ok = ssl:send(Socket, <<"ping\n">>),
            {ok, Answer} = ssl:recv(Socket, 5, 20000),
            io:put_chars(Answer);
        {error, {tls_alert, {Alert, _}}} -> io:format("~s~n", [Alert]);
        {error, Reason} -> io:format("~p~n", [Reason])
    end,
    Wait = fun Next() -> case io:get_line("") of eof -> ok; _ -> Next() end end,
    Wait(),
    halt()."#;

#[test]
fn erlang_takes_the_client_by_each_kind_of_exchange_with_its_key_and_refuses_another() {
    let context = with_key().versions("tlsv1.2").build().unwrap();
    let settings = ConnectionSettings::default();
    let start = |secret: &str, suite: &str| {
        let mut command = Command::new("erl");
        let code = ERLANG.replace('\n', " ");
        let peer = Running::start(command.args(["-noshell", "-eval", &code, "-extra", secret, suite]));
        let port = peer.port(0, "port ");
        (peer, port)
    };
    for suite in [
        "TLS_PSK_WITH_AES_128_GCM_SHA256",
        "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256",
    ] {
        let (peer, port) = start(SECRET, suite);
        let met = meet_program(&context, &settings, peer, port);
        let seen = met.went_well();
        assert_eq!((seen.suite.as_str(), seen.psk_identity.as_str()), (suite, "device"));
    }
    let (peer, port) = start("8fff", "TLS_PSK_WITH_AES_128_GCM_SHA256");
    // It closes without the alert that it reports.
    let met = meet_program(&context, &settings, peer, port);
    met.failed(Code::HandshakeEof);
    assert!(met.theirs.contains("bad_record_mac"), "{}", met.theirs);
}
