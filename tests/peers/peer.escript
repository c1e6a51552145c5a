%% Erlang's ssl as a peer of tests/peers/run.sh: one connection, and the words of its failure as one line.
%%
%%   escript peer.escript connect|serve PORT VERSION CERTIFICATE TRUST SUITE ALPN
%%
%% CERTIFICATE is the common part of NAME.pem and NAME.key; - stands for none. A server prints its port first.
-define(PATIENCE_MS, 20000).

main([Role, Port, Version, Certificate, Trust, Suite, Alpn]) ->
    {ok, _} = application:ensure_all_started(ssl),
    logger:set_primary_config(level, none),
    Options = [binary, {active, true}, {cacertfile, Trust}, {verify, verify_peer}]
        ++ version(Version) ++ certificate(Certificate) ++ suite(Suite) ++ alpn(Alpn),
    {error, Reason} = talk(Role, list_to_integer(Port), Options),
    io:format("~0p~n", [Reason]).

talk("connect", Port, Options) ->
    Checks = [{server_name_indication, "localhost"}],
    first_read(ssl:connect({127, 0, 0, 1}, Port, Checks ++ Options, ?PATIENCE_MS));
talk("serve", 0, Options) ->
    Listening = [{ip, {127, 0, 0, 1}}, {fail_if_no_peer_cert, true}],
    {ok, Listener} = ssl:listen(0, Listening ++ Options),
    {ok, {_, Port}} = ssl:sockname(Listener),
    io:format("~b~n", [Port]),
    {ok, Transport} = ssl:transport_accept(Listener, ?PATIENCE_MS),
    first_read(ssl:handshake(Transport, ?PATIENCE_MS)).

%% The socket is active: a passive one keeps the words of an alert from a program that does not read at that moment.
first_read({ok, Socket}) ->
    receive
        {ssl_error, Socket, Reason} -> {error, Reason};
        {ssl_closed, Socket} -> {error, closed};
        {ssl, Socket, _} -> {error, received}
    after ?PATIENCE_MS -> {error, timeout}
    end;
first_read(Failure) -> Failure.

version("-") -> [];
version(Name) -> [{versions, [list_to_atom(string:lowercase(lists:sublist(Name, 3)) ++ lists:nthtail(3, Name))]}].

certificate("-") -> [];
certificate(Name) -> [{certfile, Name ++ ".pem"}, {keyfile, Name ++ ".key"}].

suite("-") -> [];
suite(Name) -> [{ciphers, [Name]}].

alpn("-") -> [];
alpn(Name) -> [{alpn_advertised_protocols, [list_to_binary(Name)]}].
