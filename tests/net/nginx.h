// SPDX-License-Identifier: Apache-2.0
// Debian's nginx with pictures of its own, on loopback: a folder of the working directory.
#ifndef TESTS_NET_NGINX_H
#define TESTS_NET_NGINX_H

#include <stdbool.h>
#include <sys/types.h>

enum { NGINX_HOSTS = 64 };   // 127.10.0.1 and so on

struct nginx {
    pid_t pid;
    int port, tls_port;      // tls_port: a certificate (cert.pem) that nobody signed; 0: there is none
};
// Over TLS: 127.11.0.1 speaks HTTP/2 too, a picture takes a second; 127.12.0.1 (TLS 1.2) and 127.15.0.1 (1.3) close after
// every answer; the certificate does not name 127.13.0.1. access.log: "connection protocol session end seconds path" of every
// request to these, and to 127.14.0.1 without TLS; session "r": taken up again.

// /N.jpg for N below `pictures`. false: nginx is not installed or did not start.
bool nginx_start(struct nginx *n, int pictures);
void nginx_stop(struct nginx *n);

#endif
