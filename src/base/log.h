// SPDX-License-Identifier: Apache-2.0
// What the library says while it works. The program decides where it goes: nothing here prints by itself.
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_PROGRESS };   // PROGRESS: a line that the next one replaces

typedef void log_sink(void *user, int level, const char *line);
void log_set(log_sink *sink, void *user);   // NULL: silence

void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
// Call as often as you like: the sink decides how often a person sees it.
#define log_progress(...) log_at(LOG_PROGRESS, __VA_ARGS__)

#endif
