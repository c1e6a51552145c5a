#!/usr/bin/env bash
# A class with two copies of one native library calls both: each method binds at its first call to a copy by hash order.
#
# Seen with OpenJDK 17.0.15 of Debian 12 (package openjdk-17-jdk-headless), installed from there with gcc if javac or
# gcc is not on the path. Exits with 2 at another version than 17. A class loader loads a library from one path, calls
# set(7), loads a copy of it from a second path, and calls get() for the first time. Of 200 class loaders:
#   about 100 get 7, and about 100 get 0, the untouched variable of the second copy.
# The JNI specification has no order among the libraries of a class loader. A reader expects the first copy, or the
# last. HotSpot walks a hash map with the paths as keys, when a method is first called. Several classes of a jar that
# each unpack and load its library to a random path work for the methods that ran before. Later they fail in one start
# of two: a handle of one copy is unknown to the other. Load a library once for each class loader.
# Exits with 0 while this is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! command -v javac > /dev/null || ! command -v gcc > /dev/null; then
    apt-get install -y -q openjdk-17-jdk-headless gcc libc6-dev > /dev/null
fi
version=$(java --version)
echo "${version%%$'\n'*}"
if ! [[ $version =~ ^openjdk\ 17[.\ ] ]]; then
    echo "another version than stated: this is about OpenJDK 17" >&2
    exit 2
fi
mkdir "$folder/classes" "$folder/copies"
cat > "$folder/Variable.java" << 'JAVA'
public class Variable {
    public static native void set(int value);

    public static native int get();

    /** Loads for this class's loader. */
    public static void load(String path) {
        System.load(path);
    }
}
JAVA
cat > "$folder/Main.java" << 'JAVA'
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;

public class Main {
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        int first = 0;
        int second = 0;
        for (int i = 0; i < 200; i++) {
            URL[] classes = {folder.resolve("classes/").toUri().toURL()};
            Class<?> type = new URLClassLoader(classes, null).loadClass("Variable");
            for (String copy : new String[] {"one", "two"}) {
                Path path = folder.resolve("copies/" + copy + i + ".so");
                Files.copy(folder.resolve("library.so"), path);
                type.getMethod("load", String.class).invoke(null, path.toString());
                if (copy.equals("one")) {
                    type.getMethod("set", int.class).invoke(null, 7);
                }
            }
            if ((int) type.getMethod("get").invoke(null) == 7) {
                first++;
            } else {
                second++;
            }
        }
        System.out.println(first + " read the first copy, " + second + " the second");
        System.exit(first > 20 && second > 20 ? 0 : 1);
    }
}
JAVA
cat > "$folder/library.c" << 'C'
#include <jni.h>

static jint variable;

JNIEXPORT void JNICALL Java_Variable_set(JNIEnv *env, jclass type, jint value)
{
    (void)env;
    (void)type;
    variable = value;
}

JNIEXPORT jint JNICALL Java_Variable_get(JNIEnv *env, jclass type)
{
    (void)env;
    (void)type;
    return variable;
}
C
home=$(java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.home = //p')
gcc -shared -fPIC -I "$home/include" -I "$home/include/linux" -o "$folder/library.so" "$folder/library.c"
javac -d "$folder/classes" "$folder/Variable.java"
javac -d "$folder" "$folder/Main.java"
java -cp "$folder" Main "$folder"
