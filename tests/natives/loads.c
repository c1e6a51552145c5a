/* Loads the native library in the first argument as a JVM does, and prints the version that a method of it returns. For
 * musl, which no JVM of Debian is for. The table of the JVM's functions has those that this method calls.
 */
#include <dlfcn.h>
#include <jni.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef jstring (*version_method)(JNIEnv *, jclass);

static struct JNIInvokeInterface_ invocations;
static JavaVM machine = &invocations;

static void unknown(void)
{
    fputs("a function of the JVM is called that is not here\n", stderr);
    abort();
}

static void fill(void *table, size_t size)
{
    void (**function)(void) = table;
    for (size_t i = 0; i < size / sizeof *function; i++)
        function[i] = unknown;
}

static jint version(JNIEnv *env)
{
    return JNI_VERSION_10;
}

static jboolean exception_check(JNIEnv *env)
{
    return JNI_FALSE;
}

static jthrowable exception_occurred(JNIEnv *env)
{
    return NULL;
}

static jstring new_string(JNIEnv *env, const char *text)
{
    return (jstring)strdup(text);
}

static jint java_vm(JNIEnv *env, JavaVM **found)
{
    *found = &machine;
    return JNI_OK;
}

int main(int argc, char **argv)
{
    struct JNINativeInterface_ functions;
    fill(&functions, sizeof functions);
    fill(&invocations, sizeof invocations);
    functions.GetVersion = version;
    functions.ExceptionCheck = exception_check;
    functions.ExceptionOccurred = exception_occurred;
    functions.NewStringUTF = new_string;
    functions.GetJavaVM = java_vm;
    JNIEnv env = &functions;

    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    void *method = library ? dlsym(library, "Java_io_brokertls_internal_NativeLoader_version") : NULL;
    if (!method) {
        fprintf(stderr, "%s\n", argc > 1 ? dlerror() : "usage: loads LIBRARY");
        return 1;
    }
    printf("loaded %s\n", (char *)((version_method)method)(&env, NULL));
    return 0;
}
