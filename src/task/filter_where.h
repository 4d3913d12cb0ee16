// SPDX-License-Identifier: Apache-2.0
// Rules over a list's columns: "nsfw < 0.5 and (similarity >= 0.28 or not source = 'forum')".
//
//   rule  = term { "or" term }          term  = part { "and" part }
//   part  = "not" part | "(" rule ")" | value ("<" | "<=" | ">" | ">=" | "=" | "==" | "!=") value
//   value = number | 'text' | column | "column"
//
// Two numbers are compared as numbers (a text that reads as a number is one), anything else byte by byte. Where a
// column is missing or a text meets a number, the comparison is neither true nor false, and so is all that hangs on it,
// as in SQL: such a row is not kept.
#ifndef TASK_FILTER_WHERE_H
#define TASK_FILTER_WHERE_H

#include <stdbool.h>

struct where;

// A column's value: a text, a number (both: the text is the number as written), or neither: missing.
struct where_value {
    const char *text;      // NULL: none
    bool has_number;
    double number;
};

int where_open(struct where **out, const char *rule);   // EUSAGE_ with the place that does not fit, EMEMORY_
void where_close(struct where *w);                      // accepts NULL

int where_columns(const struct where *w);               // how many columns the rule names
const char *where_column(const struct where *w, int i);

// values /* where_columns */. Thread-safe.
bool where_holds(const struct where *w, const struct where_value *values);

// A text that reads as a number has it.
struct where_value where_text(const char *text);

#endif
