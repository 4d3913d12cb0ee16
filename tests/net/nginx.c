// SPDX-License-Identifier: Apache-2.0
#include "nginx.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/rng.h"
#include "image/encode.h"
#include "server.h"

// About 45 kB, distinct by a comment segment.
static bool write_pictures(int count)
{
    struct image im = {400, 300, malloc(400 * 300 * 3)};
    struct buf b = {0};
    struct rng r = rng_make(3, 3);
    char name[64];
    bool ok = im.rgb != NULL;
    for (int i = 0; ok && i < 400 * 300 * 3; i++)
        im.rgb[i] = (unsigned char)((i / 9 % 200) + (int)rng_below(&r, 40));
    ok = ok && image_jpeg(&b, &im, 82) == 0;
    for (int i = 0; ok && i < count; i++) {
        snprintf(name, sizeof name, "www/%d.jpg", i);
        FILE *f = fopen(name, "w");
        ok = f && fprintf(f, "\xff\xd8\xff\xfe%c%c%016d", 0, 18, i) == 22 && fwrite(b.at + 2, b.len - 2, 1, f) == 1;
        if (f)
            ok = fclose(f) == 0 && ok;
    }
    free(im.rgb);
    buf_free(&b);
    return ok;
}

static bool write_configuration(const struct nginx *n)
{
    char dir[512];
    FILE *f = fopen("nginx.conf", "w");
    if (!f || !getcwd(dir, sizeof dir))
        return false;
    fprintf(f, "daemon off; pid %s/nginx.pid; error_log %s/error.log; worker_processes 1; worker_rlimit_nofile 8192;\n"
            "events { worker_connections 4096; }\nhttp { access_log off; sendfile on; tcp_nopush on;\n"
            "types { image/jpeg jpg; } keepalive_requests 1000000;\n", dir, dir);
    const char *const temp[] = {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"};
    for (int i = 0; i < 5; i++)
        fprintf(f, "%s_temp_path %s/t%d;\n", temp[i], dir, i);
    fprintf(f, "server { root %s/www;\n", dir);
    for (int i = 0; i < NGINX_HOSTS; i++)
        fprintf(f, "listen 127.10.0.%d:%d%s;\n", i + 1, n->port, i ? "" : " backlog=4096");
    fprintf(f, "}\nlog_format all '$connection $server_protocol $ssl_session_reused $msec $request_time $uri';\n");
    const struct { const char *at, *more; int port; } seen[] = {
        {"127.14.0.1", "", n->port}, {"127.11.0.1", "ssl http2", n->tls_port}, {"127.12.0.1", "ssl", n->tls_port},
        {"127.13.0.1", "ssl", n->tls_port}, {"127.15.0.1", "ssl", n->tls_port}};
    const char *const rules[] = {"", "limit_rate 40k;", "keepalive_timeout 0; ssl_protocols TLSv1.2;", "",
                                 "keepalive_timeout 0; ssl_protocols TLSv1.3;"};
    for (int i = 0; i < 5; i++) {
        if (!seen[i].port)
            continue;
        fprintf(f, "server { root %s/www; listen %s:%d %s; access_log %s/access.log all; %s\n", dir, seen[i].at,
                seen[i].port, seen[i].more, dir, rules[i]);
        if (*seen[i].more)
            fprintf(f, "ssl_session_cache shared:s:1m; ssl_certificate %s/cert.pem; ssl_certificate_key %s/key.pem;\n", dir, dir);
        fprintf(f, "}\n");
    }
    fprintf(f, "}\n");
    return fclose(f) == 0;
}

static bool answers(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f0a0001), .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool yes = connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
    close(fd);
    return yes;
}

bool nginx_start(struct nginx *n, int pictures)
{
    const char *program = access("/usr/sbin/nginx", X_OK) == 0 ? "/usr/sbin/nginx" : "nginx";
    *n = (struct nginx){.pid = -1, .port = closed_port()};
    if (system("openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=nobody"
               " -addext subjectAltName=IP:127.11.0.1,IP:127.12.0.1,IP:127.15.0.1 -keyout key.pem -out cert.pem"
               " >/dev/null 2>&1") == 0)
        n->tls_port = closed_port();
    if (mkdir("www", 0755) != 0 || !write_pictures(pictures) || !write_configuration(n) ||
        system("chmod 755 . && chmod -R a+rX www") != 0)
        return false;
    n->pid = fork();
    if (n->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        int quiet = open("/dev/null", O_WRONLY);
        dup2(quiet, 1);
        dup2(quiet, 2);
        char config[600] = "";
        if (getcwd(config, 512))
            strcat(config, "/nginx.conf");
        execlp(program, "nginx", "-c", config, "-e", "stderr", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 200; i++) {
        usleep(20000);
        if (n->pid > 0 && answers(n->port))
            return true;
        if (waitpid(n->pid, NULL, WNOHANG) == n->pid)
            break;
    }
    n->pid = -1;
    return false;
}

void nginx_stop(struct nginx *n)
{
    if (n->pid <= 0)
        return;
    kill(n->pid, SIGTERM);
    waitpid(n->pid, NULL, 0);
    n->pid = -1;
}
