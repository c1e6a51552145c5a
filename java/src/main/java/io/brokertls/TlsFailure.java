package io.brokertls;

import java.security.GeneralSecurityException;
import java.util.Objects;

/**
 * A failure with its code, the circumstances, and a hint.
 *
 * <p>It is the cause of each JSSE exception of this provider. Methods outside JSSE throw it directly.
 */
public final class TlsFailure extends GeneralSecurityException {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final String hint;

    /**
     * Makes a failure, for the native library and the checks of this package.
     *
     * @param code the code
     * @param message the complete text: {@code BTLS_CERT_EXPIRED (302): the peer certificate has expired: …}
     * @param hint the action that can help, as a sentence; may be empty
     */
    public TlsFailure(ErrorCode code, String message, String hint) {
        super(Objects.requireNonNull(message, "message"));
        this.code = Objects.requireNonNull(code, "code");
        this.hint = Objects.requireNonNull(hint, "hint");
    }

    /**
     * Makes a failure found on the Java side, with the message and the hint of its code.
     *
     * @param code the code
     * @param detail the circumstances; may be empty
     * @return the failure
     */
    public static TlsFailure of(ErrorCode code, String detail) {
        Objects.requireNonNull(code, "code");
        Objects.requireNonNull(detail, "detail");
        String message = "BTLS_" + code + " (" + code.number() + "): " + code.message();
        return new TlsFailure(code, detail.isEmpty() ? message : message + ": " + detail, code.hint());
    }

    /** {@return the code} */
    public ErrorCode code() {
        return code;
    }

    /** {@return the action that can help, as a sentence; empty if none is known} */
    public String hint() {
        return hint;
    }

    /** {@return the message, and after it the hint if there is one, for a log or an operator} */
    public String messageWithHint() {
        return hint.isEmpty() ? getMessage() : getMessage() + ". " + hint;
    }
}
