// SPDX-License-Identifier: Apache-2.0
// Released checkpoints in the user's cache. A download grows in NAME.part under a lock, so that two at once are one; it gets
// its name when it is whole and its SHA-256 is the one that the name carries.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "model/released.h"
#include "net/download.h"
#include "task/models.h"
#include "task/task.h"

// $XDG_CACHE_HOME/diht/FILE, else ~/.cache/diht/FILE. Fresh.
static int cache_path(char **out, const char *file)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    struct buf b = {0};
    if (cache && *cache)
        buf_fmt(&b, "%s/diht/%s", cache, file);
    else if (home && *home)
        buf_fmt(&b, "%s/.cache/diht/%s", home, file);
    else
        return FAIL(EUSAGE_, "neither XDG_CACHE_HOME nor HOME is set: no place for %s", file);
    return (*out = buf_steal(&b)) ? 0 : FAIL(EMEMORY_, "out of memory");
}

// The part file, locked: nobody else writes to it. *fd -1: meanwhile the whole is there.
static int lock_part(int *fd, const char *part, const char *whole)
{
    for (*fd = -1;;) {
        struct stat ours, named;
        int f = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (f < 0)
            return FAIL(error_from_errno(errno), "%s: cannot open: %s", part, strerror(errno));
        if (flock(f, LOCK_EX | LOCK_NB) != 0) {
            log_info("%s is being fetched by another process: waiting for it", whole);
            while (flock(f, LOCK_EX | LOCK_NB) != 0) {
                if (stop_requested()) {
                    close(f);
                    return FAIL(ESTOPPED_, "stopped while waiting");
                }
                usleep(100000);
            }
        }
        // whoever had the lock before may have given the file its name, or thrown it away
        bool same = fstat(f, &ours) == 0 && stat(part, &named) == 0 && ours.st_ino == named.st_ino;
        if (same) {
            *fd = f;
            return 0;
        }
        close(f);
        if (file_exists(whole))
            return 0;
    }
}

static void tell(void *user, int64_t have, int64_t all)
{
    char a[32], b[32];
    format_bytes(a, (double)have);
    format_bytes(b, (double)all);
    log_progress("%s: %s%s%s", (const char *)user, a, all ? " of " : "", all ? b : "");
}

static int check_hash(const char *part, const char *file)
{
    char is[SHA256_HEX], wanted[SHA256_HEX];
    int rc = sha256_file(is, part);
    if (rc || !released_hash(wanted, file) || strcmp(is, wanted) == 0)
        return rc;
    (void)unlink(part);
    return FAIL(EFORMAT_, "%s: what came has the SHA-256 %s, not the one in its name: thrown away", file, is);
}

static int fetch(const char *whole, const char *file, const char *url)
{
    struct buf part = {0};
    int fd = -1;
    buf_fmt(&part, "%s.part", whole);
    int rc = part.failed;
    if (!rc)
        rc = lock_part(&fd, part.at, whole);
    if (rc || fd < 0 || file_exists(whole))
        goto done;
    log_info("fetching %s", url);
    log_info("licence of the released weights: %s", RELEASED_LICENCE);
    struct download d = {.url = url, .fd = fd, .name = part.at, .progress = tell, .user = (void *)file};
    rc = download(&d);
    if (!rc && fsync(fd) != 0)
        rc = FAIL(error_from_errno(errno), "%s: writing failed: %s", part.at, strerror(errno));
    if (!rc)
        rc = check_hash(part.at, file);
    if (!rc && rename(part.at, whole) != 0)
        rc = FAIL(error_from_errno(errno), "%s: cannot be renamed: %s", part.at, strerror(errno));
    if (rc == EMISSING_) {   // nobody came: whoever has a network elsewhere can put it there
        struct buf why = {0};
        buf_fmt(&why, "%s", error_last());
        rc = FAIL(EMISSING_, "%s could not be fetched: %s; fetch it elsewhere and put it at %s", file, why.at ? why.at : url,
                  whole);
        buf_free(&why);
    }
done:
    if (fd >= 0) {
        struct stat s;
        if (fstat(fd, &s) == 0 && s.st_size == 0)   // nothing worth keeping
            (void)unlink(part.at);
        close(fd);
    }
    buf_free(&part);
    return rc;
}

// A released model's file, fetched unless it is there. url: NULL, a file's address, or a directory's, ending in '/'.
static int pull(char **out, const char *name, const char *url)
{
    char hash[SHA256_HEX];
    const char *file = released_file(name) ? released_file(name) : name;
    struct buf from = {0};
    *out = NULL;
    if (!released_hash(hash, file) || strchr(file, '/')) {
        struct buf list = {0};
        for (int i = 0; released_names[i]; i++)
            buf_fmt(&list, "%s%s", i ? ", " : "", released_names[i]);
        int rc = FAIL(EUSAGE_, "%s: no released model: %s, all, or a file's name that ends in its SHA-256 expected", name,
                      list.at ? list.at : "");
        buf_free(&list);
        return rc;
    }
    size_t n = url ? strlen(url) : 0;
    buf_fmt(&from, "%s%s", url ? url : RELEASED_AT, !n || url[n - 1] == '/' ? file : "");
    char *dir = NULL;
    int rc = from.failed ? from.failed : cache_path(out, file);
    if (!rc && !file_exists(*out)) {
        rc = (dir = path_dir(*out)) ? dir_make(dir) : EMEMORY_;
        if (!rc)
            rc = fetch(*out, file, from.at);
    }
    free(dir);
    buf_free(&from);
    if (rc) {
        free(*out);
        *out = NULL;
    }
    return rc;
}

int model_find(char **path, const char *name)
{
    if (name && !file_exists(name) && released_file(name))
        return pull(path, name, NULL);
    *path = name ? strdup(name) : NULL;
    return *path || !name ? 0 : FAIL(EMEMORY_, "out of memory");
}

int task_pull(const diht_pull_options *o, char **result)
{
    bool all = strcmp(o->name, "all") == 0;
    struct buf b = {0};
    int rc = 0;
    *result = NULL;
    stop_clear();
    if (all && o->url && (!*o->url || o->url[strlen(o->url) - 1] != '/'))
        return FAIL(EUSAGE_, "--url %s: for all models the address of a directory, ending in /, is needed", o->url);
    for (int i = 0; (all ? released_names[i] != NULL : i < 1) && !rc; i++) {
        char *path = NULL;
        rc = pull(&path, all ? released_names[i] : o->name, o->url);
        if (!rc)
            buf_fmt(&b, "%s\n", path);
        free(path);
    }
    if (!rc && !(*result = buf_steal(&b)))
        rc = FAIL(EMEMORY_, "out of memory");
    buf_free(&b);
    return rc;
}
