// SPDX-License-Identifier: Apache-2.0
// Debian's nginx with pictures of its own, on loopback: a folder of the working directory.
#ifndef TESTS_NET_NGINX_H
#define TESTS_NET_NGINX_H

#include <stdbool.h>
#include <sys/types.h>

enum { NGINX_HOSTS = 64 };   // 127.10.0.1 and so on

struct nginx {
    pid_t pid;
    int port, tls_port;      // tls_port: on 127.11.0.1, a certificate that nobody signed; 0: there is none
};

// /N.jpg for N below `pictures`. false: nginx is not installed or did not start.
bool nginx_start(struct nginx *n, int pictures);
void nginx_stop(struct nginx *n);

#endif
