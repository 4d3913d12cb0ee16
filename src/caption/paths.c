// SPDX-License-Identifier: Apache-2.0
// Where the word table lies: named by the environment, beside the program (a build in its source tree, or installed), or
// where this library was configured to be installed.
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "caption/format.h"

#define TABLE_NAME "words.en.gz"

int table_path(char **out)
{
    static const char *const beside[] = {"../share/diht", "../share", "../../share", "../../../share", "share"};
    struct buf path = {0};
    const char *named = getenv("DIHT_WORDS");
    char self[PATH_MAX];
    *out = NULL;
    if (named) {
        buf_str(&path, named);
    } else {
        ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
        self[n > 0 ? n : 0] = '\0';
        char *dir = path_dir(self);
        if (!dir)
            path.failed = FAIL(EMEMORY_, "out of memory: no room for the word table's path");
        for (size_t i = 0; dir && i < sizeof beside / sizeof *beside; i++) {
            buf_clear(&path);
            buf_fmt(&path, "%s/%s/%s", dir, beside[i], TABLE_NAME);
            if (path.failed || file_exists(path.at))
                break;
        }
        free(dir);
        if (!path.failed && !file_exists(path.at)) {
            buf_clear(&path);
            buf_str(&path, DIHT_DATADIR "/" TABLE_NAME);
        }
    }
    int rc = path.failed;
    if (!rc && !file_exists(path.at))
        rc = FAIL(EMISSING_, "%s: the word table of the caption parser is not there; it comes with the program as share/"
                  TABLE_NAME ": install it, or name it in DIHT_WORDS", path.at);
    if (!rc)
        *out = buf_steal(&path);
    buf_free(&path);
    return rc;
}
