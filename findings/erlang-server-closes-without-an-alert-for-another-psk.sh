#!/usr/bin/env bash
# A server of Erlang/OTP closes without an alert if a client of TLS 1.2 has another pre-shared key.
#
# Seen with Erlang/OTP 25 of Debian 12 (ssl 10.8.7, packages erlang-base and erlang-ssl), installed from there if
# missing, and with the client of OpenSSL 3.0.
# Both sides have the suite TLS_PSK_WITH_AES_128_GCM_SHA256 and other secrets. The server reports that it has generated
# the fatal alert bad_record_mac, and the socket ends without one:
#   server:   {tls_alert,{bad_record_mac,"... generated SERVER ALERT: Fatal - Bad Record MAC ..."}}
#   client:   unexpected eof while reading
# One would expect the alert that the server reports (RFC 4279 section 2). A client cannot tell another secret from a
# network that has failed.
# Exits with 0 while this is so.
set -euo pipefail
if ! command -v erl > /dev/null || ! compgen -G '/usr/lib/erlang/lib/ssl-*' > /dev/null; then
    apt-get install -y -q erlang-base erlang-ssl > /dev/null
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

erl -noshell -noinput -eval "
    {ok, _} = application:ensure_all_started(ssl),
    Find = fun(psk, _Identity, Secret) -> {ok, Secret} end,
    {ok, Listener} = ssl:listen(0, [{versions, ['tlsv1.2']}, {log_level, none}, {ip, {127, 0, 0, 1}},
        {ciphers, [ssl:str_to_suite(\"TLS_PSK_WITH_AES_128_GCM_SHA256\")]}, {psk_identity, \"hint\"},
        {user_lookup_fun, {Find, <<1:128>>}}]),
    {ok, {_, Port}} = ssl:sockname(Listener),
    ok = file:write_file(\"$folder/port.new\", integer_to_list(Port)),
    ok = file:rename(\"$folder/port.new\", \"$folder/port\"),
    {ok, Waiting} = ssl:transport_accept(Listener),
    io:format(\"~p~n\", [ssl:handshake(Waiting, 20000)]),
    timer:sleep(2000),
    halt()." > "$folder/server" &
for _ in $(seq 100); do
    [ -e "$folder/port" ] && break
    sleep 0.1
done
openssl s_client -connect "127.0.0.1:$(cat "$folder/port")" -tls1_2 -cipher PSK-AES128-GCM-SHA256 \
    -psk_identity device -psk 02020202020202020202020202020202 -msg < /dev/null > "$folder/client" 2>&1 || true
wait
server=$(tr -d '\n' < "$folder/server")
alerts=$(grep -c '^<<<.*Alert' "$folder/client" || true)
echo "server: $server"
echo "alerts that the client has received: $alerts"
grep 'unexpected eof' "$folder/client"
[[ $server == *bad_record_mac* && $alerts == 0 ]]
