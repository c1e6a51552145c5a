package io.brokertls.bench;

import io.brokertls.BrokerTlsProvider;
import io.brokertls.jsse.engine.Way;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Provider;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;

/**
 * Measures the call by JNI beside one by the foreign function interface, for records of heap arrays after a handshake.
 * The two take turns in one process. Each round has a ratio, and the figure is the median of the rounds.
 */
public final class FfmReport {
    private static final String COMMAND = "make bench-ffm-page";
    private static final int ROUNDS = 101;
    private static final int WARMUP_ROUNDS = 100;
    private static final int[] SIZES = {64, 1024, 16_384};
    private static final String KEY = "ECDSA_P256";

    private FfmReport() {
    }

    /** The arguments: a file for the table, and a page of the manual to write it into, or nothing. */
    public static void main(String[] arguments) throws Exception {
        SSLEngine[] engines = connected();
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        StringBuilder table = new StringBuilder(String.format(Locale.ROOT, "- Load of the machine before: %.1f%n%n"
                + "Nanoseconds of a record between heap arrays and the record layer, TLS 1.3, AES-128-GCM; Java %s, %s."
                + "%n%n| | JNI | FFM | JNI / FFM | quartiles | without the wipe |%n|---|---:|---:|---:|---:|---:|%n",
                load, Runtime.version().feature(), LocalDate.now(ZoneOffset.UTC)));
        double[] logarithms = new double[2];
        for (boolean isWrap : new boolean[] {true, false}) {
            for (int size : SIZES) {
                String line = line(new FfmRow(engines[0], engines[1], isWrap, size), logarithms);
                System.err.println(line);
                table.append(line).append('\n');
            }
        }
        table.append(String.format(Locale.ROOT, "| geometric mean | | | %.2f | | %.2f |%n",
                Math.exp(logarithms[0] / (2 * SIZES.length)), Math.exp(logarithms[1] / (2 * SIZES.length))));
        Files.writeString(Path.of(arguments[0]), table);
        if (arguments.length > 1) {
            new Page(Path.of(arguments[1]), COMMAND).write(table.toString());
        }
        System.out.print(table);
    }

    /** Measures a row, and adds the logarithms of its two ratios to the sums. */
    private static String line(FfmRow row, double[] logarithms) {
        for (int round = 0; round < WARMUP_ROUNDS; round++) {
            row.round();
            row.wipe();
        }
        double[] jni = new double[ROUNDS];
        double[] ffm = new double[ROUNDS];
        double[] ratios = new double[ROUNDS];
        double[] unwiped = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            Map<Way, Double> nanos = row.round();
            jni[round] = nanos.get(Way.JNI);
            ffm[round] = nanos.get(Way.FFM);
            ratios[round] = jni[round] / ffm[round];
            unwiped[round] = jni[round] / (ffm[round] - row.wipe());
        }
        logarithms[0] += Math.log(Quantiles.median(ratios));
        logarithms[1] += Math.log(Quantiles.median(unwiped));
        return String.format(Locale.ROOT, "| %s | %,.0f | %,.0f | %.2f | %.2f to %.2f | %.2f |", row.title(),
                Quantiles.median(jni), Quantiles.median(ffm), Quantiles.median(ratios), Quantiles.of(ratios, 0.25),
                Quantiles.of(ratios, 0.75), Quantiles.median(unwiped));
    }

    /** Returns a client and a server after their handshake. */
    private static SSLEngine[] connected() throws Exception {
        Identities.make();
        Provider provider = new BrokerTlsProvider();
        KeyManagerFactory keys = KeyManagerFactory.getInstance("BrokerTLS", provider);
        keys.init(Identities.identity(KEY), Identities.PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("BrokerTLS", provider);
        trust.init(Identities.trust(KEY));
        SSLContext context = SSLContext.getInstance("TLSv1.3", provider);
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        SSLEngine client = context.createSSLEngine(Identities.HOST, 1);
        client.setUseClientMode(true);
        client.setEnabledCipherSuites(new String[] {"TLS_AES_128_GCM_SHA256"});
        Link link = new Link();
        link.handshake(client, context::createSSLEngine);
        return new SSLEngine[] {client, link.server};
    }
}
