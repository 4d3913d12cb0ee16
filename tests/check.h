// SPDX-License-Identifier: Apache-2.0
// The test harness: a program is a list of named cases, each printed as a TAP line; `./run test` adds them up.
//   static void adds(void) { CHECK(1 + 1 == 2); CHECK_CLOSE(x, y, 1e-6); }
//   int main(int argc, char **argv) { CASE(adds); return check_done(); }
// A failed CHECK prints where and what, marks the case as failed and goes on with the case.
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Weak: one set of counters for all files of a program, whichever of them a CHECK stands in.
__attribute__((weak)) int check_cases, check_failed_cases, check_bad;
__attribute__((weak)) const char *check_why;   // set by SKIP

#define CHECK(ok) ((ok) ? (void)0 : check_fail(__FILE__, __LINE__, #ok))
#define CHECK_CLOSE(a, b, tol) check_close(__FILE__, __LINE__, #a " ~ " #b, (a), (b), (tol))
#define CHECK_STR(a, b) check_str(__FILE__, __LINE__, #a, (a), (b))
// A case that cannot run here (say why); it counts as skipped, not as passed.
#define SKIP(why) do { check_why = (why); return; } while (0)
#define CASE(fn) check_case(#fn, fn)

// A program run by hand in the checkout finds what meson's tests are told.
__attribute__((constructor)) static void check_surroundings(void)
{
    const char *given[][2] = {{"DIHT_PROGRAM", "build/diht"}, {"DIHT_GOLDEN", "tests/golden"}};
    for (int i = 0; i < 2; i++) {
        char *path = realpath(given[i][1], NULL);
        if (path)
            setenv(given[i][0], path, 0);
        free(path);
    }
}

static inline void check_fail(const char *file, int line, const char *what)
{
    check_bad++;
    if (check_bad <= 20)
        printf("# %s:%d: %s\n", file, line, what);
}

static inline void check_close(const char *file, int line, const char *what, double a, double b, double tol)
{
    if (!(fabs(a - b) <= tol)) {   // catches NaN too
        char text[512];
        snprintf(text, sizeof text, "%s: %.17g against %.17g, differ by %.3g > %.3g", what, a, b, fabs(a - b), tol);
        check_fail(file, line, text);
    }
}

static inline void check_str(const char *file, int line, const char *what, const char *a, const char *b)
{
    if (!a || !b || strcmp(a, b) != 0) {
        char text[2048];
        snprintf(text, sizeof text, "%s: \"%.900s\" against \"%.900s\"", what, a ? a : "(null)", b ? b : "(null)");
        check_fail(file, line, text);
    }
}

static inline void check_case(const char *name, void (*fn)(void))
{
    check_bad = 0;
    check_why = NULL;
    fn();
    check_cases++;
    if (check_bad)
        check_failed_cases++;
    printf("%s %d - %s%s%s\n", check_bad ? "not ok" : "ok", check_cases, name, check_why ? " # SKIP " : "", check_why ? check_why : "");
    fflush(stdout);
}

static inline int check_done(void)
{
    printf("1..%d\n", check_cases);
    return check_failed_cases ? 1 : 0;
}

#endif
