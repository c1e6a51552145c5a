package io.brokertls;

import io.brokertls.internal.NativeNames;
import java.math.BigInteger;
import java.security.cert.Certificate;
import java.security.cert.CertificateEncodingException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The names of a certificate, for programs that derive the user from it. C and Rust give the same texts.
 *
 * <p>{@code javax.security.auth.x500.X500Principal} decodes the bytes of every string type as UTF-8, so that two
 * subjects in TeletexString or BMPString can have the same or an unreadable text. The texts here are decoded by their
 * types.
 */
public final class CertificateNames {
    /** The attribute type of a common name. */
    public static final String COMMON_NAME = "2.5.4.3";

    private static final int HEXADECIMAL = 16;

    private final Name subject;
    private final Name issuer;
    private final String serial;
    private final List<AlternativeName> alternativeNames;

    private CertificateNames(NativeNames read) {
        this.subject = new Name(read);
        this.issuer = new Name(read);
        this.serial = read.text();
        List<AlternativeName> names = new ArrayList<>();
        for (int left = read.number(); left > 0; left--) {
            names.add(new AlternativeName(read));
        }
        this.alternativeNames = Collections.unmodifiableList(names);
    }

    /**
     * Reads the names of a certificate, for example the first of {@code SSLSession.getPeerCertificates()}. Verifies
     * nothing.
     *
     * @param certificate an X.509 certificate
     * @return its names
     * @throws TlsFailure CERTIFICATE_MALFORMED if it cannot be read
     * @throws CertificateEncodingException if it has no encoding
     */
    public static CertificateNames of(Certificate certificate) throws TlsFailure, CertificateEncodingException {
        return new CertificateNames(new NativeNames(Objects.requireNonNull(certificate, "certificate").getEncoded()));
    }

    /** {@return the subject} */
    public Name subject() {
        return subject;
    }

    /** {@return the issuer} */
    public Name issuer() {
        return issuer;
    }

    /**
     * {@return the serial number in hexadecimal, lower case, two digits a byte, without leading zeros: {@code 80ff},
     * {@code -01}}
     */
    public String serial() {
        return serial;
    }

    /** {@return the serial number} */
    public BigInteger serialNumber() {
        return new BigInteger(serial, HEXADECIMAL);
    }

    /**
     * {@return the first common name of the subject, which most programs use; empty if it is missing or has no text}
     */
    public Optional<String> firstCommonName() {
        List<Attribute> names = subject.attributes(COMMON_NAME);
        return names.isEmpty() ? Optional.empty() : names.get(0).text();
    }

    /** {@return the last common name of the subject, the most specific; empty if it is missing or has no text} */
    public Optional<String> lastCommonName() {
        List<Attribute> names = subject.attributes(COMMON_NAME);
        return names.isEmpty() ? Optional.empty() : names.get(names.size() - 1).text();
    }

    /** {@return the subject alternative names in the order of the certificate} */
    public List<AlternativeName> alternativeNames() {
        return alternativeNames;
    }

    /**
     * {@return the subject alternative names of one kind in the order of the certificate}
     *
     * @param kind the kind of the names
     */
    public List<AlternativeName> alternativeNames(Kind kind) {
        Objects.requireNonNull(kind, "kind");
        return alternativeNames.stream().filter(name -> name.kind == kind).collect(Collectors.toUnmodifiableList());
    }

    /** A distinguished name. */
    public static final class Name {
        private final String text;
        private final byte[] der;
        private final List<Attribute> attributes;

        private Name(NativeNames read) {
            this.text = read.text();
            this.der = read.bytes();
            List<Attribute> attributes = new ArrayList<>();
            for (int left = read.number(); left > 0; left--) {
                attributes.add(new Attribute(read));
            }
            this.attributes = Collections.unmodifiableList(attributes);
        }

        /** {@return the DER encoding} */
        public byte[] der() {
            return der.clone();
        }

        /** {@return the attributes in the order of the certificate, the reverse of that of the text} */
        public List<Attribute> attributes() {
            return attributes;
        }

        /**
         * {@return the attributes of one type in the order of the certificate}
         *
         * @param oid the type, an object identifier in dotted form, for example {@link #COMMON_NAME}
         */
        public List<Attribute> attributes(String oid) {
            Objects.requireNonNull(oid, "oid");
            return attributes.stream().filter(one -> one.oid.equals(oid)).collect(Collectors.toUnmodifiableList());
        }

        /** Returns the text of RFC 4514, the last relative name first, for example {@code CN=device-7,O=Example}. */
        @Override
        public String toString() {
            return text;
        }
    }

    /** One attribute of a name. */
    public static final class Attribute {
        private final String oid;
        private final String text;
        private final byte[] der;
        private final int relativeName;

        private Attribute(NativeNames read) {
            this.oid = read.text();
            this.text = read.text();
            this.der = read.bytes();
            this.relativeName = read.number();
        }

        /** {@return the object identifier of its type, for example {@link #COMMON_NAME}} */
        public String oid() {
            return oid;
        }

        /** {@return the value without escapes; empty if it has no text} It can hold control characters. */
        public Optional<String> text() {
            return Optional.ofNullable(text);
        }

        /** {@return the DER encoding of the value with its tag} */
        public byte[] der() {
            return der.clone();
        }

        /** {@return the position of its relative name, which the attributes of one relative name share} */
        public int relativeName() {
            return relativeName;
        }
    }

    /** A subject alternative name. */
    public static final class AlternativeName {
        private final Kind kind;
        private final String value;
        private final String oid;
        private final byte[] der;
        private final String shown;

        private AlternativeName(NativeNames read) {
            this.kind = Kind.of(read.text());
            this.value = read.text();
            this.oid = read.text();
            this.der = read.bytes();
            this.shown = read.text();
        }

        /** {@return the kind of the name} */
        public Kind kind() {
            return kind;
        }

        /**
         * {@return the name without escapes; empty for an otherName of an unknown form, and for a value that its kind
         * does not allow} It can hold control characters.
         */
        public Optional<String> value() {
            return Optional.ofNullable(value);
        }

        /** {@return the type of an otherName, an object identifier in dotted form; empty for other kinds} */
        public Optional<String> oid() {
            return Optional.ofNullable(oid);
        }

        /**
         * {@return a DER encoding: the value of an otherName or a distinguished name, and the GeneralName of the other
         * kinds}
         */
        public byte[] der() {
            return der.clone();
        }

        /** Returns a text with escaped control characters: {@code DNS:host}, {@code UPN:a@corp.example}. */
        @Override
        public String toString() {
            return shown;
        }
    }

    /** Kinds of subject alternative names. */
    public enum Kind {
        /** A DNS host name, possibly with a wildcard. */
        DNS("dns"),
        /** An IP address. */
        IP("ip"),
        /** An e-mail address. */
        EMAIL("email"),
        /** A URI, for example a SPIFFE identity. */
        URI("uri"),
        /** A user principal name of Active Directory. */
        UPN("upn"),
        /** An otherName of any other type. */
        OTHER("other"),
        /** A distinguished name. */
        DIRECTORY("directory"),
        /** A registered object identifier. */
        REGISTERED_ID("registered-id"),
        /** A name of a kind without a text, or bytes that are no name. */
        UNKNOWN("unknown");

        private final String name;

        Kind(String name) {
            this.name = name;
        }

        private static Kind of(String name) {
            for (Kind kind : values()) {
                if (kind.name.equals(name)) {
                    return kind;
                }
            }
            return UNKNOWN;
        }
    }
}
