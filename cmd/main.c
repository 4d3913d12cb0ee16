// SPDX-License-Identifier: Apache-2.0
// The program: picks the subcommand, owns the terminal and the signals. Everything else is the library's.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "diht.h"
#include "options.h"

static bool on_terminal, line_open;
static double last_progress = -1e9;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Progress replaces itself on a terminal (5 a second at most) and comes every 10 s elsewhere.
static void on_log(void *user, int level, const char *line)
{
    if (level == DIHT_LOG_DEBUG && !getenv("DIHT_DEBUG"))
        return;
    if (level == DIHT_LOG_PROGRESS) {
        double t = now();
        if (t - last_progress < (on_terminal ? 0.2 : 10))
            return;
        last_progress = t;
        fprintf(stderr, on_terminal ? "\r\033[K%s" : "%s\n", line);
        line_open = on_terminal;
    } else {
        fprintf(stderr, "%s%s%s\n", line_open ? "\r\033[K" : "", level == DIHT_LOG_WARN ? "warning: " : "", line);
        line_open = false;
    }
    fflush(stderr);
}

static void on_signal(int sig)
{
    static volatile sig_atomic_t times;
    if (times++)
        _exit(130);   // asked twice: now
    diht_stop();
    static const char text[] = "\nstopping after this step (once more: at once)\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        return;
}

int command_done(int rc, char *result)
{
    if (line_open)
        fprintf(stderr, "\r\033[K");
    line_open = false;
    if (result) {
        fputs(result, stdout);
        if (*result && result[strlen(result) - 1] != '\n')
            putchar('\n');
        diht_free(result);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "diht: writing the result failed (is the disk full?)\n");
        return 1;
    }
    if (rc < 0) {
        fprintf(stderr, "diht: %s\n", diht_error());
        if (getenv("DIHT_DEBUG"))
            fprintf(stderr, "diht: raised at %s\n", diht_error_where());
    }
    return rc >= 0 ? 0 : rc == DIHT_EUSAGE ? 2 : rc == DIHT_ESTOPPED ? 130 : 1;
}

int main(int argc, char **argv)
{
    on_terminal = isatty(STDERR_FILENO);
    diht_set_log(on_log, NULL);
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2)
        return help_usage(stderr);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        return help_usage(stdout);
    if (!strcmp(argv[1], "help"))
        return help_run(argc - 2, argv + 2);
    if (!strcmp(argv[1], "--version")) {
        printf("diht %s\n", diht_version());
        return 0;
    }
    for (const struct command *const *c = commands; *c; c++) {
        if (strcmp((*c)->name, argv[1]) != 0)
            continue;
        void *o = calloc(1, (*c)->size);
        if (!o)
            return 1;
        int rc = options_parse(*c, argc - 2, argv + 2, o);
        rc = rc > 0 ? 0 : rc < 0 ? 2 : (*c)->run(o);
        free(o);
        options_free();
        return rc;
    }
    fprintf(stderr, "diht: there is no command '%s'; these there are:\n\n", argv[1]);
    return help_usage(stderr);
}
