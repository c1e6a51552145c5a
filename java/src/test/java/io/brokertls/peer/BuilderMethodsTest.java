package io.brokertls.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.brokertls.BrokerTlsContext;
import io.brokertls.BrokerTlsContextBuilder;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The methods of the builder, as code of another package sees those of the classes above it. */
class BuilderMethodsTest {
    private static List<Method> settings() {
        return Arrays.stream(BrokerTlsContextBuilder.class.getMethods())
                .filter(method -> method.getDeclaringClass() != Object.class)
                .filter(method -> !Modifier.isStatic(method.getModifiers()) && !method.getName().equals("build"))
                .collect(Collectors.toList());
    }

    @Test
    void everySettingIsOneOfTheBuilderItselfAndReturnsTheBuilder() {
        List<Method> settings = settings();
        assertTrue(settings.size() >= 45, settings.toString());
        for (Method method : settings) {
            assertEquals(BrokerTlsContextBuilder.class, method.getReturnType(), method.toString());
            assertEquals(BrokerTlsContextBuilder.class, method.getDeclaringClass(), method.toString());
        }
    }

    @Test
    void settingIsCalledByReflectionByReferenceAndInAChain() throws Exception {
        BrokerTlsContextBuilder builder = BrokerTlsContext.builder();
        assertSame(builder, BrokerTlsContextBuilder.class.getMethod("trustSystem").invoke(builder));
        assertSame(builder, BrokerTlsContextBuilder.class.getMethod("keyAlias", String.class).invoke(builder, "a"));
        UnaryOperator<BrokerTlsContextBuilder> reference = BrokerTlsContextBuilder::trustSystem;
        assertSame(builder, reference.apply(builder));
        assertSame(builder, builder.keyAlias("broker").trustSystem().crl().insecureAllow().resumption(false)
                .keyPassword(null));
    }
}
