// SPDX-License-Identifier: Apache-2.0
// A host says that it is too busy (429, 503). Is it the host, then asking less helps; or are some of its addresses always
// refused, then waiting only costs time? Told by rows from all over its queue, and by what comes after a pause.
#ifndef NET_BUSY_H
#define NET_BUSY_H

#include <stdbool.h>

// One answer of a host.
struct answer {
    bool busy;                // only that it is too busy,
    double retry_after;       // for so many seconds; 0: it did not say
    bool sample;              // to a row from anywhere in its queue
    bool cut;                 // we ended it: says nothing of how long answers take
    double started, waited, seconds;   // as clock_now(); to the first line, 0 none came; to the end
};

struct busy {
    int signs;                // answers in a row that were nothing else
    double since;             // when it was first left alone, or a pause helped last; 0: it is not left alone
    double pause, until;      // the last pause: its length, its end
    bool untold;              // nothing asked for after it was answered yet
    int helped, vain;         // pauses
    bool round;               // pauses do not help: every row is asked for once, one after the other
    int asked;                // in this round
};

struct busy_of {
    bool answers;             // it has answered otherwise before
    int queued;               // rows that wait for it
    double budget;            // seconds that all this may take
};

// Is what is asked for next to tell how the host is now? Then it should be something that was not refused before.
static inline bool busy_probes(const struct busy *b) { return b->since > 0 && (b->untold || b->round); }
// It answered so. When it may be asked again, one row at a time, as clock_now(); 0: nothing changes; HUGE_VAL: it is given up.
double busy_refused(struct busy *b, const struct answer *a, const struct busy_of *host, double now);
void busy_answered(struct busy *b, const struct answer *a, double now);   // it answered otherwise

#endif
