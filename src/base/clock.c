// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static atomic_int stop_flag;   // lock-free, so a signal handler may set it

double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int64_t memory_peak(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (int64_t)r.ru_maxrss * 1024;
}

int64_t memory_now(void)
{
    long long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (fscanf(f, "%lld %lld", &size, &resident) != 2)
            resident = 0;
        fclose(f);
    }
    return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

int cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

bool cpu_avx2(void)
{
#ifdef __x86_64__
    const char *isa = getenv("DIHT_ISA");
    return __builtin_cpu_supports("avx2") && !(isa && strcmp(isa, "ref") == 0);
#else
    return false;
#endif
}

bool cpu_avx512_bytes(void)
{
#ifdef __x86_64__
    const char *isa = getenv("DIHT_ISA");
    bool below = isa && (strcmp(isa, "avx2") == 0 || strncmp(isa, "ref", 3) == 0);
    return !below && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("bmi2");
#else
    return false;
#endif
}

void stop_request(void) { stop_flag = 1; }
bool stop_requested(void) { return stop_flag != 0; }
void stop_clear(void) { stop_flag = 0; }

void format_bytes(char out[32], double b)
{
    static const char *const unit[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    int u = 0;
    for (; b >= 1000 && u < 5; u++)
        b /= 1000;
    snprintf(out, 32, u && b < 9.95 ? "%.1f %s" : "%.0f %s", b, unit[u]);
}

void format_seconds(char out[32], double s)
{
    if (s < 0)
        s = 0;
    if (s < 9.95)
        snprintf(out, 32, "%.1f s", s);
    else if (s < 99.5)
        snprintf(out, 32, "%.0f s", s);
    else if (s < 5400)
        snprintf(out, 32, "%d min %02d s", (int)(s / 60), (int)s % 60);
    else
        snprintf(out, 32, "%d h %02d min", (int)(s / 3600), (int)(s / 60) % 60);
}
