package io.brokertls.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.ErrorCode;
import io.brokertls.TlsFailure;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls that wait for each other, in pools with small bounds. */
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WorkerPoolTest {
    @Test
    void callsThatWaitForEachOtherGetMoreWorkersUpToTheBoundAndThenOneIsRefused() throws Exception {
        WorkerPool pool = new WorkerPool(new WorkerPool.Limits(1, 4, 10, 500, 60_000));
        assertEquals(4, nested(pool, 4));
        assertEquals(4, pool.allowed());
        TlsFailure refusal = assertThrows(TlsFailure.class, () -> nested(pool, 5));
        assertEquals(ErrorCode.WORKERS_BUSY, refusal.code());
        assertTrue(refusal.getMessage().endsWith("4 threads wait in calls, and none has ended one for 500 ms"),
                refusal::getMessage);
        assertEquals(4, nested(pool, 4), "the refusal has ended those that waited for it");
    }

    @Test
    void largestNumberOfWorkersFallsAgainWhenTheyHaveNothingToDo() throws Exception {
        WorkerPool pool = new WorkerPool(new WorkerPool.Limits(2, 6, 10, 60_000, 50));
        assertEquals(6, nested(pool, 6));
        while (pool.allowed() > 2) {
            Thread.sleep(10);
        }
        assertEquals(6, nested(pool, 6));
    }

    @Test
    void callWaitsLongerThanAStandstillWhileOthersEnd() throws Exception {
        WorkerPool pool = new WorkerPool(new WorkerPool.Limits(1, 1, 10, 3000, 60_000));
        CountDownLatch areWaiting = new CountDownLatch(40);
        List<FutureTask<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            FutureTask<Integer> task = new FutureTask<>(() -> {
                areWaiting.countDown();
                return made(pool, () -> {
                    areWaiting.await();
                    Thread.sleep(100);
                    return 1;
                });
            });
            all.add(task);
            new Thread(task).start();
        }
        int served = 0;
        for (FutureTask<Integer> each : all) {
            served += each.get();
        }
        assertEquals(40, served);
    }

    /** Makes a call that waits for another one, and so on. Returns their number. */
    private static int nested(WorkerPool pool, int depth) throws Exception {
        return depth == 0 ? 0 : made(pool, () -> 1 + nested(pool, depth - 1));
    }

    private static <T> T made(WorkerPool pool, Workers.Body<T, Exception> body) throws Exception {
        WorkerCall<T> call = new WorkerCall<>(body);
        pool.start(call);
        return call.await();
    }
}
