// SPDX-License-Identifier: Apache-2.0
#include "run.h"

#include <dirent.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

char out[1 << 16], err[1 << 16];
static char scratch[512];

bool scratch_begin(void)
{
    const char *dir = getenv("TMPDIR");
    snprintf(scratch, sizeof scratch, "%s/diht-cli-XXXXXX", dir ? dir : "/tmp");
    return mkdtemp(scratch) && chdir(scratch) == 0;
}

void scratch_end(void)
{
    char line[1024];
    snprintf(line, sizeof line, "rm -rf '%s'", scratch);
    if (chdir("/") != 0 || system(line) != 0)
        printf("# %s is left behind\n", scratch);
}

void scratch_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        printf("# %s: cannot be written\n", name);
}

bool scratch_has(const char *name) { return access(name, F_OK) == 0; }

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

void scratch_list(const char *name)
{
    static const char *const what[] = {"red bus", "small dog", "dog and a bus", "blue boat", "red boat"};
    char dir[1024];
    struct dirent **entry;
    snprintf(dir, sizeof dir, "%s/preprocess/images", getenv("DIHT_GOLDEN"));
    int n = scandir(dir, &entry, NULL, by_name), row = 0;
    FILE *f = fopen(name, "w");
    if (!f)
        return;
    fprintf(f, "caption\tpath\ttags\tsplit\n");
    for (int i = 0; i < n; i++) {
        if (entry[i]->d_name[0] != '.' && row < 10) {
            fprintf(f, "a %s number %d\t%s/%s\tbus,red\t%s\n", what[row % 5], row, dir, entry[i]->d_name,
                    row < 7 ? "train" : "val");
            row++;
        }
        free(entry[i]);
    }
    if (n >= 0)
        free(entry);
    fprintf(f, "gone\tgone.png\t\ttrain\n\t\t\t\n");
    fclose(f);
}

static void slurp(const char *name, char *to, size_t room)
{
    FILE *f = fopen(name, "r");
    to[f ? fread(to, 1, room - 1, f) : 0] = 0;
    if (f)
        fclose(f);
}

int diht(const char *args, ...)
{
    char line[4096], command[8192];
    const char *program = getenv("DIHT_PROGRAM");
    va_list ap;
    va_start(ap, args);
    vsnprintf(line, sizeof line, args, ap);
    va_end(ap);
    snprintf(command, sizeof command, "'%s' %s >.out 2>.err", program ? program : "diht", line);
    int status = system(command);
    slurp(".out", out, sizeof out);
    slurp(".err", err, sizeof err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool said(const char *words)
{
    bool found = strstr(err, words) != NULL;
    if (!found)
        printf("# '%s' is not in: %s\n", words, err);
    return found;
}

bool json_line(void)
{
    json_error_t e;
    char *end = strchr(out, '\n');
    json_t *j = end && !end[1] ? json_loads(out, 0, &e) : NULL;
    bool ok = json_is_object(j);
    if (!ok)
        printf("# no JSON object on one line: %s\n", out);
    json_decref(j);
    return ok;
}
