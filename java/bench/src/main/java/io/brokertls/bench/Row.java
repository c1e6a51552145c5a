package io.brokertls.bench;

import java.util.ArrayList;
import java.util.List;

/** One row of the table. */
final class Row {
    private static final int[] SIZES = {64, 1024, 16_384};

    /** The words that {@link #valueOf} reads. */
    private final String[] words;

    private Row(String... words) {
        this.words = words;
    }

    static Row valueOf(String text) {
        return new Row(text.split(" "));
    }

    /** All rows, in the order of the table. */
    static List<Row> all() {
        List<Row> rows = new ArrayList<>();
        for (String kind : new String[] {"full", "resumed"}) {
            for (String version : new String[] {"TLSv1.3", "TLSv1.2"}) {
                for (String key : new String[] {"ECDSA_P256", "RSA_2048"}) {
                    rows.add(new Row(kind, "handshake", version, key));
                }
            }
        }
        for (String direction : new String[] {"wrap", "unwrap"}) {
            for (String buffers : new String[] {"direct", "heap"}) {
                for (int size : SIZES) {
                    rows.add(new Row(direction, "record", buffers, Integer.toString(size)));
                }
            }
        }
        return rows;
    }

    boolean isHandshake() {
        return words[1].equals("handshake");
    }

    /** Returns the plaintext of a record in bytes. */
    int size() {
        return Integer.parseInt(words[3]);
    }

    /** Returns true if a side with another key manager is measured too: a session is resumed without its key. */
    boolean usesKey() {
        return words[0].equals("full");
    }

    Measured measured(Side side) throws Exception {
        return isHandshake() ? new Handshakes(side, words[0].equals("resumed"), words[2], words[3])
                : new Records(side, words[0].equals("wrap"), words[2].equals("direct"), size());
    }

    /** Returns the name for people. */
    String title() {
        return isHandshake() ? words[0] + " handshake, " + words[2] + ", " + words[3].replace('_', ' ')
                : words[0] + ", " + words[2] + ", " + words[3] + " B";
    }

    @Override
    public String toString() {
        return String.join(" ", words);
    }
}
