// SPDX-License-Identifier: Apache-2.0
// A page with made-up but lifelike figures and real small pictures, for the tests and for looking at.
#ifndef TESTS_REPORT_SAMPLE_H
#define TESTS_REPORT_SAMPLE_H

#include "report/page.h"

struct report *sample_page(void);   // NULL: out of memory
void sample_free(struct report *r); // accepts NULL

#endif
