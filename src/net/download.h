// SPDX-License-Identifier: Apache-2.0
// One large file from the web, into a file that grows: what is there already is not asked for again.
#ifndef NET_DOWNLOAD_H
#define NET_DOWNLOAD_H

#include <stdint.h>

struct download {
    const char *url;              // http or https; redirects are followed
    int fd;                       // read and write; grows from its present end
    const char *name;             // of the file, in sentences
    void (*progress)(void *user, int64_t have, int64_t all);   // all 0: not known; NULL: not told
    void *user;
};

// Until the whole is there: a connection that breaks or stands still is taken up again where it broke, a few times without a
// byte in between. A server that cannot resume sends all of it once more. What it is must be checked by the caller.
// EFULL_, EIO_, ESTOPPED_ (what came is kept), EMISSING_: the server has no such file or could not be reached.
int download(const struct download *d);

#endif
