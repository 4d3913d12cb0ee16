// SPDX-License-Identifier: Apache-2.0
// The program as a person meets it: help in every form, and what it says to mistakes.
#include <sys/wait.h>

#include "check.h"

static char output[1 << 16];

// Runs `diht ARGS` through the shell, both streams in `output`; the exit status.
static int diht(const char *args)
{
    char line[8192];
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
    CHECK(diht("help --completion tcsh") == 2 && strstr(output, "bash, zsh or fish"));
    CHECK(diht("help --completion") == 2 && strstr(output, "bash, zsh or fish"));
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

// What meson install writes: a page for every command, completion in the shells' own grammar (where they are there).
static void pages_and_completion_are_installed(void)
{
    char args[4096];
    snprintf(args, sizeof args,
             "help >/dev/null; d=$(mktemp -d); export MESON_INSTALL_DESTDIR_PREFIX=$d; "
             "'%s/../../tools/install-help.sh' '%s' man share || echo failed; cd $d/man/man1; "
             "for c in $('%s' help --completion bash | sed -n 's/^    \\([a-z]*\\)) .*/\\1/p'); do "
             "[ $c = help ] || grep -q '^.SH SYNOPSIS' diht-$c.1 || echo $c has no page; done; ls | wc -l; cd $d/share; "
             "if command -v bash >/dev/null; then bash -n bash-completion/completions/diht || echo bash; fi; "
             "if command -v zsh >/dev/null; then zsh -n zsh/site-functions/_diht || echo zsh; fi; "
             "if command -v fish >/dev/null; then fish -n fish/vendor_completions.d/diht.fish || echo fish; fi; "
             "grep -c -e '-l split' fish/vendor_completions.d/diht.fish >/dev/null || echo no option for fish; "
             "grep -q -e '--split\\[' zsh/site-functions/_diht || echo no option for zsh; rm -r $d",
             getenv("DIHT_GOLDEN"), getenv("DIHT_PROGRAM"), getenv("DIHT_PROGRAM"));
    CHECK(diht(args) == 0 && atoi(output) > 15 && !strchr(output, ' '));
    if (strchr(output, ' '))
        printf("# %s\n", output);
}

int main(void)
{
    CASE(help_lists_every_command);
    CASE(each_command_explains_itself);
    CASE(mistakes_are_named);
    CASE(bash_completes);
    CASE(pages_and_completion_are_installed);
    return check_done();
}
