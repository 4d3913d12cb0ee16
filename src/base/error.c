// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char sentence[2048];
static _Thread_local char where[96];

int error_set(int code, const char *file, int line, const char *fmt, ...)
{
    char fresh[sizeof sentence];   // the arguments may point into the old sentence
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(fresh, sizeof fresh, fmt, ap);
    va_end(ap);
    memcpy(sentence, fresh, sizeof sentence);
    snprintf(where, sizeof where, "%s:%d", file, line);
    return code;
}

int error_prefix(int code, const char *fmt, ...)
{
    char fresh[sizeof sentence];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(fresh, sizeof fresh, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof fresh)
        snprintf(fresh + n, sizeof fresh - (size_t)n, "%s", sentence);
    memcpy(sentence, fresh, sizeof sentence);
    return code;
}

const char *error_last(void) { return sentence; }
const char *error_where(void) { return where; }

int error_adopt(int code, const char *text)
{
    snprintf(sentence, sizeof sentence, "%s", text);
    return code;
}

int error_from_errno(int err)
{
    if (err == ENOSPC || err == EDQUOT)
        return EFULL_;
    if (err == ENOENT || err == ENOTDIR)
        return EMISSING_;
    return err == ENOMEM ? EMEMORY_ : EIO_;
}
