// SPDX-License-Identifier: Apache-2.0
#include "model/safetensors.h"

#include <unistd.h>

#include "base/error.h"
#include "base/rng.h"
#include "check.h"

static char path[] = "/tmp/diht-st-XXXXXX";

// A file of header text and `size` data bytes.
static void put(const char *header, size_t size)
{
    unsigned char bytes[4096] = {0};
    size_t len = strlen(header);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(len >> (8 * i));
    memcpy(bytes + 8, header, len);
    for (size_t i = 0; i < size; i++)
        bytes[8 + len + i] = (unsigned char)i;
    CHECK(file_write(path, bytes, 8 + len + size) == 0);
}

static void write_and_read(void)
{
    float a[6] = {1, -2, 3.5f, 1e-40f, NAN, INFINITY};
    uint16_t h[2] = {0x3c00, 0xc000}, b[2] = {0x3f80, 0xc000};
    double d = 1. / 3;
    int64_t two[] = {2}, shape[] = {2, 3};
    struct st_entry e[] = {{"z.a", ST_F32, 2, shape}, {"half", ST_F16, 1, two}, {"brain", ST_BF16, 1, two},
                           {"none", ST_F32, 1, (int64_t[]){0}}, {"scalar", ST_F64, 0, NULL}};
    struct st_pair meta[] = {{"diht.x", "one\ntwo \"three\" \xc3\xa9"}, {"k", ""}};
    struct atomic_file f = {0};
    CHECK(st_begin(&f, path, e, 5, meta, 2) == 0);
    CHECK(st_add(&f, a, sizeof a) == 0 && st_add(&f, h, sizeof h) == 0 && st_add(&f, b, sizeof b) == 0 &&
          st_add(&f, &d, sizeof d) == 0);
    CHECK(atomic_commit(&f) == 0);

    struct st_file s;
    CHECK(st_open(&s, path) == 0 && s.n == 5 && s.nmeta == 2);
    CHECK_STR(st_meta_get(&s, "diht.x"), meta[0].value);
    CHECK(st_meta_get(&s, "absent") == NULL && st_find(&s, "absent") == NULL);
    const struct st_tensor *t = st_find(&s, "z.a");
    CHECK(t && t->ndim == 2 && t->shape[1] == 3 && memcmp(t->data, a, sizeof a) == 0);
    CHECK(((uintptr_t)t->data & 7) == 0);
    float out[2];
    double wide;
    st_read_f32(st_find(&s, "half"), 0, 2, out);
    CHECK(out[0] == 1 && out[1] == -2);
    st_read_f32(st_find(&s, "brain"), 0, 2, out);
    CHECK(out[0] == 1 && out[1] == -2);
    st_read_f64(st_find(&s, "scalar"), 0, 1, &wide);
    CHECK(wide == d);
    CHECK(st_find(&s, "none")->count == 0);
    st_close(&s);
}

static void hostile_headers(void)
{
    static const struct {
        const char *header, *says;
    } cases[] = {
        {"[1]", "not a JSON object"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,16]}}", "elements of 4 bytes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[8,24]}}", "outside the file"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16,0]}}", "outside the file"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-4],\"data_offsets\":[0,16]}}", "dimension 0"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,16]}}", "dimension 1"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,0]}}", "elements of 4 bytes"},
        {"{\"a\":{\"dtype\":\"Q4\",\"shape\":[4],\"data_offsets\":[0,16]}}", "Q4"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,4],\"data_offsets\":[0,16]}}", "9 dimensions"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}", "overlaps"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}", "unused bytes"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", "8 bytes after"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4]}}", "data_offsets"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0.5,16]}}", "outside the file"},
        {"{\"a\":7}", "data_offsets"},
        {"{\"__metadata__\":{\"x\":1}}", "__metadata__"},
        {"{\"__metadata__\":3}", "__metadata__"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]},"
         "\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", "duplicate"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct st_file s;
        put(cases[i].header, 16);
        CHECK(st_open(&s, path) < 0);
        if (!strstr(error_last(), cases[i].says) || !strstr(error_last(), path))
            CHECK_STR(error_last(), cases[i].says);
    }
    struct st_file s;
    unsigned char huge[64];
    memset(huge, 0xff, sizeof huge);
    CHECK(file_write(path, huge, sizeof huge) == 0 && st_open(&s, path) == EFORMAT_);
    CHECK(file_write(path, huge, 0) == 0 && st_open(&s, path) == EFORMAT_);
}

// Cut and bend a good file in every place: a sentence, or a file whose tensors can all be read.
static void cut_and_bent(void)
{
    put("{\"__metadata__\":{\"k\":\"v\"},\"a\":{\"dtype\":\"F16\",\"shape\":[2,4],\"data_offsets\":[0,16]}}", 16);
    struct buf good = {0};
    CHECK(file_read(path, &good) == 0);
    struct rng r = rng_make(9, 1);
    for (int i = 0; i < 1500; i++) {
        char bytes[256];
        size_t len = i < (int)good.len ? (size_t)i : good.len;
        memcpy(bytes, good.at, good.len);
        if (len == good.len)
            bytes[rng_below(&r, len)] ^= (char)(1 << rng_below(&r, 8));
        FILE *f = fopen(path, "wb");
        CHECK(f && fwrite(bytes, 1, len, f) == len && fclose(f) == 0);
        struct st_file s;
        int rc = st_open(&s, path);
        CHECK(rc <= 0 && (len == good.len || rc < 0));
        for (int k = 0; rc == 0 && k < s.n; k++) {
            float out[64];
            CHECK(s.tensors[k].count <= 64);
            if (st_is_real(s.tensors[k].type))
                st_read_f32(&s.tensors[k], 0, s.tensors[k].count, out);
        }
        if (!rc)
            st_close(&s);
    }
    buf_free(&good);
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    CASE(write_and_read);
    CASE(hostile_headers);
    CASE(cut_and_bent);
    unlink(path);
    return check_done();
}
