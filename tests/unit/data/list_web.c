// SPDX-License-Identifier: Apache-2.0
// Lists of web addresses as people have them: marks, line ends, quotes, damage, columns nobody asked for.
#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "check.h"
#include "data/list.h"
#include "scratch.h"

// Every row becomes "caption|address|extra;" or "!why;".
static char *read_all(const char *name, const void *text, size_t n, const struct list_columns *want)
{
    struct list *l = NULL;
    struct list_row r;
    struct buf out = {0};
    int rc;
    write_text(name, text, n);
    if (list_open_columns(&l, scratch("%s", name), want) != 0) {
        buf_fmt(&out, "FAIL %s", error_last());
        return buf_steal(&out);
    }
    int64_t row = 0;
    while ((rc = list_next(l, &r)) == 1) {
        CHECK(r.row == row++);
        json_t *extra = r.extra ? json_loads(r.extra, JSON_REJECT_DUPLICATES, NULL) : NULL;
        CHECK(!r.extra || r.bad || json_is_object(extra));   // what is kept can be read, nothing twice
        json_decref(extra);
        if (r.bad)
            buf_fmt(&out, "!%s;", r.bad);
        else
            buf_fmt(&out, "%s|%s|%s;", r.captions[0], r.path, r.extra ? r.extra : "");
    }
    CHECK(rc == 0);
    list_close(l);
    return buf_steal(&out);
}

static const struct { const char *name, *text, *want; } lists[] = {
    // Conceptual Captions as it comes, also with the columns the other way round
    {"a.tsv", "a dog\thttp://h/1\na cat\thttp://h/2", "a dog|http://h/1|;a cat|http://h/2|;"},
    {"b.tsv", "http://h/1\ta dog\r\nhttp://h/2\ta cat\r\n", "a dog|http://h/1|;a cat|http://h/2|;"},
    {"c", "http://h/1\nhttp://h/2?a=b,c\n\nhttps://h/3", "|http://h/1|;|http://h/2?a=b,c|;|https://h/3|;"},
    {"d.csv", "\xef\xbb\xbfurl,caption,score\r\n\"http://h/1,2\",\"a \"\"big\"\"\r\ndog\",0.5\r\nhttp://h/2,,\r\n",
     "a \"big\"\r\ndog|http://h/1,2|{\"score\":\"0.5\"};|http://h/2|{\"score\":\"\"};"},
    {"e.csv", "URL,TEXT,similarity\nhttp://h/1,a dog,0.3\n", "a dog|http://h/1|{\"similarity\":\"0.3\"};"},
    {"f.tsv", "\xef\xbb\xbfurl\tn\nhttp://h/1\t7\n", "|http://h/1|{\"n\":\"7\"};"},   // no caption column
    // names twice: the first is the one that counts, nothing is lost
    {"g.csv", "url,a,a,url,a,caption\nhttp://h/1,1,2,http://h/other,3,c\n",
     "c|http://h/1|{\"a\":\"1\",\"a_2\":\"2\",\"url_2\":\"http://h/other\",\"a_3\":\"3\"};"},
    {"q.csv", "url,a,a_2,a\nhttp://h/1,1,2,3\n", "|http://h/1|{\"a\":\"1\",\"a_2\":\"2\",\"a_3\":\"3\"};"},
    {"h.csv", "url,,\"a\"\"b\"\nhttp://h/1,x,y\n", "|http://h/1|{\"\":\"x\",\"a\\\"b\":\"y\"};"},
    {"i.tsv", "url\tcaption\nhttp://h/1\ta\xff\nhttp://h/2\tb\n", "!not UTF-8;b|http://h/2|;"},
    {"j.csv", "url,caption\nhttp://h/1,\"open\nhttp://h/2,b\n", "!a quote (\") is not closed;b|http://h/2|;"},
    {"k.jsonl", "{\"url\":\"http://h/1\",\"caption\":null,\"n\":[1,2.5],\"o\":{\"p\":true}}\r\n{\"url\":5}\n{\"caption\":\"x\"}\n{",
     "|http://h/1|{\"n\":[1,2.5],\"o\":{\"p\":true}};!\"url\" is not a text;!the address is empty;!not a JSON object: string or "
     "'}' expected near end of file;"},
    {"l.tsv", "a dog\thttp://h/1\textra\na cat\thttp://h/2\n", "a dog|http://h/1|;!2 columns, 3 expected;"},
    {"m.tsv", "", ""}, {"n.csv", "\xef\xbb\xbf", ""}, {"o.jsonl", "\n\n", ""}, {"p.csv", "url,caption", ""},
};

static void odd_lists_are_read(void)
{
    struct list_columns web = {.web = true};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char *got = read_all(lists[i].name, lists[i].text, strlen(lists[i].text), &web);
        if (strcmp(got, lists[i].want) != 0)
            printf("# %s\n", lists[i].name);
        CHECK_STR(got, lists[i].want);
        free(got);
    }
}

static void columns_are_named(void)
{
    static const char text[] = "link,who,alt,md5\nhttp://h/1,x,a dog,00ff\n";
    struct list_columns want = {.web = true, .url = "link", .caption = "alt", .hash = "md5"};
    char *got = read_all("named.csv", text, strlen(text), &want);
    CHECK_STR(got, "a dog|http://h/1|{\"who\":\"x\",\"md5\":\"00ff\"};");
    free(got);
    want.caption = "title";
    got = read_all("named.csv", text, strlen(text), &want);
    CHECK(strncmp(got, "FAIL", 4) == 0 && strstr(got, "\"title\""));
    free(got);
}

// A zero byte, a line of 10 MB, a quote that is never closed: each costs its row only.
static void monsters_cost_one_row(void)
{
    struct list_columns web = {.web = true};
    struct buf b = {0};
    buf_str(&b, "url,caption\nhttp://h/1,a");
    buf_char(&b, 0);
    buf_str(&b, "b\nhttp://h/2,fine\nhttp://h/3,");
    for (int i = 0; i < 10 << 20; i++)
        buf_char(&b, 'x');
    buf_str(&b, "\nhttp://h/4,fine too\n");
    char *got = read_all("monster.csv", b.at, b.len, &web);
    CHECK_STR(got, "!a zero byte: not text;fine|http://h/2|;!longer than 1 MiB;fine too|http://h/4|;");
    free(got);
    buf_clear(&b);
    buf_str(&b, "{\"url\":\"http://h/1\",\"caption\":\"");
    for (int i = 0; i < 10 << 20; i++)
        buf_char(&b, 'x');
    buf_str(&b, "\"}\n{\"url\":\"http://h/2\",\"caption\":\"fine\"}");
    got = read_all("monster.jsonl", b.at, b.len, &web);
    CHECK_STR(got, "!longer than 1 MiB;fine|http://h/2|;");
    free(got);
    buf_free(&b);
}

int main(void)
{
    scratch_begin();
    CASE(odd_lists_are_read);
    CASE(columns_are_named);
    CASE(monsters_cost_one_row);
    scratch_end();
    return check_done();
}
