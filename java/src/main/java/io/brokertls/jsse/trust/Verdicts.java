package io.brokertls.jsse.trust;

import io.brokertls.ErrorCode;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.CertificateRevokedException;
import java.security.cert.PKIXReason;

/** Maps the exceptions of trust managers to codes. */
public final class Verdicts {
    private static final int MOST_CAUSES = 16;

    private Verdicts() {
    }

    /** Returns the code of the first known cause; CERT_REJECTED_BY_MANAGER if none is. */
    public static ErrorCode code(Throwable thrown) {
        Throwable at = thrown;
        for (int i = 0; at != null && i < MOST_CAUSES; i++) {
            ErrorCode code = codeOf(at);
            if (code != null) {
                return code;
            }
            at = at.getCause();
        }
        return ErrorCode.CERT_REJECTED_BY_MANAGER;
    }

    private static ErrorCode codeOf(Throwable thrown) {
        if (thrown instanceof CertificateExpiredException) {
            return ErrorCode.CERT_EXPIRED;
        }
        if (thrown instanceof CertificateNotYetValidException) {
            return ErrorCode.CERT_NOT_YET_VALID;
        }
        if (thrown instanceof CertificateRevokedException) {
            return ErrorCode.CERT_REVOKED;
        }
        if (thrown instanceof CertPathValidatorException) {
            return codeOf(((CertPathValidatorException) thrown).getReason());
        }
        String message = thrown.getMessage() == null ? "" : thrown.getMessage();
        if (thrown instanceof CertPathBuilderException && thrown.getCause() == null
                && message.startsWith("unable to find valid certification path")) {
            return ErrorCode.CERT_UNKNOWN_ISSUER;
        }
        // The JDK has no exception type for a name mismatch.
        boolean isName = message.startsWith("No name matching ") || message.startsWith("No subject alternative ");
        return isName ? ErrorCode.CERT_NAME_MISMATCH : null;
    }

    private static ErrorCode codeOf(CertPathValidatorException.Reason reason) {
        if (reason == CertPathValidatorException.BasicReason.EXPIRED) {
            return ErrorCode.CERT_EXPIRED;
        }
        if (reason == CertPathValidatorException.BasicReason.NOT_YET_VALID) {
            return ErrorCode.CERT_NOT_YET_VALID;
        }
        if (reason == CertPathValidatorException.BasicReason.REVOKED) {
            return ErrorCode.CERT_REVOKED;
        }
        return reason == PKIXReason.NO_TRUST_ANCHOR ? ErrorCode.CERT_UNKNOWN_ISSUER : null;
    }
}
