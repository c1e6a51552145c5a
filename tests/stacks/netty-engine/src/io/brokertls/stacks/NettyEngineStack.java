package io.brokertls.stacks;

import static io.brokertls.stacks.Checks.check;

import io.brokertls.BrokerTlsProvider;
import io.netty.handler.ssl.OneProviderEngineTest;
import java.security.Provider;
import java.security.Security;
import java.util.Map;
import java.util.TreeMap;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Netty's own tests of engines: each case that SunJSSE passes must pass here too. */
public final class NettyEngineStack {
    /** The least number of cases that SunJSSE passes: with fewer, the tests were not run as a whole. */
    private static final int LEAST = 700;

    private static final Throwable PASSED = new Throwable("passed");
    private static final Throwable MISSING = new Throwable("was not run");

    private NettyEngineStack() {
    }

    public static void main(String[] arguments) {
        Results reference = run(Security.getProvider("SunJSSE"));
        Results ours = run(new BrokerTlsProvider());
        check("SunJSSE passes " + reference.passed + " of " + reference.total + ", BrokerTLS " + ours.passed + " of "
                + ours.total, () -> {
            if (reference.passed < LEAST || ours.passed < reference.passed) {
                throw new AssertionError("expected " + LEAST + " or more, and no fewer than SunJSSE");
            }
        });
        reference.methods.forEach((method, cases) -> check(method, () -> cases.forEach((id, failure) -> {
            Throwable found = ours.methods.getOrDefault(method, Map.of()).getOrDefault(id, MISSING);
            if (failure == PASSED && found != PASSED) {
                throw new AssertionError(id, found);
            }
        })));
    }

    /** The result of each case, by method and identifier. */
    private static final class Results implements TestExecutionListener {
        private final Map<String, Map<String, Throwable>> methods = new TreeMap<>();
        private int passed;
        private int total;

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            if (!test.isTest()) {
                return;
            }
            boolean isPassed = result.getStatus() == TestExecutionResult.Status.SUCCESSFUL;
            String method = test.getSource().map(source -> ((MethodSource) source).getMethodName()).orElse("none");
            String id = test.getUniqueIdObject().getLastSegment().getValue();
            methods.computeIfAbsent(method, name -> new TreeMap<>())
                    .put(id, isPassed ? PASSED : result.getThrowable().orElse(MISSING));
            total++;
            passed += isPassed ? 1 : 0;
        }
    }

    private static Results run(Provider provider) {
        OneProviderEngineTest.provider = provider;
        Results results = new Results();
        Launcher launcher = LauncherFactory.create();
        launcher.execute(LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClass(OneProviderEngineTest.class)).build(), results);
        return results;
    }
}
