// SPDX-License-Identifier: Apache-2.0
#include "../../../cmd/options.h"

#include <stdint.h>
#include <unistd.h>

#include "check.h"

struct thing {
    const char *input, *prompt, *other;
    bool quick, loud;
    int count;
    int64_t steps;
    uint64_t seed;
    double rate;
    const char **more;
};
#define AT(field) offsetof(struct thing, field)

static const struct option options[] = {
    {"input", OPT_TEXT, AT(input), "FILE", "what to read", true, true},
    {"prompt", OPT_TEXT, AT(prompt), "P", "around captions"},
    {"other", OPT_TEXT, AT(other), "FILE", "a second one", true},
    {"more", OPT_TEXTS, AT(more), "FILE", "any number"},
    {"quick", OPT_FLAG, AT(quick), "", "in a hurry"},
    {"loud", OPT_FLAG, AT(loud), "", "says more"},
    {"count", OPT_INT, AT(count), "N", "how many"},
    {"steps", OPT_INT64, AT(steps), "N", "how far"},
    {"seed", OPT_SEED, AT(seed), "N", "of chance"},
    {"rate", OPT_REAL, AT(rate), "X", "how fast"},
    {0},
};

static void defaults(void *o)
{
    *(struct thing *)o = (struct thing){.loud = true, .count = 7, .steps = 1, .rate = 0.1};
}

static const struct command command = {
    "test", "a command for tests", "diht test x", options, sizeof(struct thing), defaults, NULL};

static char said[4096];   // what the last call printed on stderr
static struct thing got;

static char *temp_file(const char *text)   // "/tmp/...", borrowed until the next call
{
    static char path[64];
    strcpy(path, "/tmp/diht_options_XXXXXX");
    int fd = mkstemp(path);
    size_t n = strlen(text);
    if (fd < 0 || write(fd, text, n) != (ssize_t)n)
        path[0] = 0;
    close(fd);
    return path;
}

static int parse(const char *const *words)
{
    char *argv[16];
    int argc = 0;
    for (; words[argc] && argc < 16; argc++)
        argv[argc] = (char *)words[argc];
    FILE *log = tmpfile();
    fflush(stderr);
    int keep = dup(STDERR_FILENO);
    dup2(fileno(log), STDERR_FILENO);
    memset(&got, 0, sizeof got);
    int rc = options_parse(&command, argc, argv, &got);
    fflush(stderr);
    dup2(keep, STDERR_FILENO);
    close(keep);
    rewind(log);
    said[fread(said, 1, sizeof said - 1, log)] = 0;
    fclose(log);
    return rc;
}
#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void defaults_then_arguments(void)
{
    CHECK(PARSE("in") == 0);
    CHECK_STR(got.input, "in");
    CHECK(!got.prompt && !got.quick && got.loud && got.count == 7 && got.steps == 1 && got.rate == 0.1);
    CHECK(PARSE("--count", "12", "--steps=5000000000", "--seed", "18446744073709551615", "--rate", "-2.5e-3", "--quick",
                "--no-loud", "in", "two") == 0);
    CHECK(got.count == 12 && got.steps == 5000000000 && got.seed == UINT64_MAX && got.rate == -2.5e-3 && got.quick &&
          !got.loud);
    CHECK_STR(got.input, "in");
    CHECK_STR(got.other, "two");
    CHECK(PARSE("--input", "x", "--seed=0x10", "--quick=false", "--prompt=a = b", "--loud", "no") == 0 &&
          got.loud);   // a flag takes no next word
    CHECK(got.seed == 16 && !got.quick);
    CHECK_STR(got.prompt, "a = b");
    CHECK(PARSE("--", "--count") == 0);   // after --: a name, not an option
    CHECK_STR(got.input, "--count");
    CHECK(PARSE("--", "--help") == 0);
    CHECK_STR(got.input, "--help");
    CHECK(PARSE("-") == 0);
    CHECK_STR(got.input, "-");
}

static void faults_are_named(void)
{
    static const struct { const char *words[6], *must; } cases[] = {
        {{"--quick"}, "FILE is missing"},
        {{"in", "--cuont", "3"}, "did you mean 'count'"},
        {{"in", "--nothing-like-it"}, "unknown option 'nothing-like-it'"},
        {{"in", "-c"}, "unknown option"},
        {{"in", "--count"}, "needs a value (N)"},
        {{"in", "--count", "3x"}, "--count takes a whole number, '3x' was given"},
        {{"in", "--count", "3000000000"}, "whole number"},
        {{"in", "--count="}, "whole number"},
        {{"in", "--steps", "-1"}, "whole number"},
        {{"in", "--seed", "-1"}, "whole number"},
        {{"in", "--seed", "99999999999999999999999"}, "whole number"},
        {{"in", "--rate", "nan"}, "a number"},
        {{"in", "--rate", "1e999"}, "a number"},
        {{"in", "--quick=maybe"}, "true or false"},
        {{"in", "--no-count"}, "unknown option"},
        {{"in", "--no-quick=1"}, "unknown option"},
        {{"in", "two", "three"}, "nothing expects 'three'"},
        {{"in", "--config"}, "--config needs a file"},
        {{"in", "--config", "/nonexistent/x.conf"}, "/nonexistent/x.conf"},
        {{"in", "--config", "/tmp"}, "reading failed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(parse(cases[i].words) == -1);
        if (cases[i].must && !strstr(said, cases[i].must))
            printf("# expected '%s', said: %s", cases[i].must, said);
        CHECK(strstr(said, cases[i].must) != NULL && strchr(said, '\n') == said + strlen(said) - 1);   // one line each
    }
}

static void lists_grow(void)
{
    CHECK(PARSE("in", "--more", "a", "--more=b", "--more", "c") == 0);
    CHECK(got.more && !strcmp(got.more[0], "a") && !strcmp(got.more[1], "b") && !strcmp(got.more[2], "c") && !got.more[3]);
    char *text = options_text(&command, &got), *path = temp_file(text ? text : "");
    CHECK(text && strstr(text, "more = a\nmore = b\nmore = c\n"));
    CHECK(PARSE("--config", path, "--more", "d") == 0 && got.more && !strcmp(got.more[2], "c") &&
          !strcmp(got.more[3], "d") && !got.more[4]);
    unlink(path);
    free(text);
    options_free();
}

static void a_file_lies_between(void)
{
    char *path = temp_file("# a comment\n\n  input = from file \ncount=3\nquick = yes\nprompt = \" a photo \"\nother = "
                           "\"\"\r\nrate = 0.25");
    CHECK(PARSE("--count", "4", "--config", path) == 0);   // flags win wherever they stand
    CHECK(got.count == 4 && got.quick && got.rate == 0.25 && got.loud);
    CHECK_STR(got.input, "from file");
    CHECK_STR(got.prompt, " a photo ");
    CHECK_STR(got.other, "");
    unlink(path);
    static const struct { const char *text, *must; } faults[] = {
        {"count = 3\nno equals sign\n", "line 2: expected 'key = value'"},
        {"cuont = 3\n", "line 1: unknown option 'cuont'; did you mean 'count'?"},
        {"\n\nrate = fast\n", "line 3: rate takes a number, 'fast' was given"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char arg[80];
        path = temp_file(faults[i].text);
        snprintf(arg, sizeof arg, "--config=%s", path);
        CHECK(PARSE("in", arg) == -1);
        CHECK(strstr(said, faults[i].must) != NULL && strstr(said, path) != NULL);
        unlink(path);
    }
    options_free();
}

static void text_reads_back_the_same(void)
{
    struct thing o = {"in put", "  {}  ", NULL, true, false, -1, INT64_MAX, UINT64_MAX, 1. / 3}, again;
    for (int round = 0; round < 3; round++) {
        o.rate = round == 0 ? 1. / 3 : round == 1 ? 2.5e-3 : -1e-300;
        o.prompt = round == 0 ? "  {}  " : round == 1 ? "" : "\"quoted\"";
        char *text = options_text(&command, &o);
        CHECK(text != NULL);
        if (!text)
            return;
        CHECK(strstr(text, "# other is not set\n") != NULL);
        CHECK(round != 1 || strstr(text, "rate = 0.0025\n"));   // the fewest digits
        char *path = temp_file(text);
        CHECK(PARSE("--config", path) == 0);
        again = got;
        CHECK_STR(again.input, o.input);
        CHECK_STR(again.prompt, o.prompt);
        CHECK(!again.other && again.quick && !again.loud && again.count == -1 && again.steps == INT64_MAX &&
              again.seed == UINT64_MAX);
        CHECK(again.rate == o.rate);
        unlink(path);
        free(text);
    }
    options_free();
}

int main(void)
{
    CASE(defaults_then_arguments);
    CASE(faults_are_named);
    CASE(lists_grow);
    CASE(a_file_lies_between);
    CASE(text_reads_back_the_same);
    return check_done();
}
