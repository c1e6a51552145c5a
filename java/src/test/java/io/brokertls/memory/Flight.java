package io.brokertls.memory;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * A flight of the handshake that is to be cut. Each message that is not encrypted gets a record of its own, so that the
 * peer has processed all messages before the cut. An encrypted record is cut as one message, for the peer reads no part
 * of it.
 */
final class Flight {
    private static final int HANDSHAKE = 22;
    private static final int CHANGE_CIPHER_SPEC = 20;
    private static final int RECORD_HEADER = 5;
    private static final int MESSAGE_HEADER = 4;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final List<String> names = new ArrayList<>();
    private final List<Integer> ends = new ArrayList<>();

    /** Takes whole records. */
    Flight(byte[] records) {
        boolean isEncrypted = false;
        for (int at = 0; at < records.length; ) {
            int length = number(records, at + RECORD_HEADER - 2, 2);
            isEncrypted |= records[at] == CHANGE_CIPHER_SPEC;
            if (records[at] == HANDSHAKE && !isEncrypted) {
                addMessages(records, at, length);
            } else {
                add("record" + records[at], records, at, at + RECORD_HEADER, length);
            }
            at += RECORD_HEADER + length;
        }
    }

    private void addMessages(byte[] records, int record, int length) {
        int end = record + RECORD_HEADER + length;
        for (int at = record + RECORD_HEADER; at < end; ) {
            // A message that spans records is cut where its record ends.
            int whole = Math.min(MESSAGE_HEADER + number(records, at + 1, MESSAGE_HEADER - 1), end - at);
            add("message" + records[at], records, record, at, whole);
            at += whole;
        }
    }

    private void add(String name, byte[] records, int header, int content, int length) {
        bytes.write(records, header, RECORD_HEADER - 2);
        bytes.write(length >>> 8);
        bytes.write(length);
        bytes.write(records, content, length);
        names.add(name);
        ends.add(bytes.size());
    }

    private static int number(byte[] bytes, int at, int length) {
        int value = 0;
        for (int i = 0; i < length; i++) {
            value = value << 8 | bytes[at + i] & 0xff;
        }
        return value;
    }

    /** Returns the number of places to cut at: in each message, and after it. */
    int places() {
        return 2 * names.size();
    }

    /** Returns the name of a place: {@code after.message11} for the certificate. */
    String name(int place) {
        return (place % 2 == 0 ? "in." : "after.") + names.get(place / 2);
    }

    /** Returns what comes before a place. */
    byte[] before(int place) {
        int end = ends.get(place / 2);
        int start = place < 2 ? 0 : ends.get(place / 2 - 1);
        byte[] part = new byte[place % 2 == 0 ? (start + end) / 2 : end];
        System.arraycopy(bytes.toByteArray(), 0, part, 0, part.length);
        return part;
    }
}
