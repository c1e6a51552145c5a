package io.brokertls.internal;

import io.brokertls.internal.Workers.WorkerThread;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * One native call that a worker makes for a virtual thread, the caller.
 *
 * <pre>{@code
 * caller   await ······ answers ······ await ···· returns
 *            |            ^   |                     ^
 * worker   native code   ask  '·····> native code   ends
 * }</pre>
 *
 * <p>A caller that makes a native call while it answers has it made by the same worker, which has nothing else to do.
 */
final class WorkerCall<T> implements Runnable {
    /** The call that the current thread answers for. Removed after each answer. */
    private static final ThreadLocal<WorkerCall<?>> ANSWERED = new ThreadLocal<>();

    private final Workers.Body<T, ?> body;
    private final Thread caller = Thread.currentThread();
    private volatile Thread worker;
    /** The question that the caller has not taken yet, or null. */
    private volatile Answer<?> question;
    /** A call that the caller makes while it answers, or null. */
    private volatile WorkerCall<?> inner;
    private T result;
    private Throwable thrown;
    private volatile boolean isEnded;

    WorkerCall(Workers.Body<T, ?> body) {
        this.body = body;
    }

    /** Returns the call that the current thread makes as a worker, or null. */
    static WorkerCall<?> current() {
        Thread thread = Thread.currentThread();
        return thread instanceof WorkerThread ? ((WorkerThread) thread).current : null;
    }

    /** Gives this call to the worker of the call that the caller answers for. Returns false if it answers for none. */
    boolean startWithin() {
        WorkerCall<?> outer = ANSWERED.get();
        if (outer == null) {
            return false;
        }
        outer.inner = this;
        LockSupport.unpark(outer.worker);
        return true;
    }

    /** Makes the call, on a worker. */
    @Override
    public void run() {
        WorkerThread thread = (WorkerThread) Thread.currentThread();
        WorkerCall<?> outer = thread.current;
        thread.current = this;
        worker = thread;
        try {
            result = body.run();
        } catch (Throwable e) {
            thrown = e;
        } finally {
            thread.current = outer;
            isEnded = true;
            LockSupport.unpark(caller);
        }
    }

    /**
     * Waits for the end of the call and answers its questions, on the thread of the caller. An interrupt does not end
     * the wait: questions and the caller find it afterwards.
     */
    T await() {
        boolean isInterrupted = false;
        while (!isEnded) {
            Answer<?> asked = question;
            if (asked == null) {
                LockSupport.park(this);
                isInterrupted |= Thread.interrupted();
                continue;
            }
            question = null;
            if (isInterrupted) {
                isInterrupted = false;
                Thread.currentThread().interrupt();
            }
            answer(asked);
            isInterrupted = Thread.interrupted();
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
        if (thrown != null) {
            throw WorkerCall.<RuntimeException>unchecked(thrown);
        }
        return result;
    }

    private void answer(Answer<?> asked) {
        WorkerCall<?> before = ANSWERED.get();
        ANSWERED.set(this);
        try {
            asked.find();
        } finally {
            if (before == null) {
                ANSWERED.remove();
            } else {
                ANSWERED.set(before);
            }
            asked.isFound = true;
            LockSupport.unpark(worker);
        }
    }

    /** Has the caller answer a question, and makes the calls of the caller meanwhile. Called on the worker. */
    <A> A ask(Supplier<A> supplier) {
        Answer<A> asked = new Answer<>(supplier);
        question = asked;
        LockSupport.unpark(caller);
        while (!asked.isFound) {
            WorkerCall<?> next = inner;
            if (next == null) {
                LockSupport.park(this);
                // Only the caller can be interrupted, so that a worker is never lost.
                Thread.interrupted();
            } else {
                inner = null;
                next.run();
            }
        }
        if (asked.thrown != null) {
            throw WorkerCall.<RuntimeException>unchecked(asked.thrown);
        }
        return asked.value;
    }

    /** Throws the exception of the other thread as it is. */
    @SuppressWarnings("unchecked")
    private static <E extends Throwable> E unchecked(Throwable thrown) throws E {
        throw (E) thrown;
    }

    /** A question, and its answer. */
    private static final class Answer<A> {
        private final Supplier<A> supplier;
        private A value;
        private Throwable thrown;
        private volatile boolean isFound;

        Answer(Supplier<A> supplier) {
            this.supplier = supplier;
        }

        void find() {
            try {
                value = supplier.get();
            } catch (Throwable e) {
                thrown = e;
            }
        }
    }
}
