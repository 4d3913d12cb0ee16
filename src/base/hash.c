// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

static void hex(char out[SHA256_HEX], const unsigned char d[32])
{
    for (int i = 0; i < 32; i++) {
        out[2 * i] = "0123456789abcdef"[d[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[d[i] & 15];
    }
    out[64] = 0;
}

struct sha256 *sha256_new(void)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (!c || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(c);
        FAIL(EMEMORY_, "out of memory: no SHA-256 context");
        return NULL;
    }
    return (struct sha256 *)c;
}

void sha256_add(struct sha256 *s, const void *bytes, size_t n) { EVP_DigestUpdate((EVP_MD_CTX *)s, bytes, n); }

void sha256_end(struct sha256 *s, char out[SHA256_HEX])
{
    unsigned char d[32];
    EVP_DigestFinal_ex((EVP_MD_CTX *)s, d, NULL);
    EVP_MD_CTX_free((EVP_MD_CTX *)s);
    hex(out, d);
}

void sha256_hex(char out[SHA256_HEX], const void *bytes, size_t n)
{
    unsigned char d[32] = {0};
    EVP_Digest(bytes, n, d, NULL, EVP_sha256(), NULL);
    hex(out, d);
}

bool hash_matches(const char *hex_, const void *bytes, size_t n)
{
    const EVP_MD *kinds[] = {EVP_md5(), EVP_sha1(), EVP_sha256(), EVP_sha512()};
    unsigned char d[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1];
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t len = (size_t)EVP_MD_get_size(kinds[i]);
        if (strlen(hex_) != 2 * len || EVP_Digest(bytes, n, d, NULL, kinds[i], NULL) != 1)
            continue;
        for (size_t k = 0; k < len; k++)
            snprintf(text + 2 * k, 3, "%02x", d[k]);
        return strcasecmp(text, hex_) == 0;
    }
    return false;
}

int sha256_file(char out[SHA256_HEX], const char *path)
{
    char block[1 << 16];
    FILE *f = fopen(path, "rb");
    if (!f)
        return FAIL(error_from_errno(errno), "%s: cannot open: %s", path, strerror(errno));
    struct sha256 *s = sha256_new();
    size_t n;
    while (s && (n = fread(block, 1, sizeof block, f)) > 0)
        sha256_add(s, block, n);
    int rc = !s ? EMEMORY_ : ferror(f) ? FAIL(EIO_, "%s: reading failed: %s", path, strerror(errno)) : 0;
    if (s)
        sha256_end(s, out);
    fclose(f);
    return rc;
}
