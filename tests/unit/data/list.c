// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/rng.h"
#include "check.h"
#include "data/list.h"
#include "scratch.h"

// Reads the list `text` written as `name`; every row becomes "key|caption+caption|path|tags|split;" or "!why;".
static char *read_all(const char *name, const char *text, size_t n)
{
    struct list *l = NULL;
    struct list_row r;
    struct buf out = {0};
    int rc;
    write_text(name, text, n);
    if (list_open(&l, scratch("%s", name)) != 0) {
        buf_fmt(&out, "FAIL %s", error_last());
        return buf_steal(&out);
    }
    int64_t row = 0;
    while ((rc = list_next(l, &r)) == 1) {
        CHECK(r.row == row++);
        if (r.bad) {
            buf_fmt(&out, "!%s;", r.bad);
            continue;
        }
        buf_fmt(&out, "%s|", r.key);
        for (int i = 0; i < r.caption_count; i++)
            buf_fmt(&out, "%s%s", i ? "+" : "", r.captions[i]);
        buf_fmt(&out, "|%s|%s|%s;", r.path, r.tags, r.split);
    }
    CHECK(rc == 0);
    list_close(l);
    return buf_steal(&out);
}

static const struct {
    const char *name, *text, *want;
} dialects[] = {
    {"a.tsv", "a dog\tx.jpg\na cat\ty.jpg\n", "00000000|a dog|x.jpg||;00000001|a cat|y.jpg||;"},
    {"b.tsv", "a dog\tx.jpg", "00000000|a dog|x.jpg||;"},
    {"c.tsv", "\xef\xbb\xbfpath\tCaption\tsplit\tkey\r\nx.jpg\ta \"dog\"\ttrain\tk1\r\n\r\ny.jpg\tb\tval\t\r\n",
     "k1|a \"dog\"|x.jpg||train;00000001|b|y.jpg||val;"},
    {"d.csv", "caption,path,tags\n\"one, two\",\"x \"\"y\"\".jpg\",\"a, b\"\n\"two\nlines\",z.jpg,\n",
     "00000000|one, two|x \"y\".jpg|a, b|;00000001|two\nlines|z.jpg||;"},
    {"e.csv", "caption,path\r\n\"a\r\nb\",x\r\n", "00000000|a\r\nb|x||;"},
    {"f.csv", "cap,x.jpg\n\"open,y.jpg\nnext,z.jpg\n",
     "00000000|cap|x.jpg||;!a quote (\") is not closed;00000002|next|z.jpg||;"},
    {"g.csv", "cap,x.jpg\n\"a\"b,y.jpg\nnext,z.jpg\n",
     "00000000|cap|x.jpg||;!text follows a closing quote (\");00000002|next|z.jpg||;"},
    {"h.tsv", "a\tb\tc\nd\te\t\n\tpath\nf\t\ng\thttp://x/y.jpg\n",
     "!3 columns, 2 expected;00000001|d|e||;!the caption is empty;!the path is empty;!the path is a web address: only "
     "files can be read (diht fetch reads the web);"},
    {"i.jsonl",
     "{\"caption\":[\"a\",\"b\"],\"path\":\"x.png\",\"tags\":[\"t\",\"u\"],\"key\":7}\n\n{\"image\":\"y.png\","
     "\"caption\":\"\\u00e9\",\"id\":3}\n",
     "7|a+b|x.png|t, u|;00000001|\xc3\xa9|y.png||;"},
    {"j.jsonl",
     "[1]\n{\"caption\":5,\"path\":\"x\"}\n{\"caption\":\"a\",\"path\":\"x\",\"tags\":{}}\n{\"caption\":[],\"path\":"
     "\"x\"}\n",
     "!not a JSON object: another value;!\"caption\" is not a text;!tags must be a text or a list of texts;!the "
     "caption is empty;"},
    {"k.txt", "title\tpath\nx\ty\n", "00000000|x|y||;"},
    {"l.txt", "{\"text\":\"x\",\"file\":\"y\"}\n", "00000000|x|y||;"},
    {"m.txt", "x,y\n", "00000000|x|y||;"},
    {"n.tsv", "", ""},
    {"o.tsv", "\n\n  \n", ""},
    {"p.tsv", "caption\tpath\n", ""},
    {"q.tsv", "caption\ttags\n", "FAIL"},
    {"r.tsv", "text\tcaption\tpath\nlong\tshort\tp\n", "00000000|short|p||;"},
    {"s.tsv", "a\xff\tx\nb\ty\n", "!not UTF-8;00000001|b|y||;"},
    {"t.tsv", "  padded  \t x \n", "00000000|padded|x||;"},
};

static void dialects_are_read(void)
{
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        char *got = read_all(dialects[i].name, dialects[i].text, strlen(dialects[i].text));
        if (strcmp(dialects[i].want, "FAIL") == 0)
            CHECK(strncmp(got, "FAIL", 4) == 0 && strstr(got, "no column \"path\""));
        else
            CHECK_STR(got, dialects[i].want);
        free(got);
    }
    char *got = read_all("z.tsv", "a\0b\tx\nc\ty\n", 10);
    CHECK_STR(got, "!a zero byte: not text;00000001|c|y||;");
    free(got);
}

static void lines_are_counted(void)
{
    const char text[] = "caption,path\n\"a\nb\",x\n\nc,y\n";
    write_text("lines.csv", text, sizeof text - 1);
    struct list *l = NULL;
    struct list_row r;
    CHECK(list_open(&l, scratch("lines.csv")) == 0);
    CHECK(list_next(l, &r) == 1 && r.line == 2 && r.row == 0);
    CHECK(list_next(l, &r) == 1 && r.line == 5 && r.row == 1);
    CHECK(list_next(l, &r) == 0 && list_share(l) == 1);
    list_close(l);
    CHECK(list_open(&l, scratch("absent.csv")) == EMISSING_ && !l && strstr(error_last(), "absent.csv"));
}

// Rows over the limits are named bad, the ones after them are read.
static void long_rows_are_refused(void)
{
    struct buf b = {0};
    buf_str(&b, "caption\tpath\n");
    for (int i = 0; i < 1100000; i++)
        buf_char(&b, 'x');
    buf_str(&b, "\ty\nshort\tz\nwide");
    for (int i = 0; i < 300; i++)
        buf_char(&b, '\t');
    buf_str(&b, "\nlast\tw\n");
    char *got = read_all("long.tsv", b.at, b.len);
    CHECK_STR(got, "!longer than 1 MiB;00000001|short|z||;!more than 256 columns;00000003|last|w||;");
    free(got);
    buf_free(&b);
}

// Random damage: any answer but a crash, and always an end.
static void damage_is_survived(void)
{
    struct rng r = rng_make(11, 0);
    int bad = 0;
    for (int round = 0; round < 600; round++) {
        size_t i = rng_below(&r, sizeof dialects / sizeof *dialects), n = strlen(dialects[i].text);
        char copy[512];
        memcpy(copy, dialects[i].text, n);
        for (int k = 0; n && k < 3; k++)
            copy[rng_below(&r, n)] = "\"\n\r\t,\0{}[\xff\xc3\\:x"[rng_below(&r, 15)];
        n = n ? rng_below(&r, n + 1) : 0;
        char *got = read_all(dialects[i].name, copy, n);
        bad += strchr(got, '!') != NULL;
        free(got);
    }
    CHECK(bad > 100);
}

int main(void)
{
    scratch_begin();
    CASE(dialects_are_read);
    CASE(lines_are_counted);
    CASE(long_rows_are_refused);
    CASE(damage_is_survived);
    scratch_end();
    return check_done();
}
