package io.brokertls;

import java.security.GeneralSecurityException;

/**
 * Why something failed, in full: the code, what was met, and what would mend it.
 *
 * <p>It is the cause of the JSSE exception that a caller sees, and is thrown itself where JSSE has no say.
 */
public final class TlsFailure extends GeneralSecurityException {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final String hint;

    /**
     * Made by the native library and by this package's own checks.
     *
     * @param code the row of the table
     * @param message as it is shown: {@code BTLS_CERT_EXPIRED (302): the peer certificate has expired: …}
     * @param hint what would mend it; may be empty
     */
    public TlsFailure(ErrorCode code, String message, String hint) {
        super(message);
        this.code = code;
        this.hint = hint;
    }

    /** A failure found on the Java side; {@code detail} says what was met and may be empty. */
    public static TlsFailure of(ErrorCode code, String detail) {
        String message = "BTLS_" + code + " (" + code.number() + "): " + code.message();
        return new TlsFailure(code, detail.isEmpty() ? message : message + ": " + detail, code.hint());
    }

    /** The row of the table of codes. */
    public ErrorCode code() {
        return code;
    }

    /** What would mend it, as a sentence; may be empty. */
    public String hint() {
        return hint;
    }
}
