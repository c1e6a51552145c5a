package io.brokertls.jsse.monitoring;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.StackTrace;
import jdk.jfr.Timestamp;

/** The events of JFR. Their names and fields are those of the manual. */
final class Events {
    private static final String CATEGORY = "brokertls";

    private Events() {
    }

    @Name("io.brokertls.Handshake")
    @Label("TLS Handshake")
    @Category(CATEGORY)
    @Description("A handshake from its begin to its completion or failure")
    @StackTrace(false)
    static final class Handshake extends Event {
        @Label("Context")
        String context;
        @Label("Connection")
        long connectionId;
        @Label("Client Side")
        boolean client;
        @Label("Peer Address")
        String address;
        @Label("Version")
        String version;
        @Label("Cipher Suite")
        String cipherSuite;
        @Label("Key Exchange Group")
        String group;
        @Label("Resumed")
        boolean resumed;
        @Label("Peer")
        String peer;
        @Label("Result")
        String result;
    }

    @Name("io.brokertls.Refusal")
    @Label("TLS Refusal")
    @Category(CATEGORY)
    @Description("A connection that was refused by this side or by the peer, or that failed")
    @StackTrace(false)
    static final class Refusal extends Event {
        @Label("Context")
        String context;
        @Label("Connection")
        long connectionId;
        @Label("Client Side")
        boolean client;
        @Label("Peer Address")
        String address;
        @Label("Peer")
        String peer;
        @Label("Code")
        String code;
        @Label("Message")
        String message;
        @Label("Hint")
        String hint;
    }

    @Name("io.brokertls.Reload")
    @Label("TLS Reload")
    @Category(CATEGORY)
    @Description("A reload of the files of a context")
    @StackTrace(false)
    static final class Reload extends Event {
        @Label("Context")
        String context;
        @Label("Successful")
        boolean successful;
        @Label("Failure")
        String failure;
    }

    @Name("io.brokertls.Certificate")
    @Label("TLS Certificate")
    @Category(CATEGORY)
    @Description("A certificate that a context uses, with its expiry")
    @StackTrace(false)
    @Period("endChunk")
    static final class Certificate extends Event {
        @Label("Context")
        String context;
        @Label("Kind")
        String kind;
        @Label("Place")
        String place;
        @Label("Subject")
        String subject;
        @Label("Not After")
        @Timestamp(Timestamp.MILLISECONDS_SINCE_EPOCH)
        long notAfter;
        @Label("Days Left")
        long daysLeft;
    }

    @Name("io.brokertls.Revocation")
    @Label("TLS Revocation Source")
    @Category(CATEGORY)
    @Description("A source of revocation data of a context, with its last fetch")
    @StackTrace(false)
    @Period("60 s")
    static final class Revocation extends Event {
        @Label("Context")
        String context;
        @Label("Kind")
        String kind;
        @Label("Place")
        String place;
        @Label("Entries")
        long entries;
        @Label("Failures")
        long failures;
        @Label("Last Success")
        @Timestamp(Timestamp.MILLISECONDS_SINCE_EPOCH)
        long lastSuccess;
        @Label("Next Refresh")
        @Timestamp(Timestamp.MILLISECONDS_SINCE_EPOCH)
        long nextRefresh;
        @Label("Last Error")
        String lastError;
    }
}
