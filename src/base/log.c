// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

static log_sink *the_sink;
static void *the_user;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void log_set(log_sink *sink, void *user)
{
    pthread_mutex_lock(&lock);
    the_sink = sink;
    the_user = user;
    pthread_mutex_unlock(&lock);
}

void log_at(enum log_level level, const char *fmt, ...)
{
    char line[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&lock);
    if (the_sink)
        the_sink(the_user, level, line);
    pthread_mutex_unlock(&lock);
}
