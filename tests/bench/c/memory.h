/* The memory of this process: allocated bytes, and resident ones. */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <malloc.h>
#include <stdio.h>

struct memory {
    long long allocated, resident; /* Bytes. */
};

/* Everything that malloc has handed out in all its arenas, whoever asked, its own overhead included; and VmRSS. */
static inline struct memory memory_now(void) {
    struct mallinfo2 info = mallinfo2();
    struct memory now = {(long long)(info.uordblks + info.hblkhd), 0};
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmRSS: %lld kB", &now.resident) == 1)
            now.resident *= 1024;
    if (status != NULL)
        fclose(status);
    return now;
}

#endif
