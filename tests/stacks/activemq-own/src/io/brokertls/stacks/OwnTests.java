package io.brokertls.stacks;

import java.util.LinkedHashMap;
import java.util.Map;
import javax.net.ssl.SSLContext;
import org.junit.runner.Description;
import org.junit.runner.JUnitCore;
import org.junit.runner.notification.Failure;
import org.junit.runner.notification.RunListener;

/** Runs the test classes of the arguments, and prints a line for each test, and the providers of TLS. */
public final class OwnTests {
    private OwnTests() {
    }

    public static void main(String[] names) throws Exception {
        Map<String, String> results = new LinkedHashMap<>();
        JUnitCore runner = new JUnitCore();
        runner.addListener(new RunListener() {
            @Override
            public void testStarted(Description test) {
                results.put(test.getDisplayName(), "passed");
            }

            @Override
            public void testFailure(Failure failure) {
                results.put(failure.getDescription().getDisplayName(),
                        "failed: " + Checks.texts(failure.getException()));
            }
        });
        for (String name : names) {
            runner.run(Class.forName(name));
        }
        results.forEach((test, result) -> System.out.println("test " + test + "\t" + result));
        // Not before: the tests set the properties that the default context reads once.
        System.out.println("provider " + SSLContext.getInstance("TLS").getProvider().getName() + ", by default "
                + SSLContext.getDefault().getProvider().getName());
        System.out.flush();
        // The brokers keep threads that are no daemons.
        Runtime.getRuntime().halt(0);
    }
}
