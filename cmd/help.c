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
    fprintf(f, "  %-10s %s\n", "help", "this list; help --man [COMMAND], help --completion bash, zsh or fish");
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

// --- zsh and fish --------------------------------------------------------------------------------------------------

// Text inside single quotes of a shell; zsh's option lists also give [ ] and : a meaning.
static void quoted(const char *text, bool zsh)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs(zsh ? "'\\''" : "\\'", stdout);
        else
            printf(*text == '\\' || (zsh && strchr("[]:", *text)) ? "\\%c" : "%c", *text);
}

static void completion_zsh(void)
{
    printf("#compdef diht\n# zsh completion for diht %s: diht help --completion zsh > _diht, in a directory of $fpath\n"
           "local -a commands\ncommands=(\n", diht_version());
    for (const struct command *const *c = commands; *c; c++) {
        printf("    '%s:", (*c)->name);
        quoted((*c)->summary, true);
        printf("'\n");
    }
    printf("    'help:what the commands take'\n)\n"
           "if (( CURRENT == 2 )); then\n    _describe command commands\n    return\nfi\n"
           "shift words\n(( CURRENT-- ))\ncase $words[1] in\n");
    for (const struct command *const *c = commands; *c; c++) {
        printf("%s)\n    _arguments -S \\\n", (*c)->name);
        for (const struct option *o = (*c)->options; o->name; o++) {
            printf("        '%s--%s[", o->kind == OPT_TEXTS ? "*" : "", o->name);
            quoted(o->help, true);
            printf(o->kind == OPT_FLAG ? "]' \\\n" : "]:%s:_files' \\\n", o->value);
        }
        printf("        '--config[options from a file]:FILE:_files' '--help[what it takes]' '*:file:_files' ;;\n");
    }
    printf("help) _arguments '--man[as a man page]' '--completion[for a shell]:shell:(bash zsh fish)' '1:command:(");
    for (const struct command *const *c = commands; *c; c++)
        printf("%s%s", (*c)->name, c[1] ? " " : "");
    printf(")' ;;\nesac\n");
}

static void completion_fish(void)
{
    printf("# fish completion for diht %s: diht help --completion fish > ~/.config/fish/completions/diht.fish\n",
           diht_version());
    for (const struct command *const *c = commands; *c; c++) {
        printf("complete -c diht -n __fish_use_subcommand -f -a %s -d '", (*c)->name);
        quoted((*c)->summary, false);
        printf("'\n");
        for (const struct option *o = (*c)->options; o->name; o++) {
            printf("complete -c diht -n '__fish_seen_subcommand_from %s' -l %s%s -d '", (*c)->name, o->name,
                   o->kind == OPT_FLAG ? "" : " -r");
            quoted(o->help, false);
            printf("'\n");
        }
        printf("complete -c diht -n '__fish_seen_subcommand_from %s' -l config -r -d 'options from a file'\n"
               "complete -c diht -n '__fish_seen_subcommand_from %s' -l help -d 'what it takes'\n",
               (*c)->name, (*c)->name);
    }
    printf("complete -c diht -n __fish_use_subcommand -f -a help -d 'what the commands take'\n");
}

static const struct { const char *shell; void (*write)(void); } completions[] = {
    {"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish},
};

static int completion(const char *shell)
{
    for (size_t i = 0; shell && i < sizeof completions / sizeof *completions; i++)
        if (!strcmp(completions[i].shell, shell)) {
            completions[i].write();
            return command_done(0, NULL);
        }
    fprintf(stderr, "diht help: --completion takes the shell: bash, zsh or fish\n");
    return 2;
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
            return completion(i + 1 < argc ? argv[i + 1] : NULL);
        } else if (name || argv[i][0] == '-') {
            fprintf(stderr, "diht help: nothing expects '%s'; it takes one command, --man or --completion SHELL\n",
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
