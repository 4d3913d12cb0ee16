// SPDX-License-Identifier: Apache-2.0
// The house rules a machine can check: rooms include downward only, the program uses the public header alone,
// files open with their licence and stay small.
#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "check.h"

static const struct { const char *room, *may; } arrows[] = {
    {"base", "base"},
    {"caption", "caption base"},
    {"kernel", "kernel base"},
    {"nn", "nn kernel base"},
    {"model", "model nn kernel base"},
    {"net", "net base"},
    {"image", "image base"},
    {"spot", "spot image kernel base"},
    {"data", "data image base"},
    {"report", "report data image base"},
    {"bench", "bench model nn kernel data image spot caption base"},
    {"task", "task report model nn kernel data image spot caption net base"},
};
enum { ROOMS = sizeof arrows / sizeof *arrows };

static char root[1024];   // of the source tree
static int files, includes;

static bool has_word(const char *words, const char *word, size_t n)
{
    for (const char *p = words; *p; p += strspn(p, " ")) {
        size_t length = strcspn(p, " ");
        if (length == n && !memcmp(p, word, n))
            return true;
        p += length;
    }
    return false;
}

static void fault(const char *path, int line, const char *what)
{
    check_fail(path + strlen(root) + 1, line, what);
}

static bool is_room(const char *name, size_t n)
{
    for (int i = 0; i < ROOMS; i++)
        if (strlen(arrows[i].room) == n && !memcmp(arrows[i].room, name, n))
            return true;
    return false;
}

static void check_file(const char *path, const char *may)
{
    char line[4096];
    int number = 0;
    bool code = strstr(path + strlen(path) - 2, ".c") || strstr(path + strlen(path) - 2, ".h");
    FILE *f = code ? fopen(path, "r") : NULL;
    if (!f)
        return;
    files++;
    while (fgets(line, sizeof line, f)) {
        char name[256];
        if (++number == 1 && strncmp(line, "// SPDX-License-Identifier: ", 28) != 0)
            fault(path, 1, "does not open with its SPDX line");
        if (strchr(line, '\t'))
            fault(path, number, "holds a tab");
        if (sscanf(line, " # include \"%255[^\"]\"", name) != 1)
            continue;
        includes++;
        size_t room = strcspn(name, "/");
        if (name[room] && is_room(name, room) && !has_word(may, name, room))
            fault(path, number, "includes a room that lies above, or beside");
        if (!strncmp(name, "..", 2) && !strstr(path, "/tests/"))
            fault(path, number, "leaves its room by '..'");
        if (!*may && name[room])
            fault(path, number, "the program includes more than diht.h and its own");
    }
    fclose(f);
    if (number > 800)
        fault(path, number, "is longer than 800 lines");
}

static void walk(const char *dir, const char *may)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    if (!d)
        fault(dir, 0, "cannot be listed");
    while (d && (e = readdir(d))) {
        char path[2048];
        struct stat s;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] == '.' || stat(path, &s) != 0)
            continue;
        if (S_ISDIR(s.st_mode))
            walk(path, may);
        else
            check_file(path, may);
    }
    if (d)
        closedir(d);
}

static void rooms_include_downward(void)
{
    for (int i = 0; i < ROOMS; i++) {
        char dir[2048];
        snprintf(dir, sizeof dir, "%s/src/%s", root, arrows[i].room);
        walk(dir, arrows[i].may);
    }
    CHECK(files > 30 && includes > files);   // the walk saw the tree
}

static void the_program_uses_the_public_header(void)
{
    char dir[2048];
    snprintf(dir, sizeof dir, "%s/cmd", root);
    walk(dir, "");
}

static void tests_are_tidy(void)
{
    char dir[2048];
    snprintf(dir, sizeof dir, "%s/tests", root);
    walk(dir, "base caption kernel nn model net image spot data report bench task");
}

// include/diht.h compiles by itself, strictly, in C and in C++.
static void the_public_header_stands_alone(void)
{
    char line[4096];
    snprintf(line, sizeof line, "cc -x c -std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only '%s/include/diht.h'",
             root);
    CHECK(system(line) == 0);
    if (system("command -v c++ >/dev/null") != 0)
        SKIP("no C++ compiler");
    snprintf(line, sizeof line,
             "c++ -x c++ -std=c++11 -pedantic -Wall -Wextra -Werror -fsyntax-only '%s/include/diht.h'",
             root);
    CHECK(system(line) == 0);
}

int main(void)
{
    const char *golden = getenv("DIHT_GOLDEN");
    snprintf(root, sizeof root, "%s/../..", golden ? golden : "tests/golden");
    CASE(rooms_include_downward);
    CASE(the_program_uses_the_public_header);
    CASE(tests_are_tidy);
    CASE(the_public_header_stands_alone);
    return check_done();
}
