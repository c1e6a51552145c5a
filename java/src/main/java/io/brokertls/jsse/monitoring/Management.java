package io.brokertls.jsse.monitoring;

import io.brokertls.TlsMetrics;
import java.lang.management.ManagementFactory;
import java.util.function.Supplier;
import javax.management.InstanceAlreadyExistsException;
import javax.management.InstanceNotFoundException;
import javax.management.JMException;
import javax.management.MBeanRegistrationException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/** Registers MBeans. Loaded only for them, because the module java.management can be missing. */
final class Management {
    private static final System.Logger LOG = System.getLogger("io.brokertls");
    private static final int MOST_OF_A_NAME = 10_000;

    private Management() {
    }

    /** Registers the MBean of a context, and returns the action that removes it. */
    static Runnable register(Watched context, Supplier<TlsMetrics> counters) {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        ContextMBean bean = new ContextMBean(context, counters);
        try {
            for (int i = 1; i <= MOST_OF_A_NAME; i++) {
                ObjectName name = new ObjectName("io.brokertls:type=TlsContext,name=" + quoted(context.name())
                        + (i == 1 ? "" : ",instance=" + i));
                try {
                    server.registerMBean(bean, name);
                    return () -> unregister(server, name);
                } catch (InstanceAlreadyExistsException e) {
                    // Another context has the name. The next instance is free or the loop ends.
                    continue;
                }
            }
            throw new IllegalStateException("too many contexts of the name " + context.name());
        } catch (JMException e) {
            throw new IllegalStateException("the MBean of " + context.name() + " cannot be registered", e);
        }
    }

    private static String quoted(String name) {
        boolean isPlain = !name.isEmpty() && name.chars().allMatch(each -> Character.isLetterOrDigit(each)
                || each == '-' || each == '_' || each == '.');
        return isPlain ? name : ObjectName.quote(name);
    }

    private static void unregister(MBeanServer server, ObjectName name) {
        try {
            server.unregisterMBean(name);
        } catch (InstanceNotFoundException e) {
            LOG.log(System.Logger.Level.DEBUG, "the MBean was removed before: " + name);
        } catch (MBeanRegistrationException e) {
            LOG.log(System.Logger.Level.WARNING, "the MBean cannot be removed: " + name, e);
        }
    }
}
