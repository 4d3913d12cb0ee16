// SPDX-License-Identifier: Apache-2.0
// Time and memory as the operating system counts them; the stop flag.
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

double clock_now(void);            // monotonic seconds
int64_t memory_peak(void);         // highest resident bytes of this process so far
int64_t memory_now(void);          // resident bytes now
int cpu_count(void);               // processors this process may run on
bool cpu_avx2(void);               // they have AVX2, and $DIHT_ISA is not "ref"
bool cpu_avx512_bytes(void);       // AVX-512 with all of its moves and products of bytes, BMI2; $DIHT_ISA pins none below

// Ctrl-C: the program's handler sets it, long loops look at it and finish cleanly (ESTOPPED_).
void stop_request(void);           // async-signal-safe
bool stop_requested(void);
void stop_clear(void);

// "1.5 GB", "3 min 20 s" into out[32].
void format_bytes(char out[32], double bytes);
void format_seconds(char out[32], double seconds);

#endif
