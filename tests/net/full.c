// SPDX-License-Identifier: Apache-2.0
// A fetch whose pictures fill the disk, or that may not write at all: it says so, the tars stay whole, the next run goes on.
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "cli/run.h"
#include "server.h"

static struct server server;
static bool ready;

// A tmpfs of its own for this process and its children: nobody else sees it, and it goes with them.
static bool mount_small(void)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return false;
    return mkdir("small", 0700) == 0 && mount("none", "small", "tmpfs", 0, "size=600k") == 0;
}

static int fetch(const char *dataset)
{
    return diht("fetch web.tsv --out %s --allow-net 127.0.0.1 --json", dataset);
}

static void full(void)
{
    if (!ready)
        SKIP("needs root and mount namespaces");
    CHECK(fetch("small/data") == 1 && said("small/data") && (strstr(err, "disk is full") || said("No space left")));
    CHECK(system("for t in small/data/shards/*.tar; do tar tf $t >/dev/null || exit 1; done") == 0);
    CHECK(mount("none", "small", "tmpfs", MS_REMOUNT, "size=8m") == 0);
    CHECK(fetch("small/data") == 0 && strstr(out, "\"ok\":40"));
}

static void read_only(void)
{
    if (!ready)
        SKIP("needs root and mount namespaces");
    CHECK(mount("none", "small", "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) == 0);
    CHECK(fetch("small/data") == 1 && said("small/data"));
    CHECK(fetch("small/more") == 1 && said("small/more"));
    CHECK(diht("status small/data --json") == 0 && strstr(out, "\"ok\":40"));
    CHECK(mount("none", "small", "tmpfs", MS_REMOUNT, NULL) == 0);
}

int main(void)
{
    if (!scratch_begin() || server_start(&server) != 0)
        return 1;
    ready = mount_small();
    FILE *f = fopen("web.tsv", "w");
    for (int i = 0; f && i < 40; i++)
        fprintf(f, "picture\thttp://127.0.0.1:%d/ok/%d\n", server.port, i);
    if (f)
        fclose(f);
    CASE(full);
    CASE(read_only);
    if (ready)
        umount("small");
    server_stop(&server);
    scratch_end();
    return check_done();
}
