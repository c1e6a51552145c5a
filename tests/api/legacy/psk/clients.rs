//! Devices as brokers meet them: mosquitto_pub, Node, Erlang and Python with a pre-shared key.

use std::process::Command;

use brokertls::{Code, Error, Status, Stream};

use super::super::world::{World, talk};
use super::{KEYS, RSA, SECRET, keys_alone, keys_of};

/// Reads packets of MQTT until the client disconnects: answers its CONNECT, and expects one message.
fn broker(stream: &mut Stream) -> Result<(), Error> {
    const CONNECT: u8 = 0x10;
    const PUBLISH: u8 = 0x30;
    const DISCONNECT: u8 = 0xe0;
    let mut kinds = Vec::new();
    let mut heard: Vec<u8> = Vec::new();
    let mut buffer = [0; 256];
    while kinds.last() != Some(&DISCONNECT) {
        match stream.read(&mut buffer)? {
            Status::Done(count) => heard.extend_from_slice(&buffer[..count]),
            other => panic!("{other:?} after {kinds:?}"),
        }
        // The packets of this client have less than 128 bytes.
        while heard.len() >= 2 && heard.len() >= 2 + usize::from(heard[1]) {
            let packet: Vec<u8> = heard.drain(..2 + usize::from(heard[1])).collect();
            kinds.push(packet[0]);
            if packet[0] == CONNECT {
                assert_eq!(stream.write(&[0x20, 2, 0, 0])?, Status::Done(4));
            }
        }
    }
    assert_eq!(kinds, [CONNECT, PUBLISH, DISCONNECT]);
    Ok(())
}

fn mosquitto(port: u16, identity: &str, secret: &str, version: &str) -> Command {
    let mut command = Command::new("mosquitto_pub");
    let port = port.to_string();
    command.args(["-h", "127.0.0.1", "-p", &port, "-t", "topic", "-m", "message", "-V", "mqttv311"]);
    command.args(["--psk-identity", identity, "--psk", secret, "--tls-version", version]);
    command
}

#[test]
fn mosquitto_pub_is_served_with_its_key_and_refused_with_another() {
    let world = World::new("psk-mosquitto");
    let alone = keys_alone(KEYS).build().unwrap();
    let mut builder = world.builder();
    let both = builder.psk_file(keys_of(KEYS)).build().unwrap();
    for context in [&alone, &both] {
        for (version, is_version) in [("tlsv1.2", "TLSv1.2"), ("tlsv1.3", "TLSv1.3")] {
            let met = world.meet_program(context, |port| mosquitto(port, "myclient1", SECRET, version), broker);
            let seen = met.ours.as_ref().unwrap_or_else(|error| panic!("{error}\n{}", met.theirs));
            // The option names the oldest version that it takes.
            assert!(seen.version.as_str() >= is_version, "{seen:?}");
            assert_eq!(seen.psk_identity, "myclient1");
        }
        let met = world.meet_program(context, |port| mosquitto(port, "myclient1", "00ff", "tlsv1.2"), broker);
        assert_eq!(met.ours.unwrap_err().code(), Code::PskRefused, "{}", met.theirs);
        assert_eq!(met.facts.psk_identity, "");
    }
}

#[test]
fn file_of_mosquitto_with_zero_bytes_at_the_start_of_a_key_serves_its_client() {
    let world = World::new("psk-mosquitto-zeros");
    let secret = "00008c701116e9127c57a99d5563709a";
    let context = keys_alone(&format!("# fleet\ndevice:{secret}\n")).build().unwrap();
    for version in ["tlsv1.2", "tlsv1.3"] {
        let met = world.meet_program(&context, |port| mosquitto(port, "device", secret, version), broker);
        let seen = met.ours.unwrap_or_else(|error| panic!("{error}\n{}", met.theirs));
        assert_eq!(seen.psk_identity, "device");
    }
}

/// Node's client, which sends a line and prints the answer, or its error.
const NODE: &str = r"
const [port, identity, secret, version] = process.argv.slice(1);
const socket = require('tls').connect({
    port, host: '127.0.0.1', minVersion: version, maxVersion: version, ciphers: 'PSK:TLS_AES_128_GCM_SHA256',
    checkServerIdentity: () => {}, pskCallback: () => ({ identity, psk: Buffer.from(secret, 'hex') }),
}, () => socket.write('ping\n'));
socket.on('data', (data) => process.stdout.write(data));
socket.on('error', (error) => console.log(error.code));
";

fn node(port: u16, identity: &str, secret: &str, version: &str) -> Command {
    let mut command = Command::new("node");
    command.env_remove("NODE_OPTIONS");
    command.args(["-e", NODE, &port.to_string(), identity, secret, version]);
    command
}

#[test]
fn node_with_a_psk_callback_is_served_with_its_key_and_refused_with_another() {
    let world = World::new("psk-node");
    let context = keys_alone(KEYS).build().unwrap();
    for version in ["TLSv1.2", "TLSv1.3"] {
        let met = world.meet_program(&context, |port| node(port, "myclient1", SECRET, version), talk);
        let seen = met.went_well();
        assert_eq!((seen.version.as_str(), seen.psk_identity.as_str()), (version, "myclient1"));
        let met = world.meet_program(&context, |port| node(port, "myclient1", "00ff", version), talk);
        assert_eq!(met.ours.unwrap_err().code(), Code::PskRefused, "{}", met.theirs);
        assert!(met.theirs.contains("ALERT"), "{}", met.theirs);
    }
}

/// Erlang's client, which sends a line and prints the answer, or its error.
const ERLANG: &str = r#"
    {ok, _} = application:ensure_all_started(ssl),
    [Port, Identity, Secret | Names] = init:get_plain_arguments(),
    Key = binary:encode_unsigned(list_to_integer(Secret, 16)),
    Find = fun(psk, _Hint, State) -> {ok, State} end,
    Suites = [ssl:str_to_suite(Name) || Name <- Names],
    Options = [{versions, ['tlsv1.2']}, {verify, verify_none}, {active, false}, {log_level, none},
        {ciphers, Suites}, {psk_identity, Identity}, {user_lookup_fun, {Find, Key}}],
    case ssl:connect({127, 0, 0, 1}, list_to_integer(Port), Options, 20000) of
        {ok, Socket} ->
            ok = ssl:send(Socket, <<"ping\n">>),
            {ok, Answer} = ssl:recv(Socket, 5, 20000),
            io:put_chars(Answer);
        {error, {tls_alert, {Alert, _}}} -> io:format("~s~n", [Alert]);
        {error, Reason} -> io:format("~p~n", [Reason])
    end,
    halt()."#;

fn erlang(port: u16, identity: &str, secret: &str, suites: &[&str]) -> Command {
    let mut command = Command::new("erl");
    let (code, port) = (ERLANG.replace('\n', " "), port.to_string());
    command.args(["-noshell", "-noinput", "-eval", &code, "-extra", &port, identity, secret]).args(suites);
    command
}

#[test]
fn erlang_is_served_by_each_kind_of_exchange_with_a_key_and_refused_with_another() {
    let world = World::new("psk-erlang");
    let mut builder = world.builder();
    let context = builder.legacy_allow(RSA).psk_file(keys_of(KEYS)).build().unwrap();
    for suites in [
        &["TLS_PSK_WITH_AES_128_GCM_SHA256"][..],
        &["TLS_DHE_PSK_WITH_AES_128_GCM_SHA256"],
        // Erlang names its groups only if it offers a suite of ECDHE with a certificate.
        &["TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
        &["TLS_RSA_PSK_WITH_AES_128_GCM_SHA256"],
    ] {
        let met = world.meet_program(&context, |port| erlang(port, "myclient1", SECRET, suites), talk);
        let seen = met.went_well();
        assert_eq!((seen.suite.as_str(), seen.psk_identity.as_str()), (suites[0], "myclient1"));
    }
    let without_groups = ["TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256"];
    let met = world.meet_program(&context, |port| erlang(port, "myclient1", SECRET, &without_groups), talk);
    assert_eq!(met.ours.unwrap_err().code(), Code::NoCommonGroup, "{}", met.theirs);
    for (identity, secret) in [("myclient1", "8fff"), ("stranger", SECRET)] {
        let suites = ["TLS_PSK_WITH_AES_128_GCM_SHA256"];
        let met = world.meet_program(&context, |port| erlang(port, identity, secret, &suites), talk);
        assert_eq!(met.ours.unwrap_err().code(), Code::PskRefused, "{}", met.theirs);
        assert!(met.theirs.contains("bad_record_mac"), "{}", met.theirs);
    }
}

/// Python's client, which sends a line and prints the answer, or its error. Before 3.13, its own TLS has no pre-shared
/// keys: it is mbed TLS then, as many devices have.
const PYTHON: &str = r#"
import socket, sys
port, identity, secret, suite, name = sys.argv[1:]
secret = bytes.fromhex(secret)
try:
    import ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Only Python 3.13 and newer have it.
    context.set_psk_client_callback(lambda hint: (identity, secret))
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)
    wrap, refused, again = context.wrap_socket, ssl.SSLError, ssl.SSLWantReadError
except AttributeError:
    from mbedtls import exceptions, tls
    settings = tls.TLSConfiguration(validate_certificates=False, pre_shared_key=(identity, secret), ciphers=[name])
    wrap = lambda plain: tls.ClientContext(settings).wrap_socket(plain, server_hostname=None)
    refused, again = exceptions.TLSError, tls.WantReadError

def patiently(call, *arguments):
    while True:
        try:
            return call(*arguments)
        except again:
            pass

try:
    connection = wrap(socket.create_connection(("127.0.0.1", int(port))))
    patiently(connection.do_handshake)
    patiently(connection.send, b"ping\n")
    print(patiently(connection.recv, 5).decode(), end="")
except refused as error:
    print("refused:", error)
"#;

fn python(port: u16, identity: &str, secret: &str, names: [&str; 2]) -> Command {
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/target/python"));
    command.args(["-c", PYTHON, &port.to_string(), identity, secret]).args(names);
    command
}

#[test]
fn python_is_served_by_each_kind_of_exchange_with_a_key_and_refused_with_another() {
    let world = World::new("psk-python");
    let mut builder = world.builder();
    let context = builder.legacy_allow(RSA).psk_file(keys_of(KEYS)).build().unwrap();
    for (suite, names) in [
        ("TLS_PSK_WITH_AES_128_GCM_SHA256", ["PSK-AES128-GCM-SHA256", "TLS-PSK-WITH-AES-128-GCM-SHA256"]),
        ("TLS_DHE_PSK_WITH_AES_128_GCM_SHA256", ["DHE-PSK-AES128-GCM-SHA256", "TLS-DHE-PSK-WITH-AES-128-GCM-SHA256"]),
        (
            "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256",
            ["ECDHE-PSK-AES128-CBC-SHA256", "TLS-ECDHE-PSK-WITH-AES-128-CBC-SHA256"],
        ),
        ("TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", ["RSA-PSK-AES128-GCM-SHA256", "TLS-RSA-PSK-WITH-AES-128-GCM-SHA256"]),
    ] {
        let met = world.meet_program(&context, |port| python(port, "myclient1", SECRET, names), talk);
        let seen = met.went_well();
        assert_eq!((seen.suite.as_str(), seen.psk_identity.as_str()), (suite, "myclient1"));
        for (identity, secret) in [("myclient1", "8fff"), ("stranger", SECRET)] {
            let met = world.meet_program(&context, |port| python(port, identity, secret, names), talk);
            assert_eq!(met.ours.unwrap_err().code(), Code::PskRefused, "{}", met.theirs);
            assert!(met.theirs.contains("refused: "), "{}", met.theirs);
        }
    }
}
