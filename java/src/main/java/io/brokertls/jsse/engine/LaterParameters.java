package io.brokertls.jsse.engine;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import javax.net.ssl.SSLParameters;

/** The properties of SSLParameters that Java 20 has added. Before that version they are null, and stay so. */
final class LaterParameters {
    private static final MethodType GETTER = MethodType.methodType(String[].class);
    private static final MethodType SETTER = MethodType.methodType(void.class, String[].class);
    private static final MethodHandle GET_NAMED_GROUPS = find("getNamedGroups", GETTER);
    private static final MethodHandle SET_NAMED_GROUPS = find("setNamedGroups", SETTER);
    private static final MethodHandle GET_SIGNATURE_SCHEMES = find("getSignatureSchemes", GETTER);
    private static final MethodHandle SET_SIGNATURE_SCHEMES = find("setSignatureSchemes", SETTER);

    private LaterParameters() {
    }

    private static MethodHandle find(String name, MethodType type) {
        try {
            return MethodHandles.publicLookup().findVirtual(SSLParameters.class, name, type);
        } catch (NoSuchMethodException e) {
            return null;
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    static String[] namedGroups(SSLParameters parameters) {
        return get(GET_NAMED_GROUPS, parameters);
    }

    static void setNamedGroups(SSLParameters parameters, String[] names) {
        set(SET_NAMED_GROUPS, parameters, names);
    }

    static String[] signatureSchemes(SSLParameters parameters) {
        return get(GET_SIGNATURE_SCHEMES, parameters);
    }

    static void setSignatureSchemes(SSLParameters parameters, String[] names) {
        set(SET_SIGNATURE_SCHEMES, parameters, names);
    }

    private static String[] get(MethodHandle getter, SSLParameters parameters) {
        try {
            return getter == null ? null : (String[]) getter.invokeExact(parameters);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private static void set(MethodHandle setter, SSLParameters parameters, String[] names) {
        if (setter == null) {
            return;
        }
        try {
            setter.invokeExact(parameters, names);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** The methods declare no exception. A subclass of the application can throw what it likes without that. */
    private static RuntimeException unexpected(Throwable thrown) {
        if (thrown instanceof Error) {
            throw (Error) thrown;
        }
        return thrown instanceof RuntimeException ? (RuntimeException) thrown : new IllegalStateException(thrown);
    }
}
