// SPDX-License-Identifier: Apache-2.0
#include "net/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

// Networks that are nobody's public server: the special-purpose registries of IANA (RFC 6890 and its successors).
struct network {
    const char *name;
    unsigned char at[16];
    int bits;
};

static const struct network v4[] = {
    {"this network", {0}, 8},
    {"private", {10}, 8},
    {"shared by a carrier", {100, 64}, 10},
    {"loopback", {127}, 8},
    {"cloud metadata", {169, 254, 169, 254}, 32},
    {"cloud metadata", {168, 63, 129, 16}, 32},
    {"cloud metadata", {100, 100, 100, 200}, 32},
    {"link-local", {169, 254}, 16},
    {"private", {172, 16}, 12},
    {"reserved for protocols", {192, 0, 0}, 24},
    {"reserved for documents", {192, 0, 2}, 24},
    {"reserved for 6to4 relays", {192, 88, 99}, 24},
    {"private", {192, 168}, 16},
    {"reserved for benchmarks", {198, 18}, 15},
    {"reserved for documents", {198, 51, 100}, 24},
    {"reserved for documents", {203, 0, 113}, 24},
    {"multicast", {224}, 4},
    {"reserved", {240}, 4},
};

static const struct network v6[] = {
    {"cloud metadata", {0xfd, 0, 0x0e, 0xc2, [14] = 0x02, 0x54}, 128},
    {"discarded", {0x01, 0}, 64},
    {"local translation", {0, 0x64, 0xff, 0x9b, 0, 1}, 48},
    {"reserved for documents", {0x20, 0x01, 0x0d, 0xb8}, 32},
    {"reserved for documents", {0x3f, 0xff}, 20},
    {"reserved for protocols", {0x20, 0x01}, 23},   // Teredo among them
    {"private", {0xfc}, 7},
    {"link-local", {0xfe, 0x80}, 10},
    {"site-local", {0xfe, 0xc0}, 10},
    {"multicast", {0xff}, 8},
};

// IPv6 forms that carry an IPv4 address: judged by that one.
static const struct { unsigned char at[16]; int bits, place; } carriers[] = {
    {{[10] = 0xff, 0xff}, 96, 12},               // ::ffff:a.b.c.d, mapped
    {{[8] = 0xff, 0xff}, 96, 12},                // ::ffff:0:a.b.c.d, translated
    {{0, 0x64, 0xff, 0x9b}, 96, 12},             // 64:ff9b::a.b.c.d, NAT64
    {{0x20, 0x02}, 16, 2},                       // 2002:ab:cd::, 6to4
    {{0}, 96, 12},                               // ::a.b.c.d; :: and ::1 read as 0.0.0.0 and 0.0.0.1
};

struct allowed {
    unsigned char at[16];
    int bits, bytes;   // bytes: 4 or 16
};

struct guard {
    int count;
    struct allowed allowed[];
};

static bool within(const unsigned char *a, const unsigned char *net, int bits)
{
    int whole = bits / 8, rest = bits % 8;
    return memcmp(a, net, (size_t)whole) == 0 && (!rest || (a[whole] ^ net[whole]) >> (8 - rest) == 0);
}

static bool parse(struct allowed *out, char *text)
{
    char *slash = strchr(text, '/'), *end = NULL;
    if (slash)
        *slash = 0;
    out->bytes = strchr(text, ':') ? 16 : 4;
    out->bits = 8 * out->bytes;
    bool ok = inet_pton(out->bytes == 4 ? AF_INET : AF_INET6, text, out->at) == 1;
    if (slash) {
        long bits = strtol(slash + 1, &end, 10);
        ok = ok && end != slash + 1 && !*end && bits >= 0 && bits <= out->bits;
        out->bits = (int)bits;
        *slash = '/';
    }
    return ok;
}

int guard_new(struct guard **out, const char *allow)
{
    size_t most = 1;
    char *copy = strdup(allow ? allow : ""), *rest = NULL;
    for (const char *p = copy; p && *p; p++)
        most += *p == ',' || *p == ' ';
    struct guard *g = copy ? calloc(1, sizeof *g + most * sizeof *g->allowed) : NULL;
    int rc = g ? 0 : FAIL(EMEMORY_, "out of memory");
    for (char *one = rc ? NULL : strtok_r(copy, ", ", &rest); one && !rc; one = strtok_r(NULL, ", ", &rest))
        if (!parse(&g->allowed[g->count++], one))
            rc = FAIL(EUSAGE_, "--allow-net: '%s' is no network: 127.0.0.0/8, fd00::/8 or one address was expected", one);
    free(copy);
    if (rc) {
        free(g);
        g = NULL;
    }
    *out = g;
    return rc;
}

void guard_free(struct guard *g) { free(g); }

static const char *judge(const struct guard *g, const unsigned char *a, int bytes)
{
    for (int i = 0; i < g->count; i++)
        if (g->allowed[i].bytes == bytes && within(a, g->allowed[i].at, g->allowed[i].bits))
            return NULL;
    const struct network *table = bytes == 4 ? v4 : v6;
    size_t n = bytes == 4 ? sizeof v4 / sizeof *v4 : sizeof v6 / sizeof *v6;
    // ::1 is spelled as a carrier: named for what it is
    static const unsigned char one[16] = {[15] = 1};
    if (bytes == 16 && memcmp(a, one, 16) == 0)
        return "loopback";
    if (bytes == 16)
        for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++)
            if (within(a, carriers[i].at, carriers[i].bits))
                return judge(g, a + carriers[i].place, 4);
    for (size_t i = 0; i < n; i++)
        if (within(a, table[i].at, table[i].bits))
            return table[i].name;
    return NULL;
}

const char *guard_refuses(const struct guard *g, const struct sockaddr *a)
{
    if (a->sa_family == AF_INET)
        return judge(g, (const unsigned char *)&((const struct sockaddr_in *)a)->sin_addr, 4);
    if (a->sa_family == AF_INET6)
        return judge(g, ((const struct sockaddr_in6 *)a)->sin6_addr.s6_addr, 16);
    return "no internet address";
}
