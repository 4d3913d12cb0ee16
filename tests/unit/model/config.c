// SPDX-License-Identifier: Apache-2.0
#include "model/config.h"

#include "base/error.h"
#include "base/rng.h"
#include "check.h"

static const char good[] =
    "{\"embed_dim\": 40, \"quick_gelu\": false,"
    " \"text\": {\"context_length\": 77, \"heads\": 2, \"layers\": 2, \"vocab_size\": 512, \"width\": 48},"
    " \"vision\": {\"head_width\": 32, \"image_size\": 32, \"layers\": 2, \"mlp_ratio\": 4.0, \"patch_size\": 8,"
    " \"width\": 64}}";

static void reference_form(void)
{
    struct config c;
    CHECK(config_parse(&c, good, strlen(good), "good") == 0);
    CHECK(c.embed_dim == 40 && c.vision.width == 64 && c.vision.pool == POOL_CLASS && c.text.pool == POOL_END &&
          c.text.causal);
    CHECK(config_grid(&c) == 4 && config_image_rows(&c) == 17 && config_hidden(&c) == 256);
    CHECK_CLOSE(c.layer_norm_eps, 1e-5, 0);
    CHECK_CLOSE(c.vision.mean[0], 0.48145466f, 0);
}

static void named_and_back(void)
{
    for (int i = 0; config_names[i]; i++) {
        struct config a, b;
        CHECK(config_named(&a, config_names[i]) == 0 && config_check(&a, "named") == 0);
        char *text = config_json(&a);
        memset(&b, 1, sizeof b);
        CHECK(text && config_parse(&b, text, strlen(text), "written") == 0);
        char *again = config_json(&b);
        CHECK_STR(text, again);   // the text is the whole configuration
        CHECK_STR(b.name, config_names[i]);
        free(text);
        free(again);
    }
    struct config c;
    CHECK(config_named(&c, "demo") == 0 && c.vision.pool == POOL_MEAN && !c.text.causal && config_image_rows(&c) == 36);
    CHECK_CLOSE((0.5 - c.vision.mean[0]) / c.vision.std[0], -.75, 1e-6);
    CHECK(config_named(&c, "vitb99") == EUSAGE_ && strstr(error_last(), "vitb99") &&
          strstr(error_last(), "diht_vitl14_336px"));
}

// Each change makes the configuration impossible; the sentence names what is wrong.
static void hostile_values(void)
{
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"\"width\": 64", "\"width\": 65", "vision.width 65"},
        {"\"width\": 64", "\"width\": -1", "vision.width"},
        {"\"width\": 64", "\"width\": 1e9", "vision.width"},
        {"\"width\": 64", "\"width\": 99999999999999999999", "integer"},
        {"\"width\": 64", "\"width\": \"64\"", "vision.width"},
        {"\"width\": 48", "\"width\": 49", "text.width 49"},
        {"\"layers\": 2", "\"layers\": 100000", "text.layers"},
        {"\"image_size\": 32", "\"image_size\": 33", "vision.image_size 33"},
        {"\"patch_size\": 8", "\"patch_size\": 0", "vision.patch_size"},
        {"\"vocab_size\": 512, ", "", "text.vocab_size"},
        {"\"quick_gelu\": false", "\"quick_gelu\": 0", "quick_gelu"},
        {"\"quick_gelu\": false", "\"quick_gelo\": false", "quick_gelo"},
        {"\"mlp_ratio\": 4.0", "\"mlp_ratio\": 1e300", "vision.mlp_ratio"},
        {"\"mlp_ratio\": 4.0", "\"pool\": \"end\"", "class, mean"},
        {"\"mlp_ratio\": 4.0", "\"std\": [1, 0, 1]", "vision.std"},
        {"\"mlp_ratio\": 4.0", "\"mean\": [1, 0]", "vision.mean"},
        {"\"text\": {", "\"text\": 5, \"tixt\": {", "tixt"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024];
        const char *at = strstr(good, cases[i].from);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, cases[i].to, at + strlen(cases[i].from));
        struct config c;
        int rc = config_parse(&c, text, strlen(text), "file.json");
        CHECK(rc == EFORMAT_);
        if (!strstr(error_last(), cases[i].says) || !strstr(error_last(), "file.json"))
            CHECK_STR(error_last(), cases[i].says);
    }
}

static void broken_text(void)
{
    struct rng r = rng_make(5, 0);
    struct config c;
    for (size_t len = 0; len < strlen(good); len++)
        CHECK(config_parse(&c, good, len, "cut") == EFORMAT_);
    for (int i = 0; i < 2000; i++) {   // whatever comes of it, it is a checked configuration or a sentence
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        text[rng_below(&r, sizeof good - 1)] ^= (char)(1 << rng_below(&r, 8));
        if (config_parse(&c, text, sizeof good - 1, "bent") == 0)
            CHECK(config_check(&c, "bent") == 0);
    }
}

static void cost(void)
{
    struct config c;
    CHECK(config_named(&c, "diht_vitb32_224px") == 0);
    CHECK_CLOSE(config_image_flop(&c) / 1e9, 8.82, .02);
    CHECK_CLOSE(config_text_flop(&c, 77, 77 * 77) / 1e9, 5.96, .02);
    CHECK(config_named(&c, "diht_vitl14_336px") == 0);
    CHECK_CLOSE(config_image_flop(&c) / 1e9, 382, 1);
}

int main(void)
{
    CASE(reference_form);
    CASE(named_and_back);
    CASE(hostile_values);
    CASE(broken_text);
    CASE(cost);
    return check_done();
}
