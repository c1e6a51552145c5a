#!/usr/bin/env bash
# A client of Erlang/OTP with TLS 1.3 and 1.2 among its versions leaves suites with a pre-shared key out of its hello.
#
# Seen with Erlang/OTP 25 of Debian 12 (ssl 10.8.7, packages erlang-base and erlang-ssl), installed from there if
# missing.
# The client lists TLS_PSK_WITH_AES_128_GCM_SHA256 (00a8) and TLS_AES_128_GCM_SHA256 (1301) as its suites, and has an
# identity and a secret:
#   versions 'tlsv1.2':              offers 00a8
#   versions 'tlsv1.3', 'tlsv1.2':   does not offer 00a8
# One would expect the suite in both hellos: TLS 1.2 is offered in both, and the suite is in the list of the caller.
# There is no error. A device that is upgraded to offer TLS 1.3 beside TLS 1.2 can no longer use its key.
# Exits with 0 while this is so.
set -euo pipefail
if ! command -v erl > /dev/null || ! compgen -G '/usr/lib/erlang/lib/ssl-*' > /dev/null; then
    apt-get install -y -q erlang-base erlang-ssl > /dev/null
fi

# Prints the suites of the hello of a client with these versions.
suites() {
    erl -noshell -noinput -eval "
        {ok, _} = application:ensure_all_started(ssl),
        {ok, Listener} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}]),
        {ok, Port} = inet:port(Listener),
        Names = [\"TLS_AES_128_GCM_SHA256\", \"TLS_PSK_WITH_AES_128_GCM_SHA256\"],
        Find = fun(psk, _Hint, Secret) -> {ok, Secret} end,
        spawn(fun() -> ssl:connect({127, 0, 0, 1}, Port, [{versions, [$1]}, {verify, verify_none}, {log_level, none},
            {ciphers, [ssl:str_to_suite(Name) || Name <- Names]}, {psk_identity, \"device\"},
            {user_lookup_fun, {Find, <<1:128>>}}]) end),
        {ok, Socket} = gen_tcp:accept(Listener),
        {ok, <<22, 3, _, _:16, 1, _:24, 3, 3, _:32/binary, Session, Rest/binary>>} = gen_tcp:recv(Socket, 0, 20000),
        <<_:Session/binary, Length:16, Suites:Length/binary, _/binary>> = Rest,
        io:format(\"~s~n\", [[io_lib:format(\"~4.16.0b \", [Suite]) || <<Suite:16>> <= Suites]]),
        halt()."
}

old=$(suites "'tlsv1.2'")
both=$(suites "'tlsv1.3', 'tlsv1.2'")
echo "TLS 1.2 alone:   $old"
echo "TLS 1.3 and 1.2: $both"
[[ $old == *00a8* && $both != *00a8* ]]
