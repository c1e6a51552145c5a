package io.brokertls.stacks;

import java.lang.reflect.Method;

/** Runs the checks of the stack in the class that the argument names, and ends the process with the count. */
public final class Run {
    private Run() {
    }

    public static void main(String[] arguments) throws ReflectiveOperationException {
        Method main = Class.forName(arguments[0]).getMethod("main", String[].class);
        Checks.all(() -> main.invoke(null, (Object) new String[0]));
        Checks.finish();
    }
}
