// SPDX-License-Identifier: Apache-2.0
// `report_page FILE.html` writes the sample page, to be looked at in a browser; without a name it tests that it can.
#include <unistd.h>

#include "base/error.h"
#include "check.h"
#include "sample.h"

static const char *target;

static void page_is_written(void)
{
    struct report *r = sample_page();
    CHECK(r && report_write(r, target) == 0);
    sample_free(r);
}

int main(int argc, char **argv)
{
    char temp[] = "/tmp/report_page_XXXXXX";
    int fd = argc > 1 ? -1 : mkstemp(temp);
    target = argc > 1 ? argv[1] : temp;
    CASE(page_is_written);
    if (fd >= 0) {
        close(fd);
        unlink(temp);
    }
    return check_done();
}
