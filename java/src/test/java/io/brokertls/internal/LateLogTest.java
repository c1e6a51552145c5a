package io.brokertls.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Lines of native calls that virtual threads make. */
@Timeout(value = 1, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LateLogTest {
    @Test
    void errorOfALoggerEndsNeitherItsNextLineNorTheThreadThatLogs() throws Exception {
        List<String> written = new CopyOnWriteArrayList<>();
        CountDownLatch second = new CountDownLatch(1);
        AtomicReference<Thread> writer = new AtomicReference<>();
        LateLog log = new LateLog((level, line) -> {
            writer.set(Thread.currentThread());
            if (line.equals("first")) {
                throw new NoClassDefFoundError("gone");
            }
            written.add(level + " " + line);
            second.countDown();
        });
        log.writeLate(1, "first");
        log.writeLate(2, "second");
        assertTrue(second.await(30, TimeUnit.SECONDS));
        assertEquals(List.of("2 second"), written);
        assertEquals("brokertls-worker", writer.get().getName());
    }

    @Test
    void slowLoggerOfOneContextHoldsBackNoLineOfAnotherAndKeepsABoundedNumberOfItsOwn() throws Exception {
        CountDownLatch isWriting = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch last = new CountDownLatch(1 + LateLog.WAITING_MOST);
        LateLog slow = new LateLog((level, line) -> {
            isWriting.countDown();
            try {
                release.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            last.countDown();
        });
        slow.writeLate(1, "first");
        assertTrue(isWriting.await(30, TimeUnit.SECONDS));
        for (int line = 0; line < 2 * LateLog.WAITING_MOST; line++) {
            slow.writeLate(1, "line " + line);
        }
        CountDownLatch other = new CountDownLatch(1);
        new LateLog((level, line) -> other.countDown()).writeLate(1, "of another context");
        assertTrue(other.await(30, TimeUnit.SECONDS));
        assertEquals(1 + LateLog.WAITING_MOST, last.getCount());
        release.countDown();
        assertTrue(last.await(30, TimeUnit.SECONDS));
    }
}
