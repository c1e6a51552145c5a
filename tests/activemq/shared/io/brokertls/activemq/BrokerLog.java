package io.brokertls.activemq;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** Collects the log of brokers while it is open, with the causes, which contain the reason of a refusal. */
final class BrokerLog extends Handler implements AutoCloseable {
    private final Logger logger = Logger.getLogger("org.apache.activemq");
    private final Level before = logger.getLevel();
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final SimpleFormatter formatter = new SimpleFormatter();

    BrokerLog() {
        logger.setLevel(Level.WARNING);
        logger.addHandler(this);
    }

    @Override
    public void publish(LogRecord line) {
        lines.add(formatter.formatMessage(line)
                + (line.getThrown() == null ? "" : '\n' + Tls.reasons(line.getThrown())));
    }

    /** The next line that contains {@code words}; after half a minute without one, all lines that did not. */
    String await(String words) throws InterruptedException {
        StringBuilder others = new StringBuilder("no line with " + words + ':');
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        String line = lines.poll(30, TimeUnit.SECONDS);
        while (line != null && !line.contains(words)) {
            others.append('\n').append(line);
            line = lines.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
        }
        return line == null ? others.toString() : line;
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        logger.removeHandler(this);
        logger.setLevel(before);
    }
}
