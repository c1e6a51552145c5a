//! Old versions and suites of CBC as devices offer them: Erlang and Python with a certificate of the server.

use std::process::Command;

use brokertls::Code;

use super::world::{World, talk};

/// Erlang's client, which sends a line and prints the answer, or its error. The arguments are the port, the version and
/// the suite.
const ERLANG: &str = r#"
    {ok, _} = application:ensure_all_started(ssl),
    [Port, Version, Suite] = init:get_plain_arguments(),
    Options = [{versions, [list_to_atom(Version)]}, {verify, verify_none}, {active, false}, {log_level, none},
        {ciphers, [ssl:str_to_suite(Suite)]}],
    case ssl:connect({127, 0, 0, 1}, list_to_integer(Port), Options, 20000) of
        {ok, Socket} ->
            ok = ssl:send(Socket, <<"ping\n">>),
            {ok, Answer} = ssl:recv(Socket, 5, 20000),
            io:put_chars(Answer);
        {error, {tls_alert, {Alert, _}}} -> io:format("~s~n", [Alert]);
        {error, Reason} -> io:format("~p~n", [Reason])
    end,
    halt()."#;

fn erlang(port: u16, version: &str, suite: &str) -> Command {
    let mut command = Command::new("erl");
    let code = ERLANG.replace('\n', " ");
    command.args(["-noshell", "-noinput", "-eval", &code, "-extra", &port.to_string(), version, suite]);
    command
}

#[test]
fn erlang_of_each_old_version_is_served_with_cbc_and_refused_where_its_version_is_not_named() {
    let world = World::new("erlang");
    let context = world.builder().build().unwrap();
    let cbc = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA";
    for (theirs, ours, suite) in [
        ("tlsv1", "TLSv1", cbc),
        ("tlsv1.1", "TLSv1.1", cbc),
        ("tlsv1.2", "TLSv1.2", cbc),
        ("tlsv1.2", "TLSv1.2", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
    ] {
        let met = world.meet_program(&context, |port| erlang(port, theirs, suite), talk);
        let seen = met.went_well();
        assert_eq!((seen.version.as_str(), seen.suite.as_str()), (ours, suite));
    }
    let strict = world.builder().versions("TLSv1.3,TLSv1.2").build().unwrap();
    let met = world.meet_program(&strict, |port| erlang(port, "tlsv1", cbc), talk);
    let error = met.ours.unwrap_err();
    assert_eq!(error.code(), Code::NoCommonVersion, "{error}\n{}", met.theirs);
    assert!(error.hint().contains("versions=TLSv1.3,TLSv1.2,TLSv1."), "{}", error.hint());
    assert!(met.theirs.contains("protocol_version"), "{}", met.theirs);
}

/// Python's client, likewise.
const PYTHON: &str = r"
import socket, ssl, sys, warnings
warnings.simplefilter('ignore')
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.minimum_version = context.maximum_version = ssl.TLSVersion[sys.argv[2]]
context.set_ciphers(sys.argv[3])
try:
    client = context.wrap_socket(socket.create_connection(('127.0.0.1', int(sys.argv[1]))))
    client.sendall(b'ping\n')
    print(client.recv(5).decode(), end='')
except OSError as error:
    print(error)
";

fn python(port: u16, version: &str, suite: &str) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", PYTHON, &port.to_string(), version, &format!("{suite}:@SECLEVEL=0")]);
    command
}

#[test]
fn python_of_each_old_version_is_served_with_cbc_and_refused_where_its_version_is_not_named() {
    let world = World::new("python");
    let context = world.builder().build().unwrap();
    for (theirs, ours) in [("TLSv1", "TLSv1"), ("TLSv1_1", "TLSv1.1"), ("TLSv1_2", "TLSv1.2")] {
        let met = world.meet_program(&context, |port| python(port, theirs, "ECDHE-RSA-AES128-SHA"), talk);
        let seen = met.went_well();
        assert_eq!((seen.version.as_str(), seen.suite.as_str()), (ours, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"));
    }
    let strict = world.builder().versions("TLSv1.3,TLSv1.2").build().unwrap();
    let met = world.meet_program(&strict, |port| python(port, "TLSv1", "ECDHE-RSA-AES128-SHA"), talk);
    assert_eq!(met.ours.unwrap_err().code(), Code::NoCommonVersion, "{}", met.theirs);
    assert!(met.theirs.to_lowercase().contains("protocol version"), "{}", met.theirs);
}
