package io.brokertls.jsse.engine;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import io.brokertls.internal.EngineSettings;
import io.brokertls.internal.NativeEngine;
import io.brokertls.jsse.keys.SignatureScheme;
import io.brokertls.jsse.session.Session;
import java.nio.charset.StandardCharsets;
import java.security.AlgorithmConstraints;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIMatcher;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;

/** The settings of one engine; null for those that keep the value of the context. Guarded by the engine's lock. */
final class Parameters {
    private static final int NONE = 0;
    private static final int MOST_OF_BYTE = 255;
    private static final int MOST_PROTOCOL_BYTES = 32_767;
    static final int WANT = 1;
    static final int NEED = 2;

    private final ContextState context;
    private String[] cipherSuites;
    private String[] protocols;
    private int clientAuth = -1;
    private List<SNIServerName> serverNames;
    private Collection<SNIMatcher> matchers;
    private String[] applicationProtocols;
    private String endpointIdentification;
    private AlgorithmConstraints constraints;
    private int maximumPacketSize;
    private String[] groups;
    private String[] signatureSchemes;
    /** DTLS alone has retransmissions. The value is kept for the caller. */
    private boolean retransmits = true;
    private boolean prefersOwnCipherOrder = true;
    boolean createsSessions = true;
    BiFunction<SSLEngine, List<String>, String> selector;

    Parameters(ContextState context) {
        this.context = context;
    }

    String[] cipherSuites() {
        return cipherSuites == null ? context.defaultCipherSuites() : cipherSuites.clone();
    }

    void setCipherSuites(String[] names) {
        try {
            cipherSuites = servedSuites(names);
        } catch (TlsFailure e) {
            throw Failures.argument(e);
        }
    }

    private String[] servedSuites(String[] names) throws TlsFailure {
        return context.servedCipherSuites(joined(names, "cipher suites"));
    }

    String[] protocols() {
        return protocols == null ? context.defaultProtocols() : protocols.clone();
    }

    void setProtocols(String[] names) {
        try {
            protocols = servedProtocols(names);
        } catch (TlsFailure e) {
            throw Failures.argument(e);
        }
    }

    private String[] servedProtocols(String[] names) throws TlsFailure {
        joined(names, "protocols");
        List<String> asked = new ArrayList<>(List.of(names));
        // SSLv2Hello names a form of the hello, not a version. Beside a version it is ignored.
        if (asked.size() > 1) {
            asked.removeIf("SSLv2Hello"::equals);
        }
        return context.servedProtocols(String.join(",", asked));
    }

    private static String joined(String[] names, String what) {
        if (names == null) {
            throw new IllegalArgumentException(what + " are null");
        }
        for (String name : names) {
            if (name == null || name.isEmpty() || name.indexOf(',') >= 0) {
                throw new IllegalArgumentException(what + " hold what is not a name: " + name);
            }
        }
        if (names.length == 0) {
            throw new IllegalArgumentException(what + " are empty");
        }
        return String.join(",", names);
    }

    boolean needsClientAuth() {
        return effectiveClientAuth() == NEED;
    }

    boolean wantsClientAuth() {
        return effectiveClientAuth() == WANT;
    }

    private int effectiveClientAuth() {
        return clientAuth < 0 ? context.clientAuth() : clientAuth;
    }

    void setNeedClientAuth(boolean isNeeded) {
        clientAuth = isNeeded ? NEED : NONE;
    }

    void setWantClientAuth(boolean isWanted) {
        clientAuth = isWanted ? WANT : NONE;
    }

    SSLParameters get(boolean isClient) {
        SSLParameters made = new SSLParameters(cipherSuites(), protocols());
        int auth = isClient ? clientAuth : effectiveClientAuth();
        if (auth == NEED) {
            made.setNeedClientAuth(true);
        } else if (auth == WANT) {
            made.setWantClientAuth(true);
        }
        if (serverNames != null) {
            made.setServerNames(serverNames);
        }
        if (matchers != null) {
            made.setSNIMatchers(matchers);
        }
        made.setApplicationProtocols(
                applicationProtocols == null ? context.applicationProtocols() : applicationProtocols);
        if (endpointIdentification != null) {
            made.setEndpointIdentificationAlgorithm(endpointIdentification);
        } else if (isClient && context.checksServerName()) {
            made.setEndpointIdentificationAlgorithm("HTTPS");
        }
        made.setUseCipherSuitesOrder(prefersOwnCipherOrder);
        made.setAlgorithmConstraints(constraints);
        made.setMaximumPacketSize(maximumPacketSize);
        made.setEnableRetransmissions(retransmits);
        LaterParameters.setNamedGroups(made, groups);
        LaterParameters.setSignatureSchemes(made, signatureSchemes);
        return made;
    }

    /** Sets all parameters, or none if one is refused. */
    void set(SSLParameters given, boolean isClient) {
        check(given);
        String[] servedGroups;
        String[] servedSchemes;
        String[] servedSuites = cipherSuites;
        String[] servedProtocols = protocols;
        try {
            servedGroups = servedGroups(LaterParameters.namedGroups(given));
            servedSchemes = servedSchemes(LaterParameters.signatureSchemes(given));
            if (given.getCipherSuites() != null) {
                servedSuites = servedSuites(given.getCipherSuites());
            }
            if (given.getProtocols() != null) {
                servedProtocols = servedProtocols(given.getProtocols());
            }
        } catch (TlsFailure e) {
            throw Failures.argument(e);
        }
        groups = servedGroups;
        signatureSchemes = servedSchemes;
        cipherSuites = servedSuites;
        protocols = servedProtocols;
        int asked = given.getNeedClientAuth() ? NEED : given.getWantClientAuth() ? WANT : NONE;
        // The parameters of a client do not show what the context demands of clients, and so do not take it back.
        clientAuth = isClient && asked == NONE && clientAuth < 0 ? clientAuth : asked;
        // What the parameters of a client show of the context is not a setting of this engine yet.
        boolean isOfContext = isClient && endpointIdentification == null && context.checksServerName()
                && "HTTPS".equalsIgnoreCase(given.getEndpointIdentificationAlgorithm());
        if (given.getEndpointIdentificationAlgorithm() != null && !isOfContext) {
            endpointIdentification = given.getEndpointIdentificationAlgorithm();
        }
        if (given.getServerNames() != null) {
            serverNames = given.getServerNames();
        }
        if (given.getSNIMatchers() != null) {
            matchers = given.getSNIMatchers();
        }
        if (given.getApplicationProtocols() != null) {
            applicationProtocols = given.getApplicationProtocols();
        }
        if (given.getAlgorithmConstraints() != null) {
            constraints = given.getAlgorithmConstraints();
        }
        prefersOwnCipherOrder = given.getUseCipherSuitesOrder();
        maximumPacketSize = given.getMaximumPacketSize();
        retransmits = given.getEnableRetransmissions();
    }

    private String[] servedGroups(String[] names) throws TlsFailure {
        if (names != null && names.length == 0) {
            throw TlsFailure.of(ErrorCode.INVALID_ARGUMENT,
                    "the named groups are empty, and there is no key exchange without a group");
        }
        return names == null ? null : context.nativeContext().servedGroups(names);
    }

    private String[] servedSchemes(String[] names) throws TlsFailure {
        if (names != null && names.length == 0) {
            throw TlsFailure.of(ErrorCode.INVALID_ARGUMENT,
                    "the signature schemes are empty, and no handshake is without a signature");
        }
        return names == null ? null : context.nativeContext().servedSignatureSchemes(names);
    }

    /** Refuses what cannot be honoured. */
    private void check(SSLParameters given) {
        int packetSize = given.getMaximumPacketSize();
        if (packetSize > 0 && packetSize < NativeEngine.LEAST_RECORD_SIZE) {
            throw Failures.argument(TlsFailure.of(ErrorCode.INVALID_ARGUMENT, "the maximum packet size " + packetSize
                    + " is below " + NativeEngine.LEAST_RECORD_SIZE));
        }
        String identification = given.getEndpointIdentificationAlgorithm();
        if (identification != null && !identification.isEmpty() && !identification.equalsIgnoreCase("HTTPS")
                && !identification.equalsIgnoreCase("LDAPS")) {
            throw Failures.argument(TlsFailure.of(ErrorCode.INVALID_ARGUMENT,
                    "endpoint identification " + identification + " is neither HTTPS nor LDAPS"));
        }
        checkProtocols(given.getApplicationProtocols());
        if (given.getAlgorithmConstraints() != null && context.trustManager() == null) {
            throw Failures.argument(TlsFailure.of(ErrorCode.INVALID_ARGUMENT,
                    "AlgorithmConstraints need a Java trust manager, and this context checks peers in native code; "
                            + "use a trust manager of the JDK's PKIX factory"));
        }
    }

    /** Refuses names that do not fit into the extension (RFC 7301 section 3.1). */
    private static void checkProtocols(String[] names) {
        int total = 0;
        for (String name : names == null ? new String[0] : names) {
            total += name.length() + 1;
            boolean isOfBytes = name.chars().allMatch(letter -> letter <= MOST_OF_BYTE);
            if (!isOfBytes) {
                throw noProtocol("the protocol " + name + " has a character above U+00FF");
            } else if (name.length() > MOST_OF_BYTE) {
                throw noProtocol(name.length() + " bytes");
            } else if (total > MOST_PROTOCOL_BYTES) {
                throw noProtocol("all names have more than " + MOST_PROTOCOL_BYTES + " bytes");
            }
        }
    }

    private static IllegalArgumentException noProtocol(String detail) {
        return Failures.argument(TlsFailure.of(ErrorCode.INVALID_ALPN, detail));
    }

    /** Returns the name to send, to compare, and to cache sessions by. */
    String serverName(String peerHost) {
        if (serverNames != null) {
            for (SNIServerName name : serverNames) {
                if (name instanceof SNIHostName) {
                    return ((SNIHostName) name).getAsciiName();
                }
            }
        }
        return peerHost;
    }

    /**
     * Returns the key of a client's session beside the name: all settings of this engine that its trust manager can
     * read. Returns null, for no resumption, if the manager cannot distinguish peers by a host, or if there are
     * algorithm constraints, which cannot be compared.
     */
    String sessionScope(String peerHost, int peerPort) {
        if (constraints != null || peerHost == null && context.trustManager() != null) {
            return null;
        }
        StringBuilder scope = new StringBuilder();
        scope.append(peerHost == null ? "" : peerHost.toLowerCase(Locale.ROOT)).append('\0');
        scope.append(peerPort).append('\0');
        scope.append(endpointIdentification == null ? context.checksServerName() : endpointIdentification);
        for (SNIServerName name : serverNames == null ? List.<SNIServerName>of() : serverNames) {
            scope.append('\0').append(name.getType()).append(':')
                    .append(new String(name.getEncoded(), StandardCharsets.ISO_8859_1));
        }
        for (String protocol : applicationProtocols == null ? new String[0] : applicationProtocols) {
            scope.append("\0alpn:").append(protocol);
        }
        return scope.toString();
    }

    /** Returns the names that a client sends (RFC 6066 section 3). */
    List<SNIServerName> requestedServerNames(String peerHost) {
        if (serverNames != null) {
            return serverNames;
        }
        try {
            return isAddress(peerHost) ? List.of() : List.of(new SNIHostName(peerHost));
        } catch (IllegalArgumentException e) {
            return List.of();
        }
    }

    private static boolean isAddress(String peerHost) {
        return peerHost == null || peerHost.indexOf(':') >= 0 || peerHost.matches("[0-9.]+");
    }

    /**
     * Returns the settings for a native engine.
     *
     * @throws TlsFailure INVALID_ARGUMENT for a setting that a server cannot honour
     */
    EngineSettings settings(boolean isClient, String peerHost, int peerPort, boolean hasSocketSelector)
            throws TlsFailure {
        EngineSettings made = new EngineSettings();
        setAlgorithms(made);
        made.maximumRecordSize = Math.min(maximumPacketSize, NativeEngine.PACKET_SIZE);
        if (applicationProtocols != null) {
            made.applicationProtocols = new byte[applicationProtocols.length][];
            for (int i = 0; i < applicationProtocols.length; i++) {
                made.applicationProtocols[i] = applicationProtocols[i].getBytes(StandardCharsets.ISO_8859_1);
            }
        }
        if (isClient) {
            checkServerNames();
            made.checksServerName = checksServerName() ? 1 : 0;
            made.sendsServerName = serverNames == null || !serverNames.isEmpty();
            made.sessionScope = sessionScope(peerHost, peerPort);
            made.resumesOnly = !createsSessions;
        } else {
            checkServer();
            made.clientAuth = clientAuth;
            made.prefersOwnCipherOrder = prefersOwnCipherOrder;
            // A client that has proved its key by another scheme is not resumed.
            made.sessionScope = !resumesClients() ? null : signatureSchemes == null ? "" : made.signatureSchemes;
            made.asksAboutHello = selector != null || hasSocketSelector || matchers != null && !matchers.isEmpty();
        }
        return made;
    }

    /** Sets the algorithms of the handshake: those of this engine or else of the context, as the constraints permit. */
    private void setAlgorithms(EngineSettings made) throws TlsFailure {
        String[] versions = protocols;
        String[] suites = cipherSuites;
        String[] namedGroups = groups;
        String[] schemes = signatureSchemes;
        if (constraints != null) {
            Permitted permitted = new Permitted(constraints);
            versions = fewer(protocols, protocols(), permitted::protocols);
            suites = fewer(cipherSuites, cipherSuites(), permitted::cipherSuites);
            namedGroups = fewer(groups, groups == null ? context.nativeContext().groups() : groups, permitted::groups);
            schemes = permittedSchemes(permitted);
        }
        made.versions = list(versions);
        made.cipherSuites = list(suites);
        made.groups = list(namedGroups);
        made.signatureSchemes = list(schemes);
    }

    /** Returns null for those of the context. */
    private String[] permittedSchemes(Permitted permitted) throws TlsFailure {
        String[] all = signatureSchemes == null ? SignatureScheme.handshakeNames() : signatureSchemes;
        return fewer(signatureSchemes, all, permitted::signatureSchemes);
    }

    private interface Filter {
        String[] permitted(String[] names) throws TlsFailure;
    }

    /** Returns the permitted names, or {@code own}, which can be null for the default, if all names are permitted. */
    private static String[] fewer(String[] own, String[] names, Filter filter) throws TlsFailure {
        String[] kept = filter.permitted(names);
        return kept.length == names.length ? own : kept;
    }

    private static String list(String[] names) {
        return names == null ? null : String.join(",", names);
    }

    /** Sets the facts of a session that these settings decide. */
    Session described(Session session) {
        String[] schemes = signatureSchemes;
        if (constraints != null) {
            try {
                schemes = permittedSchemes(new Permitted(constraints));
            } catch (TlsFailure e) {
                // None is permitted. The handshake does not begin.
                schemes = new String[0];
            }
        }
        if (schemes != null) {
            session.setLocalSignatureSchemes(SignatureScheme.numbers(schemes));
        }
        return session;
    }

    private void checkServerNames() throws TlsFailure {
        for (SNIServerName name : serverNames == null ? List.<SNIServerName>of() : serverNames) {
            if (!(name instanceof SNIHostName)) {
                throw TlsFailure.of(ErrorCode.INVALID_ARGUMENT,
                        "a server name of the type " + name.getType() + " cannot be sent; use SNIHostName");
            }
        }
    }

    private void checkServer() throws TlsFailure {
        if (!createsSessions) {
            throw TlsFailure.of(ErrorCode.INVALID_ARGUMENT,
                    "setEnableSessionCreation(false) is for clients; a server cannot refuse new sessions alone");
        }
        if (context.trustManager() == null && identifies() && effectiveClientAuth() != NONE) {
            throw TlsFailure.of(ErrorCode.INVALID_ARGUMENT, "endpoint identification " + endpointIdentification
                    + " of clients needs a Java trust manager, and this context checks peers in native code");
        }
    }

    private boolean identifies() {
        return endpointIdentification != null && !endpointIdentification.isEmpty();
    }

    /**
     * Returns true if a server resumes sessions. With constraints or endpoint identification it does not, because other
     * engines of the context can have accepted the client under other conditions.
     */
    private boolean resumesClients() {
        return context.trustManager() == null || constraints == null && !identifies();
    }

    boolean checksServerName() {
        return endpointIdentification == null ? context.checksServerName() : !endpointIdentification.isEmpty();
    }
}
