// SPDX-License-Identifier: Apache-2.0
// Connections are used again, by what nginx saw: kept in HTTP/1.1, shared at once by many in HTTP/2; TLS takes up its
// session when a server closes. Certificates are verified.
#include <stdbool.h>
#include <unistd.h>

#include "check.h"
#include "cli/run.h"
#include "nginx.h"

enum { ROWS = 40, PER_HOST = 8, MOST = 4 * ROWS };

static struct nginx nginx;

static void write_list(const char *name, const char *start, int port)
{
    FILE *f = fopen(name, "w");
    for (int i = 0; f && i < ROWS; i++)
        fprintf(f, "picture %d\t%s:%d/%d.jpg\n", i, start, port, i);
    if (f)
        fclose(f);
}

// What the log says of the pictures since the last call.
struct seen {
    int pictures, connections, overlapping /* of one connection at once, at most */, resumed, http2;
};

static struct seen look(void)
{
    static long from;
    struct { long connection; double start, end; } r[MOST];
    struct seen s = {0};
    char protocol[16], session[8], uri[64];
    double end, took;
    long connection;
    FILE *f = fopen("access.log", "r");
    if (!f || fseek(f, from, SEEK_SET) != 0)
        return s;
    while (s.pictures < MOST && fscanf(f, "%ld %15s %7s %lf %lf %63s", &connection, protocol, session, &end, &took, uri) == 6) {
        bool known = false;
        for (int i = 0; i < s.pictures; i++)
            known |= r[i].connection == connection;
        s.connections += !known;
        s.resumed += !known && session[0] == 'r';
        s.http2 += strcmp(protocol, "HTTP/2.0") == 0;
        r[s.pictures].connection = connection;
        r[s.pictures].start = end - took;
        r[s.pictures++].end = end;
    }
    from = ftell(f);
    fclose(f);
    for (int i = 0; i < s.pictures; i++) {
        int at_once = 0;
        for (int k = 0; k < s.pictures; k++)
            at_once += k == i || (r[k].connection == r[i].connection && r[k].start <= r[i].start && r[i].start < r[k].end - .002);
        s.overlapping = at_once > s.overlapping ? at_once : s.overlapping;
    }
    printf("# %d pictures over %d connections, up to %d at once over one, %d sessions taken up, %d by HTTP/2\n", s.pictures,
           s.connections, s.overlapping, s.resumed, s.http2);
    return s;
}

static struct seen fetched(const char *name, const char *start, int port)
{
    write_list("list.tsv", start, port);
    CHECK(diht("fetch list.tsv --out %s --ca-file cert.pem --per-host %d --robots ignore --allow-net 127.0.0.0/8 --json", name,
               PER_HOST) == 0);
    CHECK(strstr(out, "\"ok\":40,\"failed\":{}") != NULL);
    struct seen s = look();
    CHECK(s.pictures == ROWS);
    return s;
}

static void kept_connections(void)
{
    struct seen s = fetched("kept", "http://127.14.0.1", nginx.port);
    CHECK(s.connections <= PER_HOST && s.http2 == 0);
}

static void one_connection_for_many(void)
{
    if (!nginx.tls_port)
        SKIP("no certificate could be made: openssl is not installed");
    struct seen s = fetched("many", "https://127.11.0.1", nginx.tls_port);
    CHECK(s.http2 == ROWS && s.connections <= 2 && s.overlapping > 2 && s.overlapping <= PER_HOST);
}

static void sessions_taken_up(void)
{
    if (!nginx.tls_port)
        SKIP("no certificate could be made: openssl is not installed");
    for (int i = 0; i < 2; i++) {
        struct seen s = fetched(i ? "newer" : "older", i ? "https://127.15.0.1" : "https://127.12.0.1", nginx.tls_port);
        // the first ones have none yet; TLS 1.3 takes each ticket once, and a slow machine has fewer when the next one connects
        CHECK(s.connections == ROWS && s.resumed >= (i ? ROWS / 8 : ROWS - PER_HOST));
    }
}

static void certificates(void)
{
    if (!nginx.tls_port)
        SKIP("no certificate could be made: openssl is not installed");
    static const char rest[] = "--robots ignore --retries 0 --allow-net 127.0.0.0/8 --json";
    write_list("list.tsv", "https://127.13.0.1", nginx.tls_port);   // another's
    CHECK(diht("fetch list.tsv --out other --ca-file cert.pem %s", rest) == 0 && strstr(out, "\"tls\":40"));
    write_list("list.tsv", "https://127.11.0.1", nginx.tls_port);   // nobody's
    CHECK(diht("fetch list.tsv --out nobody %s", rest) == 0 && strstr(out, "\"tls\":40"));
    CHECK(diht("fetch list.tsv --out none --ca-file gone.pem %s", rest) == 1 && said("gone.pem"));
    CHECK(diht("fetch list.tsv --out none --ca-file list.tsv %s", rest) == 1 && said("list.tsv"));
    CHECK(look().pictures == 0);
}

int main(void)
{
    if (!scratch_begin())
        return 1;
    bool there = nginx_start(&nginx, ROWS);
    if (!there)
        printf("# nginx is not installed\n");
    else {
        CASE(kept_connections);
        CASE(one_connection_for_many);
        CASE(sessions_taken_up);
        CASE(certificates);
        nginx_stop(&nginx);
    }
    scratch_end();
    return check_done();
}
