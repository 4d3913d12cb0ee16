// SPDX-License-Identifier: Apache-2.0
// The peak loops count what they do, and doing twice the rounds is twice the work.
#include "check.h"

#include "base/arena.h"
#include "kernel/peak.h"

static void peaks_count_their_work(void)
{
    struct peak all[PEAKS];
    int n = peaks(all, NULL);
    void *memory = memory_zero(PEAK_MEMORY);
    CHECK(memory != NULL);
    for (int i = 0; i < n && memory; i++) {
        CHECK(all[i].name && all[i].unit);
        if (all[i].run) {
            double one = all[i].run(1, memory), two = all[i].run(2, memory);
            CHECK(one > 0 && two == 2 * one);
        }
    }
    free(memory);
}

int main(void)
{
    CASE(peaks_count_their_work);
    return check_done();
}
