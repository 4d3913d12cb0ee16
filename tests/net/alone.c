// SPDX-License-Identifier: Apache-2.0
// The misbehaving server by hand: prints its port, ends with its standard input or after two minutes.
#include <stdio.h>
#include <unistd.h>

#include "server.h"

int main(void)
{
    struct server s = {0};
    char c;
    if (server_start(&s) != 0)
        return 1;
    printf("%d\n", s.port);
    fflush(stdout);
    while (read(0, &c, 1) > 0)
        continue;
    server_stop(&s);
    return 0;
}
