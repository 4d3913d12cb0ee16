// SPDX-License-Identifier: Apache-2.0
// The ABI is a table of function pointers that only ever grows at its end: what stands in a slot stays there. Each call
// returns NULL or a status object that holds a sentence.
#include "spot/ort.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

typedef void *status;

enum slot {
    GET_ERROR_MESSAGE = 2, CREATE_ENV = 3, CREATE_SESSION = 8, RUN = 9, CREATE_OPTIONS = 10, NO_MEMORY_PATTERN = 17,
    SET_OPTIMIZATION = 23, SET_INTRA_THREADS = 24, SET_INTER_THREADS = 25, CREATE_TENSOR = 49, TENSOR_DATA = 51,
    DIMS_COUNT = 61, DIMS = 62, TENSOR_INFO = 65, CREATE_CPU_MEMORY = 69, RELEASE_ENV = 92, RELEASE_STATUS = 93,
    RELEASE_MEMORY = 94, RELEASE_SESSION = 95, RELEASE_VALUE = 96, RELEASE_TENSOR_INFO = 99, RELEASE_OPTIONS = 100,
};
enum { API_VERSION = 1, LOG_FATAL = 4, OPTIMIZE_ALL = 99, ARENA = 1, MEMORY_DEFAULT = 0, FLOAT32 = 1 };

struct api_base {
    void *const *(*get_api)(uint32_t version);
    const char *(*version)(void);
};

struct ort {
    void *library;
    void *const *api;
    void *env, *options, *memory;
};

struct ort_net {
    struct ort *ort;
    void *session;
    char *path, *input, *output;
};

// One slot as a function of these arguments.
#define CALL(o, slot, result, ...) ((result (*)(__VA_ARGS__))(uintptr_t)(o)->api[slot])

static int failed(const struct ort *o, status s, int code, const char *what)
{
    if (!s)
        return 0;
    int rc = FAIL(code, "%s: %s", what, CALL(o, GET_ERROR_MESSAGE, const char *, status)(s));
    CALL(o, RELEASE_STATUS, void, status)(s);
    return rc;
}

int ort_open(struct ort **out, const char *library)
{
    struct ort *o = *out = calloc(1, sizeof *o);
    if (!o)
        return FAIL(EMEMORY_, "out of memory");
    int rc = 0;
    // its own symbols come first: another copy of a library inside it may live in the program that links us
    if (!(o->library = dlopen(library, RTLD_NOW | RTLD_LOCAL))) {
        rc = FAIL(EUNSUPPORTED_, "ONNX Runtime cannot be loaded: %s", dlerror());
        goto done;
    }
    const struct api_base *(*base)(void) = (const struct api_base *(*)(void))(uintptr_t)dlsym(o->library, "OrtGetApiBase");
    if (!base || !(o->api = base()->get_api(API_VERSION))) {
        rc = FAIL(EUNSUPPORTED_, "%s: not ONNX Runtime, or without its interface of version %d", library, API_VERSION);
        goto done;
    }
    rc = failed(o, CALL(o, CREATE_ENV, status, int, const char *, void **)(LOG_FATAL, "diht", &o->env), EIO_, library);
    if (!rc)
        rc = failed(o, CALL(o, CREATE_OPTIONS, status, void **)(&o->options), EIO_, library);
    if (!rc)
        rc = failed(o, CALL(o, SET_OPTIMIZATION, status, void *, int)(o->options, OPTIMIZE_ALL), EIO_, library);
    if (!rc)
        rc = failed(o, CALL(o, SET_INTRA_THREADS, status, void *, int)(o->options, 1), EIO_, library);
    if (!rc)
        rc = failed(o, CALL(o, SET_INTER_THREADS, status, void *, int)(o->options, 1), EIO_, library);
    if (!rc)   // every picture has its own size: a memory plan for each would pile up
        rc = failed(o, CALL(o, NO_MEMORY_PATTERN, status, void *)(o->options), EIO_, library);
    if (!rc)
        rc = failed(o, CALL(o, CREATE_CPU_MEMORY, status, int, int, void **)(ARENA, MEMORY_DEFAULT, &o->memory), EIO_, library);
done:
    if (rc) {
        ort_close(o);
        *out = NULL;
    }
    return rc;
}

void ort_close(struct ort *o)
{
    if (!o)
        return;
    if (o->memory)
        CALL(o, RELEASE_MEMORY, void, void *)(o->memory);
    if (o->options)
        CALL(o, RELEASE_OPTIONS, void, void *)(o->options);
    if (o->env)
        CALL(o, RELEASE_ENV, void, void *)(o->env);
    // the library stays loaded: it has thread-local objects whose destructors run when threads end
    free(o);
}

int ort_net_open(struct ort_net **out, struct ort *o, const struct buf *model, const char *path, const char *input,
                 const char *output)
{
    struct ort_net *n = *out = calloc(1, sizeof *n);
    if (!n)
        return FAIL(EMEMORY_, "out of memory");
    *n = (struct ort_net){.ort = o, .path = strdup(path), .input = strdup(input), .output = strdup(output)};
    int rc = n->path && n->input && n->output ? 0 : FAIL(EMEMORY_, "out of memory");
    if (!rc)
        rc = failed(o, CALL(o, CREATE_SESSION, status, void *, const void *, size_t, const void *, void **)
                    (o->env, model->at, model->len, o->options, &n->session), EFORMAT_, path);
    if (rc) {
        ort_net_close(n);
        *out = NULL;
    }
    return rc;
}

void ort_net_close(struct ort_net *n)
{
    if (!n)
        return;
    if (n->session)
        CALL(n->ort, RELEASE_SESSION, void, void *)(n->session);
    free(n->path);
    free(n->input);
    free(n->output);
    free(n);
}

static int describe(const struct ort_net *n, struct ort_out *out)
{
    const struct ort *o = n->ort;
    void *info = NULL, *data = NULL;
    size_t dims = 0;
    int rc = failed(o, CALL(o, TENSOR_INFO, status, const void *, void **)(out->value, &info), EIO_, n->path);
    if (!rc)
        rc = failed(o, CALL(o, DIMS_COUNT, status, const void *, size_t *)(info, &dims), EIO_, n->path);
    if (!rc && dims != (size_t)out->dims)
        rc = FAIL(EFORMAT_, "%s: its output has %zu dimensions, expected are %d", n->path, dims, out->dims);
    if (!rc)
        rc = failed(o, CALL(o, DIMS, status, const void *, int64_t *, size_t)(info, out->shape, dims), EIO_, n->path);
    if (!rc)
        rc = failed(o, CALL(o, TENSOR_DATA, status, void *, void **)(out->value, &data), EIO_, n->path);
    out->at = data;
    if (info)
        CALL(o, RELEASE_TENSOR_INFO, void, void *)(info);
    return rc;
}

int ort_net_run(const struct ort_net *n, const float *in, const int64_t shape[4], int dims, struct ort_out *out)
{
    const struct ort *o = n->ort;
    void *tensor = NULL;
    size_t bytes = sizeof *in;
    for (int i = 0; i < 4; i++)
        bytes *= (size_t)shape[i];
    *out = (struct ort_out){.from = o, .dims = dims};
    int rc = failed(o, CALL(o, CREATE_TENSOR, status, const void *, void *, size_t, const int64_t *, size_t, int, void **)
                    (o->memory, (void *)(uintptr_t)in, bytes, shape, 4, FLOAT32, &tensor), EIO_, n->path);
    if (!rc)
        rc = failed(o, CALL(o, RUN, status, void *, const void *, const char *const *, const void *const *, size_t,
                            const char *const *, size_t, void **)
                    (n->session, NULL, (const char *const *)&n->input, (const void *const *)&tensor, 1,
                     (const char *const *)&n->output, 1, &out->value), EIO_, n->path);
    if (!rc)
        rc = describe(n, out);
    if (tensor)
        CALL(o, RELEASE_VALUE, void, void *)(tensor);
    if (rc)
        ort_out_free(out);
    return rc;
}

void ort_out_free(struct ort_out *out)
{
    if (out->value)
        CALL(out->from, RELEASE_VALUE, void, void *)(out->value);
    out->value = NULL;
    out->at = NULL;
}
