// SPDX-License-Identifier: Apache-2.0
// Bringing shards to the disk, beside the storing: a disk that is slow to answer holds nobody up. A kill loses nothing
// of what was handed to the system; what this bounds is what a power failure can cost.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "data/journal.h"
#include "task/fetch.h"

static const double sync_every = 15;

static void *bring(void *arg)
{
    struct sync *s = arg;
    for (int i = 0; i < s->count; i++) {
        if (fdatasync(s->fd[i]) != 0 && !s->error)
            s->error = errno;
        close(s->fd[i]);
    }
    __atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
    return NULL;
}

// A finished round: what it brought may be checkpointed.
static int finish(struct fetch *f)
{
    struct sync *s = &f->sync;
    pthread_join(s->thread, NULL);
    s->running = s->done = false;
    s->count = 0;
    if (s->error)
        return FAIL(error_from_errno(s->error), "%s/shards: cannot be brought to the disk: %s", f->o->out,
                    strerror(s->error));
    return journal_checkpoint(f->journal);
}

int sync_shard(struct fetch *f)
{
    struct sync *s = &f->sync;
    if (s->kept == SYNC_MOST)
        return shard_sync(&f->shard);
    int fd = fcntl(f->shard.fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return shard_sync(&f->shard);
    s->keep[s->kept++] = fd;
    return 0;
}

int sync_now_and_then(struct fetch *f, double now)
{
    struct sync *s = &f->sync;
    if (s->running)
        return __atomic_load_n(&s->done, __ATOMIC_ACQUIRE) ? finish(f) : 0;
    if (s->last == 0)
        s->last = now;
    if (now - s->last < sync_every)
        return 0;
    s->last = now;
    int rc = sync_shard(f);
    memcpy(s->fd, s->keep, sizeof s->fd);
    s->count = s->kept;
    s->kept = 0;
    s->running = !rc && pthread_create(&s->thread, NULL, bring, s) == 0;
    if (!rc && !s->running) {   // no thread: here, then
        bring(s);
        s->done = false;
        s->count = 0;
    }
    return rc;
}

int sync_end(struct fetch *f, double seconds)
{
    struct sync *s = &f->sync;
    int rc = s->running ? finish(f) : 0;
    // what took less than a round to make is left to the system, as a copied file is
    if (!rc && seconds > sync_every)
        rc = shard_sync(&f->shard);
    while (s->kept > 0) {
        int fd = s->keep[--s->kept];
        if (!rc && seconds > sync_every && fdatasync(fd) != 0)
            rc = FAIL(error_from_errno(errno), "%s/shards: cannot be brought to the disk: %s", f->o->out, strerror(errno));
        close(fd);
    }
    return rc;
}
