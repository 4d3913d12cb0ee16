// SPDX-License-Identifier: Apache-2.0
// What the option tables say, in the forms people and shells read: the list of commands, man pages, bash completion.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "diht.h"

int help_usage(FILE *f)
{
    fprintf(f,
            "diht %s: image-text dual encoders: data, training with hard negatives, features, zero-shot evaluation\n\n"
            "usage: diht COMMAND [options]      diht COMMAND --help\n\n",
            diht_version());
    for (const struct command *const *c = commands; *c; c++)
        fprintf(f, "  %-10s %s\n", (*c)->name, (*c)->summary);
    fprintf(f, "  %-10s %s\n", "help", "this list; help --man [COMMAND], help --completion bash");
    return f == stdout ? 0 : 2;
}

static const struct command *find(const char *name)
{
    for (const struct command *const *c = commands; *c; c++)
        if (!strcmp((*c)->name, name))
            return *c;
    return NULL;
}

// --- man pages -----------------------------------------------------------------------------------------------------

// Text as roff takes it literally: backslashes and hyphens escaped, no line begins with a request.
static void roff(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
    }
}

static void man_option(const struct option *o, const void *defaults)
{
    printf(".TP\n\\fB\\-\\-");
    roff(o->name);
    printf("\\fR");
    if (o->kind != OPT_FLAG) {
        printf(" \\fI");
        roff(o->value);
        printf("\\fR");
    }
    printf("\n");
    roff(o->help);
    option_default(o, defaults);
    printf("%s%s\n", o->positional ? "; also taken without its name" : "", o->required ? " (required)" : "");
}

static void man_command(const struct command *c, const void *defaults)
{
    printf(".TH DIHT\\-");
    for (const char *p = c->name; *p; p++)
        putchar(toupper((unsigned char)*p));
    printf(" 1 \"\" \"diht %s\" \"User Commands\"\n.SH NAME\ndiht\\-%s \\- ", diht_version(), c->name);
    roff(c->summary);
    printf("\n.SH SYNOPSIS\n\\fBdiht %s\\fR", c->name);
    for (const struct option *o = c->options; o->name; o++)
        if (o->positional)
            printf(o->required ? " \\fI%s\\fR%s" : " [\\fI%s\\fR%s]", o->value, o->kind == OPT_TEXTS ? "..." : "");
    printf(" [\\fIoptions\\fR]\n.SH OPTIONS\n");
    for (const struct option *o = c->options; o->name; o++)
        man_option(o, defaults);
    printf(".TP\n\\fB\\-\\-config\\fR \\fIFILE\\fR\nread options from 'key = value' lines; arguments win\n");
    if (c->example) {
        printf(".SH EXAMPLE\n.EX\n");
        roff(c->example);
        printf("\n.EE\n");
    }
    printf(".SH EXIT STATUS\n0 done, 1 failed, 2 used wrongly, 130 stopped by the user (what was done is kept).\n"
           ".SH SEE ALSO\n\\fBdiht\\fR(1)\n");
}

static void man_program(void)
{
    printf(".TH DIHT 1 \"\" \"diht %s\" \"User Commands\"\n.SH NAME\ndiht \\- image\\-text dual encoders: data, "
           "training with hard negatives, features, zero\\-shot evaluation\n.SH SYNOPSIS\n\\fBdiht\\fR \\fICOMMAND\\fR "
           "[\\fIoptions\\fR]\n.SH COMMANDS\n",
           diht_version());
    for (const struct command *const *c = commands; *c; c++) {
        printf(".TP\n\\fB%s\\fR\n", (*c)->name);
        roff((*c)->summary);
        printf("\n");
    }
    printf(".SH ENVIRONMENT\n.TP\n\\fBDIHT_DEBUG\\fR\nset: print debug lines and where an error was raised\n"
           ".SH SEE ALSO\n");
    for (const struct command *const *c = commands; *c; c++)
        printf("\\fBdiht\\-%s\\fR(1)%s\n", (*c)->name, c[1] ? "," : "");
}

// --- bash completion -----------------------------------------------------------------------------------------------

static void completion_bash(void)
{
    printf("# bash completion for diht %s: diht help --completion bash > /etc/bash_completion.d/diht\n"
           "_diht()\n{\n"
           "    local word=\"${COMP_WORDS[COMP_CWORD]}\" options=\n"
           "    COMPREPLY=()\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W \"", diht_version());
    for (const struct command *const *c = commands; *c; c++)
        printf("%s ", (*c)->name);
    printf("help --version\" -- \"$word\"))\n        return\n    fi\n    case \"${COMP_WORDS[1]}\" in\n");
    for (const struct command *const *c = commands; *c; c++) {
        printf("    %s) options=\"", (*c)->name);
        for (const struct option *o = (*c)->options; o->name; o++)
            printf("--%s ", o->name);
        printf("--config --help\" ;;\n");
    }
    printf("    help) options=\"");
    for (const struct command *const *c = commands; *c; c++)
        printf("%s ", (*c)->name);
    printf("--man --completion\" ;;\n    esac\n"
           "    case \"$word\" in\n"
           "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
           "    *) [ \"${COMP_WORDS[1]}\" = help ] && COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
           "    esac\n}\n"
           "complete -o default -F _diht diht\n");   // -o default: file names where nothing else fits
}

// --- the command ---------------------------------------------------------------------------------------------------

static int about(const struct command *c, bool man)
{
    void *defaults = calloc(1, c->size);
    if (!defaults) {
        fprintf(stderr, "diht help: out of memory\n");
        return 1;
    }
    c->defaults(defaults);
    (man ? man_command : options_help)(c, defaults);
    free(defaults);
    return command_done(0, NULL);
}

int help_run(int argc, char **argv)
{
    bool man = false;
    const char *name = NULL;
    for (int i = 0; i < argc; i++) {
        if (!strcmp(argv[i], "--man")) {
            man = true;
        } else if (!strcmp(argv[i], "--completion")) {
            if (i + 1 < argc && !strcmp(argv[i + 1], "bash")) {
                completion_bash();
                return command_done(0, NULL);
            }
            fprintf(stderr,
                    "diht help: --completion takes the shell: bash (zsh reads the same after 'bashcompinit')\n");
            return 2;
        } else if (name || argv[i][0] == '-') {
            fprintf(stderr, "diht help: nothing expects '%s'; it takes one command, --man or --completion bash\n",
                    argv[i]);
            return 2;
        } else {
            name = argv[i];
        }
    }
    const struct command *c = name ? find(name) : NULL;
    if (name && !c) {
        fprintf(stderr, "diht: there is no command '%s'; these there are:\n\n", name);
        return help_usage(stderr);
    }
    if (c)
        return about(c, man);
    if (man)
        man_program();
    else
        help_usage(stdout);
    return command_done(0, NULL);
}
