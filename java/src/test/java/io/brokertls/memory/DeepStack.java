package io.brokertls.memory;

import io.brokertls.peer.EnginePair;
import io.brokertls.peer.Stack;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;

/**
 * A program that makes handshakes near the end of the stack: with no frame left, with a few, and so on. Prints
 * {@code FAILED count} and {@code SERVED count}, and {@code AFTERWARDS served} if a handshake is served then.
 */
public final class DeepStack {
    private static final int STACK_BYTES = 1 << 20;
    private static final int FRAMES_MAX = 1000;
    private static final int STEP = 4;

    private static int deepest;

    private DeepStack() {
    }

    public static void main(String[] arguments) throws Exception {
        SSLContext client = Stack.OURS_WITH_JDK_MANAGERS.context("client");
        SSLContext server = Stack.OURS_WITH_JDK_MANAGERS.context("ec");
        EnginePair.mutual(client, server).handshake();
        Thread thread = new Thread(null, () -> attempt(client, server), "deep", STACK_BYTES);
        thread.start();
        thread.join();
        EnginePair.mutual(client, server).handshake();
        System.out.println("AFTERWARDS served");
    }

    private static void attempt(SSLContext client, SSLContext server) {
        try {
            measure(0);
        } catch (StackOverflowError e) {
            int failed = 0;
            int served = 0;
            for (int left = 0; left < FRAMES_MAX; left += STEP) {
                EnginePair pair = EnginePair.mutual(client, server);
                try {
                    deepen(deepest - left, pair);
                    served++;
                } catch (SSLException | RuntimeException | Error refused) {
                    failed++;
                }
            }
            System.out.println("FAILED " + failed);
            System.out.println("SERVED " + served);
        }
    }

    private static int measure(int depth) {
        deepest = depth;
        return 1 + measure(depth + 1);
    }

    private static int deepen(int depth, EnginePair pair) throws SSLException {
        if (depth <= 0) {
            pair.handshake();
            return 0;
        }
        return 1 + deepen(depth - 1, pair);
    }
}
