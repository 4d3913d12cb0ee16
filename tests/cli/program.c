// SPDX-License-Identifier: Apache-2.0
// The program as a person meets it: help in every form, and what it says to mistakes.
#include <sys/wait.h>

#include "check.h"

static char output[1 << 16];

// Runs `diht ARGS` through the shell, both streams in `output`; the exit status.
static int diht(const char *args)
{
    char line[1024];
    const char *program = getenv("DIHT_PROGRAM");
    snprintf(line, sizeof line, "{ '%s' %s; } 2>&1", program ? program : "build/diht", args);
    FILE *p = popen(line, "r");
    output[p ? fread(output, 1, sizeof output - 1, p) : 0] = 0;
    int status = p ? pclose(p) : -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *const names[] = {"import", "vocab", "train", "embed", "eval", "loss", "info", "bench"};
enum { NAMES = sizeof names / sizeof *names };

static void help_lists_every_command(void)
{
    CHECK(diht("--help") == 0);
    for (int i = 0; i < NAMES; i++)
        CHECK(strstr(output, names[i]) != NULL);
    CHECK(diht("help") == 0 && strstr(output, "usage: diht COMMAND"));
    CHECK(diht("") == 2 && strstr(output, "usage: diht COMMAND"));
    CHECK(diht("--version") == 0 && !strncmp(output, "diht ", 5));
}

static void each_command_explains_itself(void)
{
    for (int i = 0; i < NAMES; i++) {
        char args[64], same[sizeof output];
        snprintf(args, sizeof args, "%s --help", names[i]);
        CHECK(diht(args) == 0 && strstr(output, "--json") && strstr(output, "--config FILE"));
        strcpy(same, output);
        snprintf(args, sizeof args, "help %s", names[i]);
        CHECK(diht(args) == 0);
        CHECK_STR(output, same);
        snprintf(args, sizeof args, "help --man %s", names[i]);
        CHECK(diht(args) == 0 && !strncmp(output, ".TH DIHT\\-", 10) && strstr(output, ".SH OPTIONS") &&
              strstr(output, "\\-\\-json"));
    }
    CHECK(diht("help --man") == 0 && strstr(output, "\\fBdiht\\-train\\fR(1)"));
}

static void mistakes_are_named(void)
{
    CHECK(diht("trian") == 2 && strstr(output, "no command 'trian'"));
    CHECK(diht("help trian") == 2 && strstr(output, "no command 'trian'"));
    CHECK(diht("help --completion fish") == 2 && strstr(output, "bash"));
    CHECK(diht("help train eval") == 2 && strstr(output, "'eval'"));
    CHECK(diht("train") == 2 && strstr(output, "is missing"));
    CHECK(diht("train x --out y --stesp 4") == 2 && strstr(output, "did you mean 'steps'"));
    CHECK(diht("info x --config /nonexistent/x.conf") == 2 && strstr(output, "/nonexistent/x.conf"));
    CHECK(diht("help > /dev/full") == 1 && strstr(output, "is the disk full?"));
}

// In bash itself: the words it offers after "diht tr", "diht train --ste", "diht help --".
static void bash_completes(void)
{
    static const struct { const char *words, *want; } cases[] = {
        {"diht tr", "train\n"},         {"diht train --ste", "--steps\n"}, {"diht help --m", "--man\n"},
        {"diht eval --ht", "--html\n"}, {"diht train fi", "\n"},
    };
    if (system("bash -c true") != 0)
        SKIP("there is no bash");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char args[512];
        snprintf(args, sizeof args,
                 "help --completion bash > \"${TMPDIR:-/tmp}/diht_complete.$$\"; bash -c '. \"$0\"; COMP_WORDS=(%s); "
                 "COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _diht; echo \"${COMPREPLY[*]}\"' "
                 "\"${TMPDIR:-/tmp}/diht_complete.$$\"; "
                 "rm \"${TMPDIR:-/tmp}/diht_complete.$$\"",
                 cases[i].words);
        diht(args);
        CHECK_STR(output, cases[i].want);
    }
}

int main(void)
{
    CASE(help_lists_every_command);
    CASE(each_command_explains_itself);
    CASE(mistakes_are_named);
    CASE(bash_completes);
    return check_done();
}
