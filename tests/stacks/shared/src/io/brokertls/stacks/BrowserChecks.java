package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;
import static io.brokertls.stacks.Checks.equal;

/** The checks with a browser, for a server that needs a client certificate and one with another name. */
public final class BrowserChecks {
    /** The number of X25519MLKEM768 in the list of groups. */
    private static final int X25519MLKEM768 = 4588;
    private static final int ERR_SSL_CLIENT_AUTH_CERT_NEEDED = -110;
    private static final int ERR_CERT_COMMON_NAME_INVALID = -200;

    private BrowserChecks() {
    }

    /** Runs them. */
    public static void run(String server, int port, int other) {
        check("chromium with a certificate exchanges messages with " + server + " over TLS 1.3 and X25519MLKEM768", () -> {
            Browser.Outcome outcome = Browser.open("wss://localhost:" + port, "client");
            equal("received: hello from the browser", outcome.result());
            outcome.negotiated("TLS 1.3", X25519MLKEM768);
        });
        check("chromium without a certificate is refused by " + server, () -> {
            Browser.Outcome outcome = Browser.open("wss://localhost:" + port, null);
            equal(true, outcome.result().startsWith("refused"));
            outcome.failed(ERR_SSL_CLIENT_AUTH_CERT_NEEDED);
        });
        check("chromium refuses " + server + " with a certificate for another host", () -> {
            Browser.Outcome outcome = Browser.open("wss://localhost:" + other, "client");
            equal(true, outcome.result().startsWith("refused"));
            outcome.failed(ERR_CERT_COMMON_NAME_INVALID);
        });
    }
}
