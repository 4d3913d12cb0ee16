// SPDX-License-Identifier: Apache-2.0
// PyTorch files: every tensor equal to what the other form of the same weights holds; and files cut, flipped and lying.
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "golden.h"
#include "model/torch.h"
#include "task/task.h"

static void same_tensors(const char *one, const char *other)
{
    struct st_file a, b;
    if (weights_open(&a, one) != 0 || weights_open(&b, other) != 0)
        golden_die();
    CHECK(a.n == b.n && a.n > 0);
    for (int i = 0; i < a.n; i++) {
        const struct st_tensor *x = &a.tensors[i], *y = st_find(&b, x->name);
        if (!y || x->count != y->count || x->ndim != y->ndim || memcmp(x->shape, y->shape, sizeof x->shape) != 0) {
            check_close(__FILE__, __LINE__, x->name, 1, 0, 0);
            continue;
        }
        float *p = malloc((size_t)x->count * 4 + 4), *q = malloc((size_t)x->count * 4 + 4);
        st_read_f32(x, 0, x->count, p);
        st_read_f32(y, 0, y->count, q);
        CHECK(memcmp(p, q, (size_t)x->count * 4) == 0);
        free(p);
        free(q);
    }
    st_close(&a);
    st_close(&b);
}

static void forms_hold_the_same(void)
{
    same_tensors(golden_path("model/A/A.fp32.pt"), golden_path("model/A/A.fp32.safetensors"));
    same_tensors(golden_path("model/A/A.fp16.pt"), golden_path("model/A/A.fp16.safetensors"));
    same_tensors(golden_path("model/C/C.views.pt"), golden_path("model/C/C.fp32.pt"));
}

static void converted(const char *from, const char *dtype, const char *same)
{
    char path[64], *text = NULL;
    snprintf(path, sizeof path, "/tmp/diht-convert-%d.safetensors", (int)getpid());
    diht_convert_options o = {.path = golden_path(from), .out = path, .dtype = dtype};
    CHECK(task_convert(&o, &text) == 0 && text);
    free(text);
    struct st_file f;
    CHECK(st_open(&f, path) == 0 && st_meta_get(&f, "diht.config"));
    st_close(&f);
    same_tensors(path, golden_path(same));
    CHECK(unlink(path) == 0);
}

static void conversions(void)
{
    converted("model/A/A.fp32.pt", NULL, "model/A/A.fp32.safetensors");
    converted("model/A/A.fp32.pt", "fp16", "model/A/A.fp16.pt");
    converted("model/A/A.fp16.pt", "fp32", "model/A/A.fp16.safetensors");
    converted("model/C/C.views.pt", NULL, "model/C/C.fp32.pt");   // views written out in order
    char *text = NULL;
    diht_convert_options o = {.path = golden_path("model/A/A.fp32.pt"), .out = "/tmp/diht-never.safetensors"};
    o.dtype = "int9";
    CHECK(task_convert(&o, &text) == EUSAGE_ && !text && strstr(error_last(), "int9"));
    o.dtype = NULL;
    o.out = "/tmp/diht-never.pt";
    CHECK(task_convert(&o, &text) == EUSAGE_ && !text && strstr(error_last(), ".safetensors"));
    CHECK(!file_exists("/tmp/diht-never.pt") && !file_exists("/tmp/diht-never.safetensors"));
}

static void views_stay_views(void)
{
    struct st_file f;
    if (weights_open(&f, golden_path("model/C/C.views.pt")) != 0)
        golden_die();
    int strided = 0;
    for (int i = 0; i < f.n; i++) {
        strided += f.tensors[i].strided;
        CHECK(f.tensors[i].data >= f.map.at && f.tensors[i].data <= f.map.at + f.map.size);   // no copy
    }
    CHECK(strided > 0);
    st_close(&f);
}

// The file with `n` bytes replaced at `at` (n 0: cut there), opened; its code. What opens is read to its last element.
static int open_damaged(const struct buf *file, const char *path, size_t at, const void *with, size_t n)
{
    struct buf copy = {0};
    struct st_file f;
    float x[64];
    buf_add(&copy, file->at, n ? file->len : at);
    if (n)
        memcpy(copy.at + at, with, n);
    CHECK(file_write(path, copy.at ? copy.at : "", copy.len) == 0);
    int rc = weights_open(&f, path);
    if (rc)
        CHECK(strstr(error_last(), path) != NULL);
    for (int i = 0; i < f.n && !rc; i++)
        for (int64_t k = 0; k < f.tensors[i].count && st_is_real(f.tensors[i].type); k += 64)
            st_read_f32(&f.tensors[i], k, f.tensors[i].count - k < 64 ? f.tensors[i].count - k : 64, x);
    if (!rc)
        st_close(&f);
    buf_free(&copy);
    return rc;
}

static void damaged_files(void)
{
    struct buf file = {0};
    char path[64];
    snprintf(path, sizeof path, "/tmp/diht-torch-%d.pt", (int)getpid());
    if (file_read(golden_path("model/C/C.views.pt"), &file) != 0)
        golden_die();
    struct rng r = rng_make(4, 0);
    for (int i = 0; i < 100; i++)
        CHECK(open_damaged(&file, path, rng_below(&r, file.len - 1), NULL, 0) < 0);
    for (int i = 0; i < 1000; i++) {   // the pickle is at the beginning, the directory at the end
        size_t part = rng_below(&r, 8192), at = i & 1 ? part : file.len - 1 - part;
        unsigned char c = (unsigned char)file.at[at] ^ (unsigned char)(1 << rng_below(&r, 8));
        (void)open_damaged(&file, path, at, &c, 1);
    }
    char *end = memmem(file.at + file.len - 98, 98, "PK\6\6", 4);   // the 64-bit end record
    CHECK(end != NULL);
    static const char lies[][8] = {"\xF0\xFF\xFF\xFF\xFF\xFF\xFF\x7F", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "\0\0\0\0\0\0\0\x10"};
    for (int i = 0; i < 3 && end; i++)
        for (int field = 32; field <= 48; field += 8)   // entries, the directory's size and its place
            CHECK(open_damaged(&file, path, (size_t)(end - file.at + field), lies[i], 8) == EFORMAT_);
    unsigned char huge[32] = {[7] = 0x10, [8] = '{', [9] = '}'};   // a safetensors header of 2^60 bytes
    struct st_file f;
    CHECK(file_write(path, huge, sizeof huge) == 0 && weights_open(&f, path) == EFORMAT_);
    CHECK(unlink(path) == 0);
    buf_free(&file);
}

// A's tensors under Hugging Face's names, query, key and value apart, projections transposed: the same tensors again.
static void hugging_face(void)
{
    static const char *const names[][2] = {
        {"visual.class_embedding", "vision_model.embeddings.class_embedding"},
        {"visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight"},
        {"visual.proj", "visual_projection.weight"},
        {"token_embedding.weight", "text_model.embeddings.token_embedding.weight"},
        {"visual.transformer.resblocks.1.mlp.c_fc.weight", "vision_model.encoder.layers.1.mlp.fc1.weight"},
        {"transformer.resblocks.0.ln_2.bias", "text_model.encoder.layers.0.layer_norm2.bias"},
    };
    enum { PLAIN = sizeof names / sizeof *names, ALL = PLAIN + 3 };
    struct st_file a, b;
    struct atomic_file out;
    struct st_entry e[ALL];
    int64_t turned[2], third[2];
    char path[64];
    snprintf(path, sizeof path, "/tmp/diht-names-%d.safetensors", (int)getpid());
    CHECK(st_open(&a, golden_path("model/A/A.fp32.safetensors")) == 0);
    const struct st_tensor *qkv = st_find(&a, "transformer.resblocks.1.attn.in_proj_weight"), *t[PLAIN];
    for (int i = 0; i < PLAIN; i++) {
        t[i] = st_find(&a, names[i][0]);
        e[i] = (struct st_entry){names[i][1], ST_F32, t[i]->ndim, t[i]->shape};
    }
    turned[0] = t[2]->shape[1];
    turned[1] = t[2]->shape[0];
    e[2].shape = turned;
    third[0] = qkv->shape[0] / 3;
    third[1] = qkv->shape[1];
    static const char *const parts[] = {"text_model.encoder.layers.1.self_attn.q_proj.weight",
                                        "text_model.encoder.layers.1.self_attn.k_proj.weight",
                                        "text_model.encoder.layers.1.self_attn.v_proj.weight"};
    for (int i = 0; i < 3; i++)
        e[PLAIN + i] = (struct st_entry){parts[i], ST_F32, 2, third};
    CHECK(st_begin(&out, path, e, ALL, NULL, 0) == 0);
    for (int i = 0; i < PLAIN; i++)
        for (int64_t k = 0; k < t[i]->count; k++) {
            float x;
            st_read_f32(t[i], i == 2 ? k % turned[1] * turned[0] + k / turned[1] : k, 1, &x);
            CHECK(st_add(&out, &x, 4) == 0);
        }
    CHECK(st_add(&out, qkv->data, qkv->count * 4) == 0 && atomic_commit(&out) == 0);
    CHECK(weights_open(&b, path) == 0 && b.n == PLAIN + 1);
    for (int i = 0; i <= PLAIN; i++) {
        const struct st_tensor *x = i < PLAIN ? t[i] : qkv, *y = st_find(&b, x->name);
        CHECK(y && y->count == x->count && memcmp(x->shape, y->shape, (size_t)x->ndim * 8) == 0);
        for (int64_t k = 0; y && k < x->count; k++) {
            float p, q;
            st_read_f32(x, k, 1, &p);
            st_read_f32(y, k, 1, &q);
            if (p != q) {
                check_close(__FILE__, __LINE__, x->name, q, p, 0);
                break;
            }
        }
    }
    st_close(&a);
    st_close(&b);
    CHECK(unlink(path) == 0);
}

// {"epoch", "lr", "state_dict": {"module.a", "module.b", "module.c"}}: b is a's storage from element 1, transposed.
static void nested_and_prefixed(void)
{
    static const float expected[] = {1, 5, 9, 2, 6, 10};
    struct st_file f;
    float x[6] = {0};
    CHECK(weights_open(&f, golden_path("../fuzz/corpus/torch/nested")) == 0 && f.n == 3);
    const struct st_tensor *b = st_find(&f, "b");
    CHECK(b && b->strided && b->count == 6 && b->shape[0] == 2 && st_find(&f, "a") && st_find(&f, "c")->type == ST_F16);
    if (b)
        st_read_f32(b, 0, 6, x);
    CHECK(memcmp(x, expected, sizeof x) == 0);
    st_close(&f);
}

int main(void)
{
    CASE(forms_hold_the_same);
    CASE(conversions);
    CASE(views_stay_views);
    CASE(damaged_files);
    CASE(hugging_face);
    CASE(nested_and_prefixed);
    return check_done();
}
