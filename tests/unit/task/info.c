// SPDX-License-Identifier: Apache-2.0
// `diht info`: a checkpoint, an array, a caption list, and what is none of them.
#include <jansson.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "check.h"
#include "task/task.h"

static const char *golden(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/%s", getenv("DIHT_GOLDEN"), name);
    return path;
}

static json_t *info(const char *path, bool tensors)
{
    char *text = NULL;
    CHECK(task_info(&(diht_info_options){.path = path, .tensors = tensors, .json = true}, &text) == 0);
    json_t *o = text ? json_loads(text, 0, NULL) : NULL;
    CHECK(json_is_object(o));
    free(text);
    return o;
}

static const char *text_of(json_t *o, const char *key) { return json_string_value(json_object_get(o, key)); }
static long long number_of(json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
}

static void checkpoint(void)
{
    json_t *o = info(golden("model/A/A.fp16.safetensors"), true);
    CHECK_STR(text_of(o, "kind"), "checkpoint");
    CHECK(number_of(o, "tensors") == 62 && number_of(o, "parameters") == 203057);
    CHECK(number_of(json_object_get(o, "types"), "F16") == 203057);
    CHECK(number_of(json_object_get(o, "config"), "embed_dim") == 40);
    CHECK(json_array_size(json_object_get(o, "tensor_list")) == 62);
    json_decref(o);
    char *text = NULL;
    CHECK(task_info(&(diht_info_options){.path = golden("model/A/A.fp16.safetensors"), .tensors = true}, &text) == 0);
    CHECK(text && strstr(text, "203057") && strstr(text, "visual.conv1.weight") && strstr(text, "[64, 3, 8, 8]"));
    free(text);
}

// What a configuration lacks, and the flags that settle it.
static void unknown_configuration(void)
{
    char dir[] = "/tmp/diht-info-XXXXXX", path[64], *text = NULL;
    struct buf bytes = {0};
    CHECK(mkdtemp(dir) && file_read(golden("model/A/A.fp32.pt"), &bytes) == 0);
    snprintf(path, sizeof path, "%s/a.pt", dir);
    CHECK(file_write(path, bytes.at, bytes.len) == 0);
    json_t *o = info(path, false);
    const char *why = text_of(o, "config_unknown");
    CHECK(json_is_null(json_object_get(o, "config")) && why && strstr(why, "--head-width") && strstr(why, "--activation"));
    json_decref(o);
    diht_info_options said = {.path = path, .json = true, .as = {.head_width = 32, .text_head_width = 24, .activation = "gelu"}};
    CHECK(task_info(&said, &text) == 0 && !strstr(text, "config_unknown") && strstr(text, "\"embed_dim\":40"));
    free(text);
    said.as.activation = "relu";
    CHECK(task_info(&said, &text) == DIHT_EUSAGE && strstr(error_last(), "relu"));
    unlink(path);
    rmdir(dir);
    buf_free(&bytes);
}

static void array(void)
{
    json_t *o = info(golden("model/A/images.npy"), false);
    CHECK_STR(text_of(o, "kind"), "npy");
    CHECK_STR(text_of(o, "type"), "float32");
    CHECK(json_array_size(json_object_get(o, "shape")) == 4);
    json_decref(o);
}

static void list(void)
{
    char path[] = "/tmp/diht-info-XXXXXX.tsv";
    int fd = mkstemps(path, 4);
    CHECK(fd >= 0);
    close(fd);
    const char *rows =
        "caption\tpath\tsplit\ttags\na cat\ta.png\ttrain\tpet,fur\na dog\tb.png\ttrain\t\na hat\tc.png\tval\t\n";
    CHECK(file_write(path, rows, strlen(rows)) == 0);
    json_t *o = info(path, false), *splits = json_object_get(o, "splits");
    CHECK_STR(text_of(o, "kind"), "list");
    CHECK(number_of(o, "samples") == 3 && number_of(o, "captions") == 3 && number_of(o, "tagged") == 1);
    CHECK(number_of(splits, "train") == 2 && number_of(splits, "val") == 1);
    json_decref(o);
    unlink(path);
}

static void none_of_them(void)
{
    char *text = NULL;
    CHECK(task_info(&(diht_info_options){.path = "/nonexistent/x"}, &text) == EMISSING_ && !text &&
          strstr(error_last(), "/nonexistent/x"));
    char path[] = "/tmp/diht-info-XXXXXX.pt";
    int fd = mkstemps(path, 3);
    CHECK(fd >= 0);
    close(fd);
    CHECK(task_info(&(diht_info_options){.path = path}, &text) == EFORMAT_ && !text &&
          strstr(error_last(), path));
    unlink(path);
}

int main(void)
{
    CASE(checkpoint);
    CASE(unknown_configuration);
    CASE(array);
    CASE(list);
    CASE(none_of_them);
    return check_done();
}
