package io.brokertls.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.brokertls.BrokerTlsContext;
import io.brokertls.memory.ChildJvm;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import jdk.jfr.FlightRecorder;
import jdk.jfr.FlightRecorderListener;
import jdk.jfr.Recording;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** JFR tells its listeners that it starts with a lock held that also guards the list of them. */
class FlightLocksTest {
    private static final int MINUTES_MAX = 2;

    @TempDir
    Path folder;

    @Test
    @Timeout(value = MINUTES_MAX, unit = TimeUnit.MINUTES)
    void lastContextClosesWhileAnotherThreadStartsJfr() throws Exception {
        List<String> lines = new ArrayList<>(ChildJvm.run(Path.of(System.getProperty("java.home")),
                folder.resolve("output"), Main.class, List.of("--add-modules", "jdk.jfr"), List.of()));
        // The log warns of the insecure setting.
        lines.removeIf(line -> line.contains("io.brokertls.BrokerTlsContextBuilder") || line.contains("WARNING"));
        assertEquals(List.of("the other thread waits for JFR", "JFR has started", "the context is closed"), lines);
    }

    /** The program in the other JVM. */
    static final class Main {
        private Main() {
        }

        public static void main(String[] arguments) throws Exception {
            Thread[] closer = new Thread[1];
            FlightRecorder.addListener(new FlightRecorderListener() {
                @Override
                public void recorderInitialized(FlightRecorder recorder) {
                    closer[0].start();
                    while (closer[0].getState() != Thread.State.BLOCKED) {
                        Thread.onSpinWait();
                    }
                    System.out.println("the other thread waits for JFR");
                }
            });
            BrokerTlsContext context = BrokerTlsContext.builder().insecureAcceptAnyServer(true).build();
            closer[0] = new Thread(context::close);
            Recording recording = new Recording();
            System.out.println("JFR has started");
            recording.close();
            closer[0].join();
            System.out.println("the context is closed");
        }
    }
}
