package io.brokertls.peer;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.stream.Collectors;

/** The lines that io.brokertls logs while this is open. */
final class LogLines extends Handler implements AutoCloseable {
    private static final Logger LOGGER = Logger.getLogger("io.brokertls");

    private final List<LogRecord> records = new CopyOnWriteArrayList<>();
    private final SimpleFormatter formatter = new SimpleFormatter();
    private final Level before = LOGGER.getLevel();

    LogLines(Level level) {
        setLevel(Level.ALL);
        LOGGER.setLevel(level);
        LOGGER.setUseParentHandlers(false);
        LOGGER.addHandler(this);
    }

    @Override
    public void publish(LogRecord record) {
        records.add(record);
    }

    @Override
    public void flush() {
    }

    @Override
    public void close() {
        LOGGER.removeHandler(this);
        LOGGER.setUseParentHandlers(true);
        LOGGER.setLevel(before);
    }

    void clear() {
        records.clear();
    }

    List<String> at(Level level) {
        return records.stream().filter(record -> record.getLevel().equals(level)).map(formatter::formatMessage)
                .collect(Collectors.toList());
    }

    List<String> all() {
        return records.stream().map(formatter::formatMessage).collect(Collectors.toList());
    }

    @Override
    public String toString() {
        return String.join("\n", all());
    }
}
